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
    """A LIF neuron that fires with a probability, and learns by the slope of that probability.

        h_t as in `lif`, plus e_t ~ f                noise_in "potential" or "both": e_t stays and decays with v
        P(s_t = 1) = F(h_t - v_threshold)            "firing" or "both"; else s_t = 1 where h_t >= v_threshold
        v_t = h_t (1 - s_t), or h_t - v_threshold s_t
        d s_t / d h_t := f(h_t - v_threshold)

    F and f = F' are distribution function and density of the noise: Gaussian with standard deviation `scale`, logistic
    with s = `scale`, triangular or uniform on [-scale, scale]. The study's surrogate counts only with `derivative =
    "surrogate"`. f is not normalised, its peak is inverse to the scale: AdamW does not see that where nothing is
    recurrent and the reset is detached; elsewhere, search the learning rate too.

    "both" is the published code: two draws, so that Gaussian noise is sqrt(2) times as wide. "firing" is our own: one
    draw, which leaves the potential alone. "nowhere" is the deterministic twin, `lif` with the surrogate f. Noise acts
    in evaluation as in training.

    Input, decay, comparison, reset and recorded potential: those of `lif`, the input unscaled by default as in the
    paper. Its decay is 1 / tau, here 1 - 1 / tau: the same for 2. It compares by >, which differs at ties. A uniform
    number is drawn for each step, sample and neuron, in the order of the currents (T, B, ...), those of the potential
    first: what a sample gets depends on its place in the batch. Source: Ma, Yan, Tang, "Exploiting Noise as a Resource
    for Computation and Learning in Spiking Neural Networks", Patterns 2023, arXiv 2305.16044, and its code.
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
