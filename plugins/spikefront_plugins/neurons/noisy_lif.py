"""The noisy leaky integrate-and-fire neuron, whose surrogate is the density of its noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from spikefront import NeuronModel, Surrogate, hookimpl
from spikefront.components.neuron import State
from spikefront_plugins.neurons._noise import NOISES, MembraneNoise, drawn_spike
from spikefront_plugins.neurons.lif import LIF


class NoisyLIF(LIF):
    """A LIF neuron that fires with a probability; learns by the slope of that probability.

        h_t as in `lif`
        P(s_t = 1) = F(h_t - v_threshold)            noise_in "firing"
        h_t = (h_t as in `lif`) + e_t, s_t = 1[h_t >= v_threshold], e_t ~ f        "potential": e_t decays with v
        v_t = h_t (1 - s_t), or h_t - v_threshold s_t
        d s_t / d h_t := f(h_t - v_threshold)

    F and f are distribution function and density of the noise, which is even: Gaussian with standard deviation `scale`,
    logistic with s = `scale`, triangular or uniform on [-scale, scale]. The surrogate is f itself; that of the study
    counts only with `derivative = "surrogate"`. The peak of f is inverse to the scale and not 1: AdamW does not see
    that in networks without recurrence whose reset is detached, as each layer's gradient is scaled as a whole; with
    another optimiser, search the learning rate too.

    "both" is the published code, which draws twice: Gaussian noise is then sqrt(2) times as wide as it says, and f is
    taken at the noisy potential, here also with "potential". "nowhere" is the deterministic twin: `lif` that learns
    with f. The noise acts in training and in evaluation.

    Input, decay, comparison, reset and recorded potential: those of `lif`, without scaling of the input by default, as
    in the paper. The decay is called 1 / tau there, 1 - 1 / tau here: the same for 2. The paper compares by >, which
    differs at ties. One uniform number is drawn for each step, sample and neuron, in the order of the currents
    (T, B, ...), first those of the potential: spikes of a sample depend on its place in the batch.

    Source: Ma, Yan, Tang, "Exploiting Noise as a Resource for Computation and Learning in Spiking Neural Networks",
    Patterns 2023, arXiv 2305.16044, and its code; that noise may leave the stored potential alone is our own.
    """

    name = "noisy-lif"

    decay_input: bool = Field(False, description="scale the input by 1 / tau, as the leak is")
    noise: Literal["gaussian", "logistic", "triangular", "uniform"] = Field("gaussian", description="kind of noise")
    scale: float = Field(
        0.3, gt=0, description="standard deviation (gaussian), s (logistic) or half width (triangular, uniform)"
    )
    noise_in: Literal["firing", "potential", "both", "nowhere"] = Field(
        "firing", description="what the noise acts on: the spike alone, the stored potential, both, or nothing"
    )
    derivative: Literal["density", "surrogate"] = Field(
        "density", description="of the spike: the density of the noise, or what [surrogate] says"
    )

    @property
    def density(self) -> MembraneNoise:
        """The noise, which is a surrogate as well."""
        return NOISES[self.noise](scale=self.scale)

    def sequence(
        self,
        x: Tensor,
        state: State,
        trained: Mapping[str, Tensor],
        surrogate: Surrogate,
        generator: torch.Generator,
    ) -> tuple[Tensor, State]:
        noise = self.density
        derivative = noise if self.derivative == "density" else surrogate
        if self.noise_in in {"potential", "both"}:
            gain = self.tau if self.decay_input else 1.0  # so that h, and not its input, gets noise of this scale
            x = x + gain * noise.sample(_uniform(x, generator))
        if self.noise_in in {"potential", "nowhere"}:
            return super().sequence(x, state, trained, derivative, generator)
        numbers = iter(_uniform(x, generator))
        return self.loop(x, state, trained, lambda v: drawn_spike(v, next(numbers), noise, derivative))

    def reference(
        self, x: Tensor, state: State, trained: Mapping[str, Tensor], surrogate: Surrogate
    ) -> tuple[Tensor, State]:
        return super().reference(x, state, trained, self.density if self.derivative == "density" else surrogate)


def _uniform(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return a uniform number in [0, 1) for each current."""
    return torch.rand(x.shape, generator=generator, dtype=x.dtype, device=generator.device).to(x.device)


@hookimpl
def spikefront_neurons() -> list[type[NeuronModel]]:
    """Return this module's neuron."""
    return [NoisyLIF]
