"""The modules that a genetic encoding adds to a network, and how to find their tensors again."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
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
        self.kernel = tuple(shape[2:]) if per_tap else (1, 1)
        self.gain = gain
        self.generator = generator

    def forward(self, y: Tensor, x: Tensor, gain: Tensor | None = None) -> Tensor:
        """Return W from Y (n, G), X (m, G) and the gain, as two matrix products that leave W contiguous."""
        matrices = centre(self.interactions.matrices, *self.kernel)
        mixed = (matrices @ x.T).permute(1, 2, 0).flatten(1)  # (G, m * taps)
        weight = (y @ mixed).view(self.shape)
        return weight if gain is None else gain * weight

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, ...]:
        """Return fresh gene vectors: a given weight has none that would make it."""
        fan_in = weight[0].numel()
        rows = fan_in // math.prod(self.kernel)
        genes, deviation = self.interactions.matrices.shape[-1], (3 * fan_in) ** -0.25
        y = torch.randn(self.shape[0], genes, generator=self.generator) * deviation
        x = torch.randn(rows, genes, generator=self.generator) * deviation
        return (y, x, torch.ones(())) if self.gain else (y, x)


def centre(matrices: Tensor, height: int, width: int) -> Tensor:
    """Return the taps in the middle of a square kernel: (side * side, G, G) to (height * width, G, G)."""
    side = math.isqrt(len(matrices))
    top, left = (side - height) // 2, (side - width) // 2
    kernel = matrices.view(side, side, *matrices.shape[1:])
    return kernel[top : top + height, left : left + width].flatten(0, 1)


def interactions_of(network: nn.Module) -> Interactions | None:
    """Return the interactions that a network's weights are generated with, or None where none are."""
    return next((module for module in network.modules() if isinstance(module, Interactions)), None)


def gene_vectors_of(network: nn.Module) -> list[Tensor]:
    """Return all gene vectors of a network, for each encoded weight Y (n, G) and X (m, G)."""
    lists = [module for module in network.modules() if isinstance(module, parametrize.ParametrizationList)]
    genetic = [tensors for tensors in lists if isinstance(tensors[0], GeneticWeight)]
    return [getattr(tensors, name) for tensors in genetic for name in ("original0", "original1")]
