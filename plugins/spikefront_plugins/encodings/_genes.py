"""The modules that a genetic encoding adds to a network, and how to find their tensors again."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize


class Interactions(nn.Module):
    """The interactions O (taps, G, G) of one network, shared by its encoded weights.

    Args:
        matrices: O, the taps of a square kernel row by row.
        trained: Whether gradients train them.
    """

    matrices: Tensor

    def __init__(self, matrices: Tensor, trained: bool) -> None:
        super().__init__()
        if trained:
            self.matrices = nn.Parameter(matrices)
        else:
            self.register_buffer("matrices", matrices)


class GeneticWeight(nn.Module):
    """Generates a weight from gene vectors: the parametrization of one weight.

    Args:
        interactions: O, shared with the other layers.
        shape: Shape of the weight, (n, m) or (n, m, height, width).
        per_tap: Whether each tap of the kernel has interactions of its own.
        gain: Whether a trained factor goes with the weight.
        generator: Source of the first gene vectors.
    """

    def __init__(
        self,
        interactions: Interactions,
        shape: torch.Size,
        per_tap: bool,
        gain: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.interactions = interactions
        self.shape = shape
        self.kernel = shape[2:] if per_tap else torch.Size((1, 1))
        self.gain = gain
        self.generator = generator

    def forward(self, y: Tensor, x: Tensor, gain: Tensor | None = None) -> Tensor:
        """Return W from Y (n, G), X (m, G) and the gain, as two matrix products that leave W contiguous."""
        matrices = centre(self.interactions.matrices, *self.kernel)
        mixed = (matrices @ x.T).permute(1, 2, 0).flatten(1)  # (G, m * taps)
        weight = (y @ mixed).view(self.shape)
        return weight if gain is None else gain * weight

    def factors(self, y: Tensor, x: Tensor, gain: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return X, O and Y as the weights of three layers, first to last, that do together what the layer does.

        Those of a convolution are convolutions. O has the kernel where each tap has interactions of its own, else X.
        """
        matrices = centre(self.interactions.matrices, *self.kernel)
        y = y if gain is None else gain * y
        sides = self.shape[2:]
        if not sides:
            return x.T, matrices[0], y
        if self.kernel == sides:
            return x.T[..., None, None], matrices.permute(1, 2, 0).unflatten(2, sides), y[..., None, None]
        return x.T.unflatten(1, self.shape[1:]), matrices[0, ..., None, None], y[..., None, None]

    def factors_pay(self, inputs: int, outputs: int) -> bool:
        """Tell whether the products with X, O and Y take fewer operations than making W and the product with it.

        Args:
            inputs: Positions at which the layer has inputs: steps * samples * pixels.
            outputs: Positions at which it has outputs.
        """
        genes, taps, numbers = self.interactions.matrices.shape[-1], math.prod(self.kernel), self.shape.numel()
        rows = numbers // self.shape[0] // taps
        before = inputs if self.kernel == self.shape[2:] else outputs
        factored = before * rows * genes + outputs * (taps * genes**2 + self.shape[0] * genes)
        return factored < outputs * numbers + taps * genes**2 * rows + numbers * genes

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, ...]:
        """Return fresh gene vectors: a given weight has none that would make it."""
        fan_in = weight[0].numel()
        rows = fan_in // math.prod(self.kernel)
        genes, deviation = self.interactions.matrices.shape[-1], (3 * fan_in) ** -0.25
        y = torch.randn(self.shape[0], genes, generator=self.generator) * deviation
        x = torch.randn(rows, genes, generator=self.generator) * deviation
        return (y, x, torch.ones(())) if self.gain else (y, x)


class GeneticLinear(nn.Linear):
    """A linear layer that trains with y = Y (O (X^T s)), where that is less work than y = W s. Measuring sees W."""

    repeatable = True

    def forward(self, s: Tensor) -> Tensor:
        rows = s.numel() // s.shape[-1]
        factors = _factors(self, rows, rows)
        if factors is None:
            return super().forward(s)
        x, o, y = factors
        return functional.linear(functional.linear(functional.linear(s, x), o), y, self.bias)


class GeneticConv2d(nn.Conv2d):
    """A convolution that trains with y = Y (O (X^T s)), where that is less work than y = W s. Measuring sees W."""

    repeatable = True

    def forward(self, s: Tensor) -> Tensor:
        pixels = s.numel() // s.shape[1]
        factors = _factors(self, pixels, pixels // math.prod(self.stride)) if self.groups == 1 else None
        if factors is None:
            return super().forward(s)
        x, o, y = factors
        if o.shape[2:] == self.kernel_size:
            s = self._conv_forward(functional.conv2d(s, x), o, None)
        else:
            s = functional.conv2d(self._conv_forward(s, x, None), o)
        return functional.conv2d(s, y, self.bias)


FACTORED: dict[type[nn.Module], type[nn.Module]] = {nn.Linear: GeneticLinear, nn.Conv2d: GeneticConv2d}
"""What a layer becomes when its weight is generated."""


def _factors(layer: nn.Module, inputs: int, outputs: int) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return X, O and Y of a layer in training, if its weight is theirs alone and they take fewer operations."""
    if not layer.training or not parametrize.is_parametrized(layer, "weight"):
        return None
    tensors = cast("nn.ModuleDict", layer.parametrizations)["weight"]
    generated, *further = cast("parametrize.ParametrizationList", tensors)
    if further or not isinstance(generated, GeneticWeight) or not generated.factors_pay(inputs, outputs):
        return None
    return generated.factors(*(getattr(tensors, f"original{number}") for number in range(2 + generated.gain)))


def centre(matrices: Tensor, height: int, width: int) -> Tensor:
    """Return the taps in the middle of a square kernel: (side * side, G, G) to (height * width, G, G)."""
    side = math.isqrt(len(matrices))
    top, left = (side - height) // 2, (side - width) // 2
    kernel = matrices.view(side, side, *matrices.shape[1:])
    return kernel[top : top + height, left : left + width].flatten(0, 1)


def interactions_of(network: nn.Module) -> Interactions | None:
    """Return the interactions that a network's weights are generated with, or None where none are."""
    return next((module for module in network.modules() if isinstance(module, Interactions)), None)


def gene_vectors_of(network: nn.Module) -> list[nn.Parameter]:
    """Return all gene vectors of a network, for each encoded weight Y (n, G) and X (m, G)."""
    lists = [module for module in network.modules() if isinstance(module, parametrize.ParametrizationList)]
    genetic = [tensors for tensors in lists if isinstance(tensors[0], GeneticWeight)]
    return [getattr(tensors, name) for tensors in genetic for name in ("original0", "original1")]
