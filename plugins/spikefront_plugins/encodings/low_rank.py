"""Low-rank encoding: every weight is a product of two narrow matrices of its own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor, nn

from spikefront import Encoding, hookimpl
from spikefront.components.encoding import Group, encodable_weights
from spikefront.space import Array
from spikefront_plugins.encodings._factored import Pair, register, stored_by, with_others


class LowRank(Encoding):
    """W = U V^T with U (n, r) and V (fan_in, r) for each layer; layers share nothing.

    A convolution's fan-in is C_in k k: V is a convolution with its kernel, U one of 1x1. A layer stays direct where
    that is no more numbers, n fan_in <= r (n + fan_in). Initially Var U = Var V = 1 / sqrt(3 r fan_in), so
    Var W = 1 / (3 fan_in). In training a layer multiplies with V^T and then with U, where that is less work.

    Source: Sainath et al., Low-rank matrix factorization for deep neural network training with high-dimensional output
    targets, ICASSP (2013).
    """

    name = "low-rank"

    rank: int = Field(8, ge=1, le=512, description="number r of columns of U and V")
    factor_rate: float = Field(1.0, gt=0, description="learning rate of U and V, in times the trainer's")
    factor_decay: float = Field(1.0, ge=0, description="weight decay of U and V, in times the trainer's")

    def apply(self, network: nn.Module, arrays: Mapping[str, Array], generator: torch.Generator) -> None:
        for layer, name in list(encodable_weights(network)):
            shape = getattr(layer, name).shape
            if shape.numel() > self.rank * (shape[0] + shape[1:].numel()):
                register(layer, name, LowRankWeight(shape, self.rank, generator))

    def groups(self, network: nn.Module) -> list[Group]:
        factors = [tensor for stored in stored_by(network, LowRankWeight) for tensor in stored]
        return with_others(network, Group(factors, self.factor_rate, self.factor_decay))


class LowRankWeight(Pair):
    """Makes a weight from U (n, r) and V (fan_in, r)."""

    def pair(self, *stored: Tensor) -> tuple[Tensor, Tensor]:
        u, v = stored
        return u, v.T

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return fresh factors: a given weight has none that would make it."""
        u, v = (torch.randn(rows, self.rank, generator=self.generator) for rows in (self.shape[0], self.fan_in))
        return u * self.deviation, v * self.deviation


@hookimpl
def spikefront_encodings() -> list[type[Encoding]]:
    """Return the low-rank encoding."""
    return [LowRank]
