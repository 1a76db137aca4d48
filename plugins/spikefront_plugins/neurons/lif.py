"""The leaky integrate-and-fire neuron."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor

from spikefront import NeuronModel, Surrogate, ThresholdNeuron, hookimpl
from spikefront.components.neuron import Spike, State
from spikefront.spiking.leaky import leaky


class LIF(ThresholdNeuron):
    """Leaks towards zero with the time constant tau.

        h_t = v_{t-1} + (x_t - v_{t-1}) / tau        decay_input
        h_t = v_{t-1} - v_{t-1} / tau + x_t          otherwise
        s_t = 1 where h_t >= v_threshold, else 0
        v_t = h_t (1 - s_t)                          reset "hard"
        v_t = h_t - v_threshold s_t                  reset "soft"

    Input: scaled by 1 / tau with `decay_input`, so that a constant input x leads to v = x; else not scaled.
    Decay: by 1 - 1 / tau a step. Comparison: `>=`. Reset: in the step of the spike. Recorded potential: v_t,
    after the reset. Source: Gerstner et al., Neuronal Dynamics, 2014, section 1.3, one Euler step a time step.
    """

    name = "lif"

    tau: float = Field(2.0, gt=1, description="time constant of the membrane, in steps")
    decay_input: bool = Field(True, description="scale the input by 1 / tau, as the leak is")

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        (v,) = state
        h = v + (x - v) / self.tau if self.decay_input else v - v / self.tau + x
        s, v = self.fire(h, spike)
        return s, (v,)

    def sequence(
        self,
        x: Tensor,
        state: State,
        trained: Mapping[str, Tensor],
        surrogate: Surrogate,
        generator: torch.Generator,
    ) -> tuple[Tensor, State]:
        s, v = leaky(x, state[0], self, surrogate, tau=self.tau, decay_input=self.decay_input)
        return s, (v,)


@hookimpl
def spikefront_neurons() -> list[type[NeuronModel]]:
    """Return this module's neuron."""
    return [LIF]
