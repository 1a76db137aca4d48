"""The burst coder."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from spikefront import Coder, hookimpl


class NewComponent(Coder):
    """The larger the datum x in [0, 1], the more spikes, and the closer together; all begin in the first step.

        n = ceil(most x)                         number of spikes
        d = ceil(longest - (longest - 1) x)      steps from one spike to the next
        s_t = 1 at t = 0, d, 2 d, ..., (n - 1) d, as far as t < T, else 0

    Source: Guo et al., "Neural Coding in Spiking Neural Networks: A Comparative Study for Robust Neuromorphic
    Systems", Frontiers in Neuroscience 15 (2021), with a shortest interval of one step.
    """

    name = "new-component"

    most: int = Field(3, ge=1, le=10_000, description="spikes of a datum of 1")
    longest: int = Field(3, ge=1, le=10_000, description="steps between the spikes of the smallest datum")

    def encode(self, data: Tensor, generator: torch.Generator) -> Tensor:
        x = data.clamp(0, 1)
        spikes = (self.most * x).ceil()
        interval = (self.longest - (self.longest - 1) * x).ceil()
        time = torch.arange(self.steps, dtype=data.dtype).view(-1, *[1] * data.dim())
        return ((time % interval == 0) & (time < spikes * interval)).to(data.dtype)


@hookimpl
def spikefront_coders() -> list[type[Coder]]:
    """Return this module's coder."""
    return [NewComponent]
