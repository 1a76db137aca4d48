"""Genetic encoding: every neuron has a short gene vector, and one matrix turns pairs of vectors into weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront import Encoding, hookimpl
from spikefront.components.base import Ranges
from spikefront.components.encoding import Group, encodable_weights
from spikefront.errors import InputError
from spikefront.space import Array
from spikefront.space import Tensor as ArrayDomain
from spikefront_plugins.encodings._genes import (
    FACTORED,
    GeneticWeight,
    Interactions,
    centre,
    gene_vectors_of,
    interactions_of,
)


class Genetic(Encoding):
    """Weights from gene vectors Y (n, G) and X (fan-in, G) and interactions O that the whole network shares.

    Linear: W = a Y O X^T. Convolution, "unfold": the same, each tap is an input of its own, X (C_in k k, G).
    Convolution, "per-tap": W[o,i,p,q] = a Y[o] O^(p,q) X[i]^T, X (C_in, G), one matrix for each tap of the kernel;
    smaller kernels take the centre crop, linear layers the centre, larger kernels stay direct. So does every layer that
    has no more weights than its encoding has numbers. Evolution shapes O and gradients train X and Y; `origin` may
    hand O to the gradients. A candidate with fewer genes G than the evolved array has, G_max, takes the leading block
    (G_max / G) O[:G, :G]. Initially Var O = 1 / G^2 and Var X = Var Y = 1 / sqrt(3 fan_in), so Var W = 1 / (3 fan_in).

    X, Y and O are multiplied with each other before they are weights, and may want larger steps: `gene_rate`,
    `interaction_rate` and `gene_decay` give them rates of their own, where the trainer asks for them.

    In training a layer multiplies with one factor after the other, y = Y (O (X^T s)), where the shapes say that this
    takes fewer operations than making W and multiplying with it; equal but for rounding. Measured is the layer with W.

    Built from Pan et al., "Evolving Efficient Genetic Encoding for Deep Spiking Neural Networks" (arXiv 2411.06792),
    and the genetic connectome model W = X_i O X_o^T (Barabasi et al., Nat. Commun. 14:2226, 2023).
    """

    name = "genetic"

    genes: int = Field(32, ge=1, le=512, description="length G of the gene vectors")
    variant: Literal["unfold", "per-tap"] = Field("per-tap", description="how the taps of a kernel are told apart")
    origin: Literal["evolved", "trained", "both"] = Field(
        "evolved", description="where the interactions come from: evolution, gradients, or first one and then the other"
    )
    kernel: int = Field(3, ge=1, le=15, description="side of the largest kernel with interactions of its own, odd")
    gain: bool = Field(False, description="train a factor a for each layer")
    gene_rate: float = Field(1.0, gt=0, description="learning rate of X and Y, in times the trainer's")
    interaction_rate: float = Field(1.0, gt=0, description="learning rate of O where gradients train it, the same")
    gene_decay: float = Field(1.0, ge=0, description="weight decay of X, Y and O, in times the trainer's")

    @model_validator(mode="after")
    def _odd_kernel(self) -> Self:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel = {self.kernel} has to be odd, for example {self.kernel + 1}")
        return self

    @classmethod
    def evolved_arrays(cls, ranges: Ranges) -> dict[str, ArrayDomain]:
        if not ranges.may_be("origin", "evolved", "both"):
            return {}
        genes = ranges.largest("genes")
        taps = ranges.largest("kernel") ** 2 if ranges.may_be("variant", "per-tap") else 1
        return {"interactions": ArrayDomain((taps, genes, genes), scale=1 / genes)}

    def apply(self, network: nn.Module, arrays: Mapping[str, Array], generator: torch.Generator) -> None:
        layers = [(layer, name) for layer, name in encodable_weights(network) if self._saves(getattr(layer, name))]
        if not layers:
            return
        side = max(self._taps(getattr(layer, name)) for layer, name in layers) | 1
        interactions = Interactions(self._matrices(arrays, side, generator), trained=self.origin != "evolved")
        for layer, name in layers:
            weight = getattr(layer, name)
            encoded = GeneticWeight(interactions, weight.shape, self._per_tap(weight), self.gain, generator)
            layer.__class__ = FACTORED.get(type(layer), type(layer))
            parametrize.register_parametrization(layer, name, encoded)

    def groups(self, network: nn.Module) -> list[Group]:
        interactions = interactions_of(network)
        vectors, matrices = gene_vectors_of(network), list(interactions.parameters()) if interactions else []
        encoded = {id(parameter) for parameter in (*vectors, *matrices)}
        return [
            Group([parameter for parameter in network.parameters() if id(parameter) not in encoded]),
            Group(vectors, self.gene_rate, self.gene_decay),
            Group(matrices, self.interaction_rate, self.gene_decay),
        ]

    def stored_numbers(self, network: nn.Module) -> int:
        interactions = interactions_of(network)
        evolved = sum(buffer.numel() for buffer in interactions.buffers()) if interactions else 0
        return super().stored_numbers(network) + evolved

    def inherit(self, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        """Take over X and Y, and O where gradients alone make it; an O that evolved is the child's own."""
        kept = Interactions if self.origin != "trained" else ()
        own = {name for name, module in network.named_modules() if isinstance(module, kept)}
        super().inherit(network, {name: tensors[name] for name in tensors if name.rpartition(".")[0] not in own})

    def _per_tap(self, weight: Tensor) -> bool:
        return self.variant == "per-tap" and weight.dim() == 4

    def _taps(self, weight: Tensor) -> int:
        """Return the side of the kernel of interactions that a weight needs."""
        return max(weight.shape[2:]) if self._per_tap(weight) else 1

    def _saves(self, weight: Tensor) -> bool:
        """Tell whether a weight has more numbers than its encoding would have, and a kernel that fits."""
        inputs = weight.shape[1] if self._per_tap(weight) else weight[0].numel()
        encoded = self.genes * (weight.shape[0] + inputs) + self.gain
        return self._taps(weight) <= self.kernel and weight.numel() > encoded

    def _matrices(self, arrays: Mapping[str, Array], side: int, generator: torch.Generator) -> Tensor:
        """Return O (side * side, G, G)."""
        genes = self.genes
        if self.origin == "trained":
            return torch.randn(side * side, genes, genes, generator=generator) / genes
        if "interactions" not in arrays:
            raise InputError(
                f"encoding 'genetic': origin = '{self.origin}' needs the evolved array 'interactions'",
                "Run it in a search, pass the array, or set origin = 'trained'.",
            )
        largest = torch.tensor(arrays["interactions"], dtype=torch.get_default_dtype())
        block = centre(largest, side, side)[:, :genes, :genes]
        if len(block) != side * side or block.shape[1] != genes:
            raise InputError(
                f"encoding 'genetic': array 'interactions' {tuple(largest.shape)} is too small for {genes} genes "
                f"and kernels of {side}x{side}",
                "Use the array of a search over at least these values.",
            )
        return block * (largest.shape[-1] / genes)


@hookimpl
def spikefront_encodings() -> list[type[Encoding]]:
    """Return the genetic encoding."""
    return [Genetic]
