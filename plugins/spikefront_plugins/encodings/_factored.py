"""Layers whose weight is a product of smaller tensors, and that train on these where it is less work."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from spikefront.components.encoding import Group


class Product(nn.Module):
    """A parametrization that makes a weight as a product of stored tensors.

    Attributes:
        shape: Shape of the weight, (n, m) or (n, m, height, width).
    """

    shape: torch.Size

    @abstractmethod
    def factors(self, *stored: Tensor) -> Sequence[Tensor] | None:
        """Return the weights of layers that do together what the layer does, first to last; None if there are none.

        Those of a convolution are convolutions: one with the layer's kernel, the others with kernels of 1x1.
        """

    @abstractmethod
    def making(self) -> int:
        """Return how many multiplications make the weight."""


class Pair(Product):
    """Makes a weight as a matrix left (n, r) times a matrix right (r, fan_in).

    Args:
        shape: Shape of the weight.
        rank: r.
        generator: Source of the first values.

    Attributes:
        deviation: Standard deviation of both matrices' entries with which that of the weight is sqrt(1 / (3 fan_in)).
    """

    def __init__(self, shape: torch.Size, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        self.rank = rank
        self.generator = generator
        self.fan_in = shape[1:].numel()
        self.deviation = (3 * rank * self.fan_in) ** -0.25

    @abstractmethod
    def pair(self, *stored: Tensor) -> tuple[Tensor, Tensor]:
        """Return left and right."""

    def forward(self, *stored: Tensor) -> Tensor:
        left, right = self.pair(*stored)
        return (left @ right).view(self.shape)

    def factors(self, *stored: Tensor) -> Sequence[Tensor]:
        left, right = self.pair(*stored)
        return right.unflatten(1, self.shape[1:]), left.view(*left.shape, *[1] * len(self.shape[2:]))

    def making(self) -> int:
        return self.shape.numel() * self.rank


class FactoredLinear(nn.Linear):
    """A linear layer that trains on the factors of its weight, where that is less work. Measuring sees the weight."""

    repeatable = True

    def forward(self, s: Tensor) -> Tensor:
        rows = s.numel() // s.shape[-1]
        *first, last = _factors(self, rows, rows) or (self.weight,)
        for factor in first:
            s = functional.linear(s, factor)
        return functional.linear(s, last, self.bias)


class FactoredConv2d(nn.Conv2d):
    """A convolution that trains on the factors of its weight, where that is less work. Measuring sees the weight."""

    repeatable = True

    def forward(self, s: Tensor) -> Tensor:
        pixels = s.numel() // s.shape[1]
        factors = _factors(self, pixels, pixels // math.prod(self.stride)) if self.groups == 1 else None
        if factors is None:
            return super().forward(s)
        wide, last = _with_kernel(factors), len(factors) - 1
        for number, factor in enumerate(factors):
            bias = self.bias if number == last else None
            s = self._conv_forward(s, factor, bias) if number == wide else functional.conv2d(s, factor, bias)
        return s


def register(layer: nn.Module, name: str, product: Product) -> parametrize.ParametrizationList:
    """Let a product make a weight of a layer, and return where its stored tensors are: `original0`, `original1`, ..."""
    layer.__class__ = {nn.Linear: FactoredLinear, nn.Conv2d: FactoredConv2d}.get(type(layer), type(layer))
    parametrize.register_parametrization(layer, name, product)
    return cast("parametrize.ParametrizationList", cast("nn.ModuleDict", layer.parametrizations)[name])


def stored_tensors(tensors: parametrize.ParametrizationList) -> list[nn.Parameter]:
    """Return the tensors that a weight is made of."""
    return [getattr(tensors, f"original{number}") for number in range(tensors.ntensors)]


def stored_by(network: nn.Module, kind: type[Product]) -> list[list[nn.Parameter]]:
    """Return the tensors that each weight is made of that a kind of product makes, in the order of the network."""
    lists = [module for module in network.modules() if isinstance(module, parametrize.ParametrizationList)]
    return [stored_tensors(tensors) for tensors in lists if isinstance(tensors[0], kind)]


def with_others(network: nn.Module, *groups: Group) -> list[Group]:
    """Return groups of a network's parameters, after one of all others."""
    grouped = {id(parameter) for group in groups for parameter in group.parameters}
    return [Group([parameter for parameter in network.parameters() if id(parameter) not in grouped]), *groups]


def _factors(layer: nn.Module, inputs: int, outputs: int) -> Sequence[Tensor] | None:
    """Return the factors of a layer in training, if its weight is theirs alone and they take fewer operations.

    Args:
        layer: Any layer.
        inputs: Positions at which the layer has inputs: steps * samples * pixels.
        outputs: Positions at which it has outputs.
    """
    if not layer.training or not parametrize.is_parametrized(layer, "weight"):
        return None
    tensors = cast("nn.ModuleDict", layer.parametrizations)["weight"]
    product, *further = cast("parametrize.ParametrizationList", tensors)
    if further or not isinstance(product, Product):
        return None
    factors = product.factors(*stored_tensors(cast("parametrize.ParametrizationList", tensors)))
    if factors is None:
        return None
    wide = _with_kernel(factors)
    factored = sum(f.numel() * (inputs if number < wide else outputs) for number, f in enumerate(factors))
    return factors if factored < outputs * product.shape.numel() + product.making() else None


def _with_kernel(factors: Sequence[Tensor]) -> int:
    """Return the number of the factor that has the layer's kernel and stride: the first of the largest."""
    return max(range(len(factors)), key=lambda number: math.prod(factors[number].shape[2:]))
