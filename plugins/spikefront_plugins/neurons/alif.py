"""The adaptive leaky integrate-and-fire neuron."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor

from spikefront import NeuronModel, Surrogate, ThresholdNeuron, hookimpl
from spikefront.components.neuron import Spike, State, everywhere
from spikefront.spiking.compiled import run
from spikefront.spiking.kernel import Kernel
from spikefront.spiking.leaky import threshold, undetached


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
        return everywhere(0, x), everywhere(0, x)

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        v, a = state
        h = v + (x - v) / self.tau
        s, v = self.fire(h, spike, self.v_threshold + self.beta * a)
        return s, (v, a + (s - a) / self.tau_adaptation)

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
        values = {"v_threshold": self.v_threshold, "tau": self.tau, "beta": self.beta}
        return Kernel(
            states=("v", "a"),
            step=f"""const real level = v_threshold + beta * a, h = v + (x - v) / tau;
                {threshold(self, "level")}
                a = a + (s - a) / tau_adaptation;""",
            kept=("h", "level"),
            adjoint=f"""const real z = h - level, fired = z >= 0 ? 1 : 0;
                const real d_fired = surrogate(z) * (d_s + d_a * inverse_tau_adaptation{undetached(self, "level")});
                const real d_level = {"-d_fired" if self.reset == "hard" else "-d_fired - d_v * fired"};
                const real d_h = d_fired + {"d_v * (1 - fired)" if self.reset == "hard" else "d_v"};
                d_x = d_h * inverse_tau;
                d_v = d_h - d_x;
                d_a = d_a - d_a * inverse_tau_adaptation + beta * d_level;""",
            values=values | {"tau_adaptation": self.tau_adaptation},
        )


@hookimpl
def spikefront_neurons() -> list[type[NeuronModel]]:
    """Return this module's neuron."""
    return [AdaptiveLIF]
