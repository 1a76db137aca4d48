"""The parametric leaky integrate-and-fire neuron."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor

from spikefront import NeuronModel, Surrogate, ThresholdNeuron, hookimpl
from spikefront.components.neuron import Spike, State
from spikefront.spiking.leaky import leaky


class ParametricLIF(ThresholdNeuron):
    """A leaky integrate-and-fire neuron whose time constant is trained, one for each layer.

        k   = 1 / (1 + exp(-w)) = 1 / tau            w trained
        h_t = v_{t-1} + (x_t - v_{t-1}) k            decay_input
        h_t = v_{t-1} - v_{t-1} k + x_t              otherwise
        s_t = 1 where h_t >= v_threshold, else 0
        v_t = h_t (1 - s_t)                          reset "hard"
        v_t = h_t - v_threshold s_t                  reset "soft"

    Input: scaled by k with `decay_input`, else not scaled. Decay: by 1 - k a step; k stays between 0 and 1
    whatever w becomes. Comparison: `>=`. Reset: in the step of the spike. Recorded potential: v_t, after the
    reset. Source: Fang et al., "Incorporating Learnable Membrane Time Constant to Enhance Learning of Spiking
    Neural Networks", ICCV 2021.
    """

    name = "plif"

    tau: float = Field(2.0, gt=1, description="time constant of the membrane before training, in steps")
    decay_input: bool = Field(True, description="scale the input by 1 / tau, as the leak is")

    def trained(self, shape: tuple[int, ...], steps: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"w": torch.tensor(-math.log(self.tau - 1))}

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        (v,) = state
        k = trained["w"].sigmoid()
        h = v + (x - v) * k if self.decay_input else v - v * k + x
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
        k = trained["w"].sigmoid()
        s, v = leaky(x, state[0], self, surrogate, rate=k, decay_input=self.decay_input)
        return s, (v,)


@hookimpl
def spikefront_neurons() -> list[type[NeuronModel]]:
    """Return this module's neuron."""
    return [ParametricLIF]
