"""The adaptive leaky integrate-and-fire neuron."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor

from spikefront import NeuronModel, ThresholdNeuron, hookimpl
from spikefront.components.neuron import Spike, State


class AdaptiveLIF(ThresholdNeuron):
    """A leaky integrate-and-fire neuron whose threshold rises with each spike and falls back slowly.

        h_t = v_{t-1} + (x_t - v_{t-1}) / tau
        A_t = v_threshold + beta a_{t-1}
        s_t = 1 where h_t >= A_t, else 0
        a_t = a_{t-1} + (s_t - a_{t-1}) / tau_adaptation
        v_t = h_t (1 - s_t)                  reset "hard"
        v_t = h_t - A_t s_t                  reset "soft"

    a is a running mean of the neuron's own spikes. Input: scaled by 1 / tau. Decay: v by 1 - 1 / tau and a by
    1 - 1 / tau_adaptation a step. Comparison: `>=`, with a threshold that knows the spikes of earlier steps only.
    Reset: in the step of the spike. Recorded potential: v_t, after the reset. `detach_reset` does not touch the
    gradient through a, which carries credit over long times. Source: Bellec et al., "Long short-term memory and
    learning-to-learn in networks of spiking neurons", NeurIPS 2018, where the reset is soft and the decays are
    exponentials of the step.
    """

    name = "alif"

    tau: float = Field(2.0, gt=1, description="time constant of the membrane, in steps")
    tau_adaptation: float = Field(20.0, gt=1, description="time constant of the threshold, in steps")
    beta: float = Field(1.8, ge=0, description="rise of the threshold for a neuron that fires in each step")

    def initial_state(self, x: Tensor) -> State:
        return torch.zeros_like(x), torch.zeros_like(x)

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        v, a = state
        h = v + (x - v) / self.tau
        s, v = self.fire(h, spike, self.v_threshold + self.beta * a)
        return s, (v, a + (s - a) / self.tau_adaptation)


@hookimpl
def spikefront_neurons() -> list[type[NeuronModel]]:
    """Return this module's neuron."""
    return [AdaptiveLIF]
