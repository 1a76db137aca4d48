"""The Izhikevich neuron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from spikefront import NeuronModel, Surrogate, hookimpl
from spikefront.components.neuron import Spike, State, everywhere
from spikefront.spiking.compiled import run
from spikefront.spiking.kernel import Kernel

PEAK = 30.0
"""Potential in mV at which a spike is cut off."""

REST = -65.0
"""Potential in mV before the first step."""


Values = TypeVar("Values", Tensor, npt.NDArray[np.float64])


class Izhikevich(NeuronModel):
    """Two variables that reproduce most firing patterns of cortex; v in mV, one step is 1 ms.

        I   = input_scale x_t
        h   = v_{t-1}; twice: h = h + 0.5 (0.04 h^2 + 5 h + 140 - u_{t-1} + I)      two half steps
        w   = u_{t-1} + a (b h - u_{t-1})
        s_t = 1 where h >= 30, else 0
        v_t = h (1 - s_t) + c s_t
        u_t = w + d s_t

    Input: scaled by `input_scale`; 4 to 10 mV a ms makes a regular-spiking cell fire. Decay: none but the
    equation's. Comparison: `>=`, at 30 mV, of a potential that may have shot far beyond. Reset: to c, in the step
    of the spike; the original tests at the start of the next step, which is the same trajectory with every spike
    reported one step later. Recorded potential: v_t, after the reset. Start: v = -65, u = b v.
    For the surrogate the way from the reset to the peak counts as 1, as for a neuron with threshold 1: the
    spike function gets (h - 30) / (30 - c). The scheme of half steps is part of the model and has not converged:
    other step sizes give other rates. Source: Izhikevich, "Simple model of spiking neurons", IEEE Transactions
    on Neural Networks 2003, eq. 1 to 3, in the scheme of its program.
    """

    name = "izhikevich"

    a: float = Field(0.02, gt=0, le=1, description="rate of the recovery variable u, per ms")
    b: float = Field(0.2, ge=-2, le=2, description="sensitivity of u to the potential")
    c: float = Field(-65.0, ge=-100, le=0, description="potential after a spike, in mV")
    d: float = Field(8.0, ge=-30, le=30, description="rise of u after a spike")
    input_scale: float = Field(10.0, gt=0, description="current in mV per ms of an input of 1")
    detach_reset: bool = Field(True, description="keep the reset out of the gradient")

    def initial_state(self, x: Tensor) -> State:
        return everywhere(REST, x), everywhere(self.b * REST, x)

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        v, u = state
        h = half_step(half_step(v, u, self.input_scale * x), u, self.input_scale * x)
        u = u + self.a * (self.b * h - u)
        s = spike((h - PEAK) / (PEAK - self.c))
        r = s.detach() if self.detach_reset else s
        return s, (h * (1 - r) + self.c * r, u + self.d * r)

    def sequence(
        self,
        x: Tensor,
        state: State,
        trained: Mapping[str, Tensor],
        surrogate: Surrogate,
        generator: torch.Generator,
    ) -> tuple[Tensor, State]:
        def plain(x: Tensor, state: State) -> tuple[Tensor, State]:
            return self.reference(x, state, trained, surrogate)

        return run(self._kernel(), x, state, surrogate, plain)

    def _kernel(self) -> Kernel:
        values = {"a": self.a, "b": self.b, "c": self.c, "d": self.d, "input_scale": self.input_scale}
        half_step = "half * (curve * {0} * {0} + 5 * {0} + 140 - u + current)"
        reset = "" if self.detach_reset else " + d_v * (c - h) + d_u * d"
        return Kernel(
            states=("v", "u"),
            step=f"""const real current = input_scale * x;
                const real first = v + {half_step.format("v")}, h = first + {half_step.format("first")};
                u = u + a * (b * h - u);
                s = (h - peak) / span >= 0 ? 1 : 0;
                v = h * (1 - s) + c * s;
                u = u + d * s;""",
            kept=("v", "first", "h"),
            adjoint=f"""const real z = (h - peak) * inverse_span;
                const real d_h = surrogate(z) * (d_s{reset}) * inverse_span + d_v * (z >= 0 ? 0 : 1) + d_u * a * b;
                const real d_first = d_h * (1 + half * (2 * curve * first + 5)), d_current = half * (d_h + d_first);
                d_x = d_current * input_scale;
                d_u = d_u * (1 - a) - d_current;
                d_v = d_first * (1 + half * (2 * curve * v + 5));""",
            values=values | {"half": 0.5, "curve": 0.04, "peak": PEAK, "span": PEAK - self.c},
        )


def half_step(v: Values, u: Values, current: Values) -> Values:
    """Advance the potential by 0.5 ms.

    The order of the operations is part of the model: rounding decides on spikes from about the tenth on.

    Args:
        v: Potential in mV.
        u: Recovery variable.
        current: Input in mV per ms.
    """
    return v + 0.5 * (0.04 * v * v + 5 * v + 140 - u + current)


@hookimpl
def spikefront_neurons() -> list[type[NeuronModel]]:
    """Return this module's neuron."""
    return [Izhikevich]
