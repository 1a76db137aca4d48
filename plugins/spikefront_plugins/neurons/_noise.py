"""Kinds of membrane noise: how likely it carries a potential over the threshold, and the slope of that."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from spikefront import Surrogate
from spikefront.components.surrogate import Scalar

_LEAST = 2.0**-25
"""In place of a uniform number that is 0, whose quantile is minus infinity."""


class MembraneNoise(Surrogate, ABC):
    """A noise that is as likely above as below 0, as the surrogate that follows from it.

        probability  F(v), of a spike at potential minus threshold v: the distribution function
        derivative   f = F', its density
        primitive    F - 1/2

    The area of f is 1. Its peak is not, other than a surrogate's: it is inverse to the scale.
    """

    scale: float = Field(gt=0)

    def probability(self, v: Tensor) -> Tensor:
        """Return F(v); any shape, elementwise."""
        return self.primitive(v).add_(0.5)

    @abstractmethod
    def quantile(self, p: Tensor) -> Tensor:
        """Return where F is `p`, which lies within (0, 1)."""

    def sample(self, r: Tensor) -> Tensor:
        """Return noise e for uniform numbers `r` in [0, 1): v + e > 0 where r < F(v)."""
        return self.quantile(r.clamp(min=_LEAST)).neg_()


class GaussianNoise(MembraneNoise):
    """F = Phi(v / s), f = exp(-v^2 / 2 s^2) / (s sqrt(2 pi))."""

    name = "gaussian-noise"

    def derivative(self, v: Tensor) -> Tensor:
        return (v / self.scale).square_().mul_(-0.5).exp_().mul_(self._peak)

    def primitive(self, v: Tensor) -> Tensor:
        return (v / (math.sqrt(2) * self.scale)).erf_().mul_(0.5)

    def quantile(self, p: Tensor) -> Tensor:
        z: Tensor = torch.special.ndtri(p)
        return z.mul_(self.scale)

    def scalar(self) -> Scalar:
        slope = 1 / (math.sqrt(2) * self.scale)
        return Scalar("peak * exponential(-square(slope * v))", {"peak": self._peak, "slope": slope})

    @property
    def _peak(self) -> float:
        return 1 / (math.sqrt(2 * math.pi) * self.scale)


class LogisticNoise(MembraneNoise):
    """F = 1 / (1 + exp(-v / s)), f = F (1 - F) / s."""

    name = "logistic-noise"

    def derivative(self, v: Tensor) -> Tensor:
        f = (v / self.scale).sigmoid_()
        return (1 - f).mul_(f).div_(self.scale)

    def primitive(self, v: Tensor) -> Tensor:
        return (v / (2 * self.scale)).tanh_().mul_(0.5)

    def quantile(self, p: Tensor) -> Tensor:
        return p.logit().mul_(self.scale)

    def scalar(self) -> Scalar:
        rise = "exponential(-slope * magnitude(v))"
        return Scalar(f"slope * {rise} / square(1 + {rise})", {"slope": 1 / self.scale})


class TriangularNoise(MembraneNoise):
    """F = (v + a)^2 / 2 a^2 for v <= 0, 1 - (a - v)^2 / 2 a^2 above, f = (a - |v|) / a^2, within [-a, a]."""

    name = "triangular-noise"

    def derivative(self, v: Tensor) -> Tensor:
        return v.abs().neg_().add_(self.scale).clamp_(min=0).div_(self.scale**2)

    def primitive(self, v: Tensor) -> Tensor:
        x = (v / self.scale).clamp_(-1, 1)
        return x - x * x.abs() / 2

    def quantile(self, p: Tensor) -> Tensor:
        tail = torch.minimum(p, 1 - p)
        return (1 - (2 * tail).sqrt()).mul_(self.scale) * (p - 0.5).sign()

    def scalar(self) -> Scalar:
        values = {"slope": 1 / self.scale**2, "scale": self.scale}
        return Scalar("slope * larger(0, scale - magnitude(v))", values)


class UniformNoise(MembraneNoise):
    """F = (v + a) / 2 a, f = 1 / 2 a, within [-a, a]: the rectangle. Further away no gradient is left."""

    name = "uniform-noise"

    def derivative(self, v: Tensor) -> Tensor:
        return v.abs().le(self.scale).to(v.dtype).div_(2 * self.scale)

    def primitive(self, v: Tensor) -> Tensor:
        return (v / (2 * self.scale)).clamp_(-0.5, 0.5)

    def quantile(self, p: Tensor) -> Tensor:
        return (p - 0.5).mul_(2 * self.scale)

    def scalar(self) -> Scalar:
        return Scalar("magnitude(v) <= scale ? peak : 0", {"scale": self.scale, "peak": 1 / (2 * self.scale)})


NOISES: dict[str, type[MembraneNoise]] = {
    "gaussian": GaussianNoise,
    "logistic": LogisticNoise,
    "triangular": TriangularNoise,
    "uniform": UniformNoise,
}


class _Drawn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, v: Tensor, r: Tensor, noise: MembraneNoise, surrogate: Surrogate) -> Tensor:
        ctx.save_for_backward(v)
        ctx.surrogate = surrogate
        return (r < noise.probability(v)).to(v.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (v,) = ctx.saved_tensors
        return gradients[0] * ctx.surrogate.derivative(v), None, None, None


def drawn_spike(v: Tensor, r: Tensor, noise: MembraneNoise, surrogate: Surrogate) -> Tensor:
    """Return 1 with probability F(v) and 0 otherwise, by uniform numbers `r`; the gradient is the surrogate's."""
    result: Tensor = _Drawn.apply(v, r, noise, surrogate)  # type: ignore[no-untyped-call]
    return result
