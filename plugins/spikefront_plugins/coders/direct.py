"""The direct coder."""

from __future__ import annotations

import torch
from torch import Tensor

from spikefront import Coder, hookimpl


class Direct(Coder):
    """Shows the data themselves in each step: the first layer is the encoder.

        x_t = data

    The steps share memory. Source: Rathi and Roy, "DIET-SNN: A Low-Latency Spiking Neural Network With Direct
    Input Encoding and Leakage and Threshold Optimization", IEEE Transactions on Neural Networks and Learning
    Systems 2023.
    """

    name = "direct"
    analog = True

    def encode(self, data: Tensor, generator: torch.Generator) -> Tensor:
        return data.expand(self.steps, *data.shape)


@hookimpl
def spikefront_coders() -> list[type[Coder]]:
    """Return this module's coder."""
    return [Direct]
