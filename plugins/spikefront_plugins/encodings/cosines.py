"""Cosine encoding: the weights over a picture, or a kernel, are sums of a few smooth cosines."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor, nn

from spikefront import Encoding, hookimpl
from spikefront.components.encoding import Group, encodable_weights, picture_of
from spikefront.space import Array
from spikefront_plugins.encodings._cosines import cosines
from spikefront_plugins.encodings._factored import Product, register, stored_by, with_others


class Cosines(Encoding):
    """W[o, c, y, x] = sum_k C[o, c, k] f_k(y, x) with the first cosines f_k over a grid, for each layer; C is trained.

    Where a linear layer reads pictures as vectors, the grid is the picture and has `places` cosines; in a convolution
    it is the kernel, with `taps` of them. A layer stays direct where its grid has no more points than that. Initially
    Var C = 1 / (3 fan_in), and the squares of all f_k at a point are 1 on average, so Var W = 1 / (3 fan_in).

    After Koutnik et al., Evolving neural networks in compressed weight space, GECCO (2010), who evolve the coefficients
    of a discrete cosine transform in place of weights.
    """

    name = "cosines"

    places: int = Field(64, ge=0, description="cosines over a picture; 0: layers that read pictures stay direct")
    taps: int = Field(0, ge=0, description="cosines over a kernel; 0: convolutions stay direct")
    factor_rate: float = Field(1.0, gt=0, description="learning rate of C, in times the trainer's")
    factor_decay: float = Field(1.0, ge=0, description="weight decay of C, in times the trainer's")

    def apply(self, network: nn.Module, arrays: Mapping[str, Array], generator: torch.Generator) -> None:
        for layer, name in list(encodable_weights(network)):
            shape = getattr(layer, name).shape
            channels, *sides = picture_of(layer) or (*shape[1:], 1, 1)[:3]
            number = self.taps if len(shape) == 4 else self.places
            if 0 < number < math.prod(sides):
                register(layer, name, CosineWeight(shape, channels, cosines(*sides, number), generator))

    def groups(self, network: nn.Module) -> list[Group]:
        factors = [tensor for stored in stored_by(network, CosineWeight) for tensor in stored]
        return with_others(network, Group(factors, self.factor_rate, self.factor_decay))


class CosineWeight(Product):
    """Makes a weight from C (n, channels, k) and cosines (points, k), which are not stored."""

    basis: Tensor

    def __init__(self, shape: torch.Size, channels: int, basis: Tensor, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        self.channels = channels
        self.generator = generator
        self.register_buffer("basis", basis.to(torch.get_default_dtype()), persistent=False)

    def forward(self, coefficients: Tensor) -> Tensor:
        return (coefficients @ self.basis.T).view(self.shape)

    def factors(self, *stored: Tensor) -> None:
        """Return None: as a layer, the cosines of a channel would be multiplied with all others as well."""

    def making(self) -> int:
        return self.shape.numel() * self.basis.shape[1]

    def right_inverse(self, weight: Tensor) -> tuple[Tensor]:
        """Return fresh coefficients, also where a given weight has some that would make it."""
        size = (self.shape[0], self.channels, self.basis.shape[1])
        return (torch.randn(size, generator=self.generator) / math.sqrt(3 * self.shape[1:].numel()),)


@hookimpl
def spikefront_encodings() -> list[type[Encoding]]:
    """Return the cosine encoding."""
    return [Cosines]
