"""The current-based leaky integrate-and-fire neuron."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor

from spikefront import NeuronModel, Surrogate, ThresholdNeuron, hookimpl
from spikefront.components.neuron import Spike, State, everywhere
from spikefront.spiking.compiled import run
from spikefront.spiking.kernel import Kernel
from spikefront.spiking.leaky import leaky, membrane


class CurrentBasedLIF(ThresholdNeuron):
    """A leaky integrate-and-fire neuron behind a synapse whose current decays with a time constant of its own.

        i_t = i_{t-1} - i_{t-1} / tau_synapse + x_t
        h_t = v_{t-1} + (i_t - v_{t-1}) / tau        decay_input
        h_t = v_{t-1} - v_{t-1} / tau + i_t          otherwise
        s_t = 1 where h_t >= v_threshold, else 0
        v_t = h_t (1 - s_t)                          reset "hard"
        v_t = h_t - v_threshold s_t                  reset "soft"

    Input: not scaled on its way into the current; the current is scaled by 1 / tau with `decay_input`. A constant
    input x leads to a current of tau_synapse x. Decay: i by 1 - 1 / tau_synapse, v by 1 - 1 / tau a step.
    Comparison: `>=`. Reset: of v only, in the step of the spike. Recorded potential: v_t, after the reset.
    Source: Davies et al., "Loihi", IEEE Micro 2018; Gerstner et al., Neuronal Dynamics, 2014, section 3.1.
    """

    name = "cuba-lif"

    tau: float = Field(2.0, gt=1, description="time constant of the membrane, in steps")
    tau_synapse: float = Field(2.0, gt=1, description="time constant of the synaptic current, in steps")
    decay_input: bool = Field(True, description="scale the current by 1 / tau, as the leak is")

    def initial_state(self, x: Tensor) -> State:
        return everywhere(0, x), everywhere(0, x)

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        v, i = state
        i = self._filter(x, i)
        h = v + (i - v) / self.tau if self.decay_input else v - v / self.tau + i
        s, v = self.fire(h, spike)
        return s, (v, i)

    def sequence(
        self,
        x: Tensor,
        state: State,
        trained: Mapping[str, Tensor],
        surrogate: Surrogate,
        generator: torch.Generator,
    ) -> tuple[Tensor, State]:
        def plain(x: Tensor, state: State) -> tuple[Tensor, State]:
            v, i = state
            currents = []
            for current in x.unbind(0):
                i = self._filter(current, i)
                currents.append(i)
            s, v = leaky(torch.stack(currents), v, self, surrogate, tau=self.tau, decay_input=self.decay_input)
            return s, (v, i)

        return run(self._kernel(), x, state, surrogate, plain)

    def _kernel(self) -> Kernel:
        step, adjoint = membrane(self, "i", self.decay_input)
        scale = " * inverse_tau" if self.decay_input else ""
        return Kernel(
            states=("v", "i"),
            step=f"i = i - i / tau_synapse + x; {step}",
            kept=("h",),
            adjoint=f"{adjoint} d_i += d_h{scale}; d_x = d_i; d_i -= d_i * inverse_tau_synapse;",
            values={"v_threshold": self.v_threshold, "tau": self.tau, "tau_synapse": self.tau_synapse},
        )

    def _filter(self, x: Tensor, i: Tensor) -> Tensor:
        return i - i / self.tau_synapse + x


@hookimpl
def spikefront_neurons() -> list[type[NeuronModel]]:
    """Return this module's neuron."""
    return [CurrentBasedLIF]
