"""The leaky integrate-and-fire family over a whole sequence: its compiled kernel, and one autograd function."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from spikefront.spiking.compiled import run
from spikefront.spiking.kernel import Kernel

if TYPE_CHECKING:
    from spikefront.components.neuron import ThresholdNeuron
    from spikefront.components.surrogate import Surrogate


def leaky(
    x: Tensor,
    v: Tensor,
    neuron: ThresholdNeuron,
    surrogate: Surrogate,
    *,
    tau: float = math.inf,
    rate: Tensor | None = None,
    decay_input: bool = False,
) -> tuple[Tensor, Tensor]:
    """Run integrate-and-fire neurons over a sequence.

        h_t = v_{t-1} + L(x_t - v_{t-1})             decay_input
        h_t = v_{t-1} - L(v_{t-1}) + x_t             otherwise

    is the potential before the reset, where L(z) = z / tau, or rate z where a rate is given; threshold and reset
    are the neuron's. The operations are those of the step functions, in their order: the spikes are the same bits.

    Args:
        x: Currents (T, B, ...), T >= 1.
        v: Potential (B, ...) before the first step.
        neuron: Has threshold and reset.
        surrogate: Derivative of the spike.
        tau: Time constant in steps; infinite where nothing leaks.
        rate: A tensor without dimensions in place of 1 / tau, to be trained.
        decay_input: Whether the input is scaled as the leak is.

    Returns:
        Spikes (T, B, ...) and the potential (B, ...) after the last step; both carry gradients to `x`, `v` and `rate`.
    """
    rule = _Rule(neuron, surrogate, tau, decay_input)
    trained = {} if rate is None else {"rate": rate}

    def plain(x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        spikes, end = _Leaky.apply(x, state[0], rate, rule)  # type: ignore[no-untyped-call]
        return spikes, (end,)

    spikes, (end,) = run(_kernel(rule, rate is not None), x, (v,), surrogate, plain, trained)
    return spikes, end


def membrane(neuron: ThresholdNeuron, current: str, decay_input: bool, *, trained: bool = False) -> tuple[str, str]:
    """Return the C of a leaky membrane v behind a current, for `Kernel.step` and `Kernel.adjoint`.

    Args:
        neuron: Has threshold and reset.
        current: Name of the current.
        decay_input: Whether the current is scaled as the leak is.
        trained: Whether the leak is a product with the trained `rate` and not a division by `tau`.

    Returns:
        The step sets h, s and v. The adjoint reads h (and v where trained), sets `d_h` and `d_v`, and adds to
        `d_rate`; the current's gradient is `d_h` times its scale.
    """
    leak = "{} * rate" if trained else "{} / tau"
    driven, free = leak.format(f"({current} - v)"), leak.format("v")
    charge = f"v + {driven}" if decay_input else f"v - {free} + {current}"
    step = f"const real h = {charge}; {threshold(neuron, 'v_threshold')}"
    through = f"surrogate(z) * (d_s{undetached(neuron, 'v_threshold')})"
    past = "d_v * (z >= 0 ? 0 : 1)" if neuron.reset == "hard" else "d_v"
    adjoint = f"const real z = h - v_threshold, d_h = {through} + {past};"
    if trained:
        adjoint += f"d_rate += d_h * ({current} - v);" if decay_input else "d_rate -= d_h * v;"
    return step, f"{adjoint} d_v = d_h - d_h * {'rate' if trained else 'inverse_tau'};"


def threshold(neuron: ThresholdNeuron, level: str) -> str:
    """Return the C that makes s and v from the potential h."""
    reset = "h * (1 - s)" if neuron.reset == "hard" else f"h - {level} * s"
    return f"s = h - {level} >= 0 ? 1 : 0; v = {reset};"


def undetached(neuron: ThresholdNeuron, level: str) -> str:
    """Return the C of what the reset adds to d_s, nothing where it is kept out of the gradient."""
    return "" if neuron.detach_reset else f" - d_v * {'h' if neuron.reset == 'hard' else level}"


@lru_cache(maxsize=256)
def _kernel(rule: _Rule, trained: bool) -> Kernel:
    step, adjoint = membrane(rule.neuron, "x", rule.decay_input, trained=trained)
    values = {"v_threshold": rule.neuron.v_threshold}
    if trained:
        d_x = "d_h * rate" if rule.decay_input else "d_h"
        return Kernel(("v",), step, ("h", "v"), f"{adjoint} d_x = {d_x};", values, ("rate",))
    d_x = "d_h * inverse_tau" if rule.decay_input else "d_h"
    return Kernel(("v",), step, ("h",), f"{adjoint} d_x = {d_x};", values | {"tau": rule.tau})


@dataclass(frozen=True)
class _Rule:
    """The parts of a step, written into given memory, and their derivatives."""

    neuron: ThresholdNeuron
    surrogate: Surrogate
    tau: float
    decay_input: bool

    def leak(self, z: Tensor, rate: Tensor | None, out: Tensor) -> Tensor:
        return torch.div(z, self.tau, out=out) if rate is None else torch.mul(z, rate, out=out)

    def charge(self, x: Tensor, v: Tensor, rate: Tensor | None, out: Tensor) -> Tensor:
        if self.decay_input:
            return self.leak(torch.sub(x, v, out=out), rate, out).add_(v)
        return torch.sub(v, self.leak(v, rate, out), out=out).add_(x)

    def discharge(self, h: Tensor, s: Tensor, out: Tensor) -> Tensor:
        """Reset; the products with s are exact, so this equals h (1 - s) and h - v_threshold s."""
        if self.neuron.reset == "hard":
            return torch.addcmul(h, h, s, value=-1, out=out)
        return torch.add(h, s, alpha=-self.neuron.v_threshold, out=out)

    def gradient(self, h: Tensor, from_spikes: Tensor, from_v: Tensor) -> Tensor:
        """Return the gradient of h, from those of the spikes and of the potential after the reset."""
        distance = h - self.neuron.v_threshold
        derivative = self.surrogate.derivative(distance)
        hard = self.neuron.reset == "hard"
        if not self.neuron.detach_reset:
            from_spikes = from_spikes - from_v * (h if hard else self.neuron.v_threshold)
        through_spikes = derivative * from_spikes
        if not hard:
            return through_spikes.add_(from_v)
        silent = torch.lt(distance, 0, out=distance)
        return through_spikes.addcmul_(from_v, silent)

    def rate_gradient(self, h: Tensor, x: Tensor, v: Tensor) -> Tensor:
        """Return the gradient of the rate, from that of h, for the step from potential v with input x."""
        return torch.sub(x, v).mul_(h).sum() if self.decay_input else torch.mul(h, v).sum().neg_()


class _Leaky(torch.autograd.Function):
    """Keeps the potentials before the reset; the backward pass recomputes all else."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, v: Tensor, rate: Tensor | None, rule: _Rule) -> tuple[Tensor, Tensor]:
        h, s, after = torch.empty_like(x), torch.empty_like(x), torch.empty_like(v)
        before = v
        for t in range(len(x)):
            rule.charge(x[t], before, rate, out=h[t])
            torch.ge(h[t], rule.neuron.v_threshold, out=s[t])
            before = rule.discharge(h[t], s[t], out=after)
        ctx.rule = rule
        ctx.save_for_backward(h, rate, *(() if rate is None else (x, v)))
        return s, after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None]:
        h, rate, *inputs = ctx.saved_tensors
        rule: _Rule = ctx.rule
        from_spikes, from_v = gradients
        to_x, to_v = torch.empty_like(h), torch.empty_like(from_v)
        to_rate = None if rate is None else torch.zeros_like(rate)
        for t in reversed(range(len(h))):
            to_h = rule.gradient(h[t], from_spikes[t], from_v)
            leaked = rule.leak(to_h, rate, out=to_x[t])
            from_v = torch.sub(to_h, leaked, out=to_v)
            if not rule.decay_input:
                to_x[t] = to_h
            if to_rate is not None:
                to_rate += rule.rate_gradient(to_h, inputs[0][t], _potential(rule, h, inputs[1], t))
        return to_x, to_v, to_rate, None


def _potential(rule: _Rule, h: Tensor, start: Tensor, t: int) -> Tensor:
    """Return the potential before step t, after the reset of the step before."""
    if t == 0:
        return start
    s = torch.ge(h[t - 1], rule.neuron.v_threshold, out=torch.empty_like(start))
    return rule.discharge(h[t - 1], s, out=s)
