"""A leaky integrate-and-fire neuron with an absolute refractory period."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor

from spikefront import NeuronModel, ThresholdNeuron, hookimpl
from spikefront.components.neuron import Spike, State, everywhere


class NewComponent(ThresholdNeuron):
    """After a spike the neuron is deaf to its input for `refractory` steps.

        h_t = v_{t-1} + (x_t - v_{t-1}) / tau    where r_{t-1} = 0, else h_t = 0
        s_t = 1 where h_t >= v_threshold, else 0
        v_t = h_t (1 - s_t)                      reset "hard"
        v_t = h_t - v_threshold s_t              reset "soft"
        r_t = refractory where s_t = 1, else max(r_{t-1} - 1, 0)

    Input: scaled by 1 / tau. Decay: by 1 - 1 / tau a step. Comparison: `>=`. Reset: in the step of the spike.
    Recorded potential: v_t, after the reset. No gradient goes through r. Source: Burkitt, "A review of the
    integrate-and-fire neuron model: I. Homogeneous synaptic input", Biological Cybernetics 95 (2006).
    """

    name = "new-component"

    tau: float = Field(2.0, gt=1, description="time constant of the membrane, in steps")
    refractory: int = Field(1, ge=0, le=1000, description="steps after a spike in which the neuron is deaf")

    def initial_state(self, x: Tensor) -> State:
        return everywhere(0, x), everywhere(0, x)

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        v, r = state
        h = torch.where(r > 0, 0, v + (x - v) / self.tau)
        s, v = self.fire(h, spike)
        r = torch.where(s.detach() > 0, self.refractory, (r - 1).clamp(min=0))
        return s, (v, r)


@hookimpl
def spikefront_neurons() -> list[type[NeuronModel]]:
    """Return this module's neuron."""
    return [NewComponent]
