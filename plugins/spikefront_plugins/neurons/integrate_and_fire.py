"""The integrate-and-fire neuron."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from spikefront import NeuronModel, Surrogate, ThresholdNeuron, hookimpl
from spikefront.components.neuron import Spike, State
from spikefront.spiking.leaky import leaky


class IntegrateAndFire(ThresholdNeuron):
    """Adds up its input and never forgets.

        h_t = v_{t-1} + x_t
        s_t = 1 where h_t >= v_threshold, else 0
        v_t = h_t (1 - s_t)                  reset "hard"
        v_t = h_t - v_threshold s_t          reset "soft"

    Input: not scaled. Decay: none. Comparison: `>=`. Reset: in the step of the spike. Recorded potential:
    v_t, after the reset. Source: Gerstner et al., Neuronal Dynamics, 2014, section 1.3, without the leak.
    """

    name = "if"

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        s, v = self.fire(state[0] + x, spike)
        return s, (v,)

    def sequence(
        self,
        x: Tensor,
        state: State,
        trained: Mapping[str, Tensor],
        surrogate: Surrogate,
        generator: torch.Generator,
    ) -> tuple[Tensor, State]:
        s, v = leaky(x, state[0], self, surrogate)
        return s, (v,)


@hookimpl
def spikefront_neurons() -> list[type[NeuronModel]]:
    """Return this module's neuron."""
    return [IntegrateAndFire]
