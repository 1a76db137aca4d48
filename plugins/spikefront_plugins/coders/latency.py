"""The latency coder."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from spikefront import Coder, hookimpl


class Latency(Coder):
    """Time to first spike: the larger the datum, the earlier its only spike.

        s_t = 1 at t = min(floor((1 - x) T), T - 1) where data > threshold, else 0,    x = min(data, 1)

    Each step stands for an equal share 1/T of the values between 0 and 1. Data at or below the threshold
    stay silent. Source: Thorpe, Delorme and Van Rullen, "Spike-based strategies for rapid processing",
    Neural Networks 2001, with a linear map from value to time.
    """

    name = "latency"

    threshold: float = Field(0.01, ge=0, lt=1, description="largest datum that stays silent")

    def encode(self, data: Tensor, generator: torch.Generator) -> Tensor:
        time = ((1 - data) * self.steps).floor().clamp(0, self.steps - 1).long()
        spikes = data.new_zeros((self.steps, *data.shape))
        return spikes.scatter_(0, time.unsqueeze(0), (data > self.threshold).to(data.dtype).unsqueeze(0))


@hookimpl
def spikefront_coders() -> list[type[Coder]]:
    """Return this module's coder."""
    return [Latency]
