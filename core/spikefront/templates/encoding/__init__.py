"""Hashed weights: the weights of a layer share a few stored numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront import Encoding, hookimpl
from spikefront.components.encoding import encodable_weights
from spikefront.space import Array


class NewComponent(Encoding):
    """Every weight of a layer is one of the layer's k stored numbers, or its negative.

        W_ij = xi(i, j) w_h(i, j),    h(i, j) in {0, ..., k - 1},    xi(i, j) in {-1, 1}

    h and xi are random but the same for every candidate: they come from the number of the layer, and nothing of them
    is stored. Each number serves as many weights as the others, or one more. Initially Var w = 1 / (3 fan_in), and so
    Var W. Source: Chen et al., "Compressing Neural Networks with the Hashing Trick", ICML 2015.
    """

    name = "new-component"

    share: float = Field(0.25, gt=0, le=1, description="stored numbers k of a layer, as a share of its weights")

    def apply(self, network: nn.Module, arrays: Mapping[str, Array], generator: torch.Generator) -> None:
        for number, (layer, name) in enumerate(list(encodable_weights(network))):
            weight = HashedWeight(getattr(layer, name).shape, self.share, number, generator)
            parametrize.register_parametrization(layer, name, weight)


class HashedWeight(nn.Module):
    """Makes a weight from its stored numbers w (k,)."""

    index: Tensor
    sign: Tensor

    def __init__(self, shape: torch.Size, share: float, number: int, generator: torch.Generator) -> None:
        super().__init__()
        self.stored = max(1, round(share * shape.numel()))
        self.generator = generator
        fixed = torch.Generator().manual_seed(number)
        index = torch.randperm(shape.numel(), generator=fixed)
        self.register_buffer("index", index.view(shape) % self.stored, persistent=False)
        self.register_buffer("sign", 2.0 * torch.randint(2, shape, generator=fixed) - 1, persistent=False)

    def forward(self, w: Tensor) -> Tensor:
        return w[self.index] * self.sign

    def right_inverse(self, weight: Tensor) -> Tensor:
        """Return fresh numbers: a given weight has none that would make it."""
        w = 2 * torch.rand(self.stored, generator=self.generator) - 1
        return w / math.sqrt(weight[0].numel())


@hookimpl
def spikefront_encodings() -> list[type[Encoding]]:
    """Return this module's encoding."""
    return [NewComponent]
