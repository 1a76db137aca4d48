"""Weights of which a fixed number is kept: how many in each layer, which ones, and the module that masks them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront.components.encoding import encodable_weights

Distribution = Literal["erk", "uniform"]

_ROUNDING = 1e-9
"""What floor(density * total) may lose to binary fractions."""


class Mask(nn.Module):
    """Keeps a weight's entries where `kept` is true: W = kept * original. The other entries of original are never used.

    Args:
        kept: Boolean, in the weight's shape.

    Attributes:
        listening: Whether the gradient of W is wanted.
        gradient: That of W with respect to all its entries, summed since it was last set to None.
    """

    kept: Tensor

    def __init__(self, kept: Tensor) -> None:
        super().__init__()
        self.register_buffer("kept", kept)
        self.listening = False
        self.gradient: Tensor | None = None

    def forward(self, original: Tensor) -> Tensor:
        weight = original * self.kept
        if self.listening and weight.requires_grad:
            weight.register_hook(self._listen)
        return weight

    def _listen(self, gradient: Tensor) -> None:
        self.gradient = gradient if self.gradient is None else self.gradient + gradient


class MaskedWeight:
    """A weight of a network that has a mask.

    Args:
        tensors: What torch keeps for a parametrised weight.

    Attributes:
        mask: Its mask.
        values: The trained values, of the shape of the weight.
    """

    def __init__(self, tensors: parametrize.ParametrizationList) -> None:
        self.mask = cast("Mask", tensors[0])
        self.values = cast("nn.Parameter", tensors.original)

    @property
    def kept(self) -> int:
        """How many entries are kept."""
        return int(self.mask.kept.sum())

    @torch.no_grad()
    def set(self, kept: Tensor) -> None:
        """Keep other entries; those that were not kept before start at zero."""
        self.values.mul_(kept & self.mask.kept)
        self.mask.kept.copy_(kept)


def masked_weights(network: nn.Module) -> list[MaskedWeight]:
    """Return the weights of a network that have a mask, in its order."""
    lists = [module for module in network.modules() if isinstance(module, parametrize.ParametrizationList)]
    return [MaskedWeight(tensors) for tensors in lists if isinstance(tensors[0], Mask)]


def mask_weights(network: nn.Module, masks: Sequence[Tensor]) -> None:
    """Give each encodable weight of a network its mask; what is kept grows, so that the weight's variance stays."""
    for (layer, name), kept in zip(list(encodable_weights(network)), masks, strict=True):
        parametrize.register_parametrization(layer, name, Mask(kept))
    with torch.no_grad():
        for weight in masked_weights(network):
            weight.values.mul_(math.sqrt(weight.values.numel() / weight.kept))


def kept_numbers(shapes: Sequence[torch.Size], density: float, distribution: Distribution) -> list[int]:
    """Return how many weights each layer keeps: floor(density * total) together.

    Shares are rounded by largest remainder. A layer keeps one weight at least, which may be more in all where d times
    its size is below one.

    Args:
        shapes: Shapes of the weights.
        density: Share of all weights that is kept.
        distribution: See `densities`.
    """
    sizes = [shape.numel() for shape in shapes]
    shares = [size * share for size, share in zip(sizes, densities(shapes, density, distribution), strict=True)]
    kept = [max(1, math.floor(share + _ROUNDING)) for share in shares]
    missing = math.floor(density * sum(sizes) + _ROUNDING) - sum(kept)
    by_remainder = sorted(range(len(sizes)), key=lambda layer: kept[layer] - shares[layer])
    for layer in by_remainder[: max(0, missing)]:
        kept[layer] += 1
    return kept


def densities(shapes: Sequence[torch.Size], density: float, distribution: Distribution) -> list[float]:
    """Return the share of its weights that each layer keeps.

    uniform: d_l = d. erk: d_l = min(1, eps * sum(shape_l) / prod(shape_l)), with eps such that d of all weights are
    kept: layers that would exceed 1 are fixed there, and eps is solved for the others again. sum(shape) is n_out + n_in
    of a linear layer, n_out + n_in + k_h + k_w of a convolution.
    """
    if distribution == "uniform":
        return [density] * len(shapes)
    total = sum(shape.numel() for shape in shapes)
    full: set[int] = set()
    while len(full) < len(shapes):
        left = [layer for layer in range(len(shapes)) if layer not in full]
        wanted = density * total - sum(shapes[layer].numel() for layer in full)
        eps = wanted / sum(sum(shapes[layer]) for layer in left)
        found = {layer: eps * sum(shapes[layer]) / shapes[layer].numel() for layer in left}
        over = {layer for layer, share in found.items() if share >= 1}
        if not over:
            return [found.get(layer, 1.0) for layer in range(len(shapes))]
        full |= over
    return [1.0] * len(shapes)


def strongest(scores: Tensor, number: int, serve: bool = False) -> Tensor:
    """Return a mask of the highest scores, in their shape; the first of equal ones.

    Args:
        scores: (n, ...), with -inf where nothing may be chosen.
        number: How many to choose.
        serve: Whether the best of each output, scores[o], goes before all others, so that no output is left without
            inputs while there is one for each: behind one that is, batch normalisation divides by nothing.
    """
    flat = scores.flatten()
    order = flat.argsort(descending=True, stable=True)
    if serve:
        rows = scores.flatten(1)
        best = torch.zeros_like(rows, dtype=torch.uint8)
        best.scatter_(1, rows.argmax(1, keepdim=True), (rows.amax(1, keepdim=True) > -math.inf).to(torch.uint8))
        order = order[best.flatten()[order].argsort(descending=True, stable=True)]
    chosen = torch.zeros_like(flat, dtype=torch.bool)
    chosen[order[:number]] = True
    return chosen.view(scores.shape)
