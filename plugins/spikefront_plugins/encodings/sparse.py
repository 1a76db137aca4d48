"""Sparse encoding: a fixed number of weights is kept, and stored with their places."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from spikefront import Encoding, hookimpl
from spikefront.components import Ranges
from spikefront.components.encoding import encodable_weights
from spikefront.errors import InputError
from spikefront.space import Array
from spikefront.space import Tensor as ArrayDomain
from spikefront_plugins.encodings._masks import (
    Distribution,
    MaskedWeight,
    kept_numbers,
    mask_weights,
    masked_weights,
    strongest,
)


class Sparse(Encoding):
    """W_l = M_l * V_l with a mask M_l in {0, 1}: of all weights the share `density` is kept.

    erk: d_l = min(1, eps (n_in + n_out + k_h + k_w) / (n_in n_out k_h k_w)), so that small layers keep more; eps is
    such that floor(density * total) weights are kept. The mask keeps the highest of some scores, which are drawn anew
    for each candidate or, with `origin = "evolved"`, are genes: the array `scores` has one for each weight of the
    network, in its order. Children then inherit and vary topologies, whatever their density. Each output keeps its best
    input, as long as there are enough. What is kept starts larger by 1 / sqrt(d_l), so that Var W = 1 / (3 fan_in).

    Stored are the values that are kept and their places: a whole number for each ("list"), or a bit for each weight of
    the layer, 32 of which are a number ("bitmap"). A layer that keeps everything needs no places; biases and batch
    normalisation are stored as they are. A mask stays as it is in training, unless the trainer is `rewiring`.

    A child that inherits learnt tensors takes over the mask of its parent too, cut or filled up to its own density; an
    evolved mask is its own, and it takes over the values of what both keep.

    Sources: Shen et al., ESL-SNNs, AAAI (2023), arXiv 2306.03693, for sparse training of constant density; Mocanu et
    al., Nature Communications 9 (2018), and Evci et al., Rigging the lottery, ICML (2020), for the densities. That
    masks are made of scores, and outputs protected, is our own.
    """

    name = "sparse"

    density: float = Field(0.1, gt=0, le=1, description="share d of the network's weights that is kept")
    distribution: Distribution = Field(
        "erk", description="densities of layers: Erdos-Renyi-kernel, or the same for all"
    )
    indices: Literal["list", "bitmap"] = Field("list", description="how places are stored, which `parameters` counts")
    origin: Literal["random", "evolved"] = Field("random", description="what chooses the first mask: chance, or genes")
    weights: int = Field(65536, ge=1, le=2**22, description="evolved: number of scores, at least one for each weight")

    @classmethod
    def evolved_arrays(cls, ranges: Ranges) -> dict[str, ArrayDomain]:
        evolved = ranges.may_be("origin", "evolved")
        return {"scores": ArrayDomain((ranges.largest("weights"),), scale=1.0)} if evolved else {}

    def apply(self, network: nn.Module, arrays: Mapping[str, Array], generator: torch.Generator) -> None:
        shapes = [getattr(layer, name).shape for layer, name in encodable_weights(network)]
        if not shapes:
            return
        total = sum(shape.numel() for shape in shapes)
        scores = self._evolved(arrays, total) if self.origin == "evolved" else torch.rand(total, generator=generator)
        layers = scores.split([shape.numel() for shape in shapes])
        kept = kept_numbers(shapes, self.density, self.distribution)
        given = zip(layers, shapes, kept, strict=True)
        mask_weights(network, [strongest(layer.view(shape), number, serve=True) for layer, shape, number in given])

    def stored_numbers(self, network: nn.Module) -> int:
        number = super().stored_numbers(network)
        for weight in masked_weights(network):
            size, kept = weight.values.numel(), weight.kept
            number += kept - size
            if kept < size:
                number += kept if self.indices == "list" else math.ceil(size / 32)
        return number

    def inherit(self, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        weights = masked_weights(network)
        first = [weight.values.detach().abs() * weight.mask.kept for weight in weights]
        super().inherit(network, tensors)
        names = {id(module): name for name, module in network.named_modules()}
        for weight, own in zip(weights, first, strict=True):
            learnt = tensors.get(f"{names[id(weight.mask)]}.kept")
            if learnt is None or learnt.shape != own.shape:
                continue
            kept = weight.mask.kept.clone()
            if self.origin == "random":
                kept = self._grown(weight, learnt, own)
            weight.mask.kept.copy_(learnt)
            weight.set(kept)

    def _grown(self, weight: MaskedWeight, learnt: Tensor, own: Tensor) -> Tensor:
        """Return the mask of a child: its parent's largest weights, then the largest first values of its own."""
        scores = torch.where(learnt, weight.values.detach().abs() + own.max(), own)
        return strongest(scores.masked_fill(~(learnt | weight.mask.kept), -math.inf), weight.kept, serve=True)

    def _evolved(self, arrays: Mapping[str, Array], total: int) -> Tensor:
        """Return the evolved scores of the weights, (total,)."""
        if "scores" not in arrays:
            raise InputError(
                "encoding 'sparse': origin = 'evolved' needs the evolved array 'scores'",
                "Run it in a search, pass the array, or set origin = 'random'.",
            )
        if len(arrays["scores"]) < total:
            raise InputError(
                f"encoding 'sparse': the network has {total} weights, and there are {len(arrays['scores'])} scores",
                f"Set encoding.weights to {total}, or more where networks are searched.",
            )
        return torch.from_numpy(np.array(arrays["scores"][:total]))


@hookimpl
def spikefront_encodings() -> list[type[Encoding]]:
    """Return the sparse encoding."""
    return [Sparse]
