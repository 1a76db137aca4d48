"""The Poisson coder."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from spikefront import Coder, hookimpl


class Poisson(Coder):
    """Rate coding: in each step a spike with a probability that is the datum, independent of all others.

        s_t ~ Bernoulli(p),    p = min(max(gain data, 0), 1)

    One number is drawn for each step and datum, so the spikes depend on the generator, the shape and the
    data only. Source: Heeger, "Poisson model of spike generation", 2000, with one bin a step.
    """

    name = "poisson"

    gain: float = Field(1.0, gt=0, description="probability of a spike for a datum of 1, clipped to 1")

    def encode(self, data: Tensor, generator: torch.Generator) -> Tensor:
        drawn = torch.rand((self.steps, *data.shape), generator=generator, dtype=data.dtype, device=generator.device)
        return (drawn.to(data.device) < self.gain * data).to(data.dtype)


@hookimpl
def spikefront_coders() -> list[type[Coder]]:
    """Return this module's coder."""
    return [Poisson]
