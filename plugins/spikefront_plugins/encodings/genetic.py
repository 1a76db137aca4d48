"""Genetic encoding: every neuron has a short gene vector, and one matrix turns pairs of vectors into weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from spikefront import Encoding, hookimpl
from spikefront.components.base import Ranges
from spikefront.components.encoding import Group, encodable_weights
from spikefront.errors import InputError
from spikefront.space import Array
from spikefront.space import Tensor as ArrayDomain
from spikefront_plugins.encodings._factored import with_others
from spikefront_plugins.encodings._genes import (
    Form,
    Gain,
    Initial,
    Interactions,
    Target,
    centre,
    drawn,
    encode,
    gene_vectors_of,
    interactions_of,
)


class Genetic(Encoding):
    """Weights from gene vectors Y (n, G) and X (fan-in, G) and interactions O that the whole network shares.

    Linear: W = a Y O X^T. Convolution, "unfold": the same, each tap is an input of its own, X (C_in k k, G).
    Convolution, "per-tap": W[o,i,p,q] = a Y[o] O^(p,q) X[i]^T, X (C_in, G), one matrix for each tap of the kernel;
    smaller kernels take the centre crop, linear layers the centre, larger kernels stay direct. So does every layer that
    has no more weights than its vectors have numbers, and all layers that share interactions, where these are no fewer
    numbers than the layers save. Evolution shapes O and gradients train X and Y; `origin` may hand O to the gradients.
    A candidate with fewer genes G than the evolved array has, G_max, takes the leading block (G_max / G) O[:G, :G].
    Initially Var O = 1 / G^2 and Var X = Var Y = 1 / sqrt(3 fan_in), so Var W = 1 / (3 fan_in).

    Convolution, "fields": W[o,i,p,q] = a sum_b K_b[o,p,q] Y[o] O_b X[i]^T, where each output neuron has `fields`
    receptive fields K_b[o] of its own, Var K = 1 / `fields`; other layers take the first O.

    Where a linear layer reads pictures as vectors, its X are smooth over the picture: X = F C for each channel, with
    F (pixels, `places`) the smoothest cosines and C (`places`, G) trained. Coefficients of cosines in place of weights
    are from Koutnik et al., "Evolving Neural Networks in Compressed Weight Space" (GECCO 2010).

    Options: per tap with `patterns`, O of a tap is a sum of O_p times smooth cosines over the kernel, scaled for
    Var W. With `parts`, consecutive groups of encoded layers have O of their own. With `tied`,
    X_{l+1} = (fan_in_l / fan_in_{l+1})^(1/4) Y_l where the next encoded layer of a part has as many input vectors.
    `residue` adds D[o], trained from 0, to W[o, o mod m]. `dropout` p takes Y diag(k) / (1 - p) in training, k in
    {0, 1}^G drawn for each weight and step.

    X, Y and O are multiplied with each other before they are weights, and may want larger steps: `gene_rate`,
    `interaction_rate` and `gene_decay` give them rates of their own, where the trainer asks for them.

    In training a layer multiplies with one factor after the other, y = Y (O (X^T s)), where the shapes say that this
    takes fewer operations than making W and multiplying with it; equal but for rounding. Measured is the layer with W.

    Built from Pan et al., "Evolving Efficient Genetic Encoding for Deep Spiking Neural Networks" (arXiv 2411.06792),
    and the genetic connectome model W = X_i O X_o^T (Barabasi et al., Nat. Commun. 14:2226, 2023).
    """

    name = "genetic"

    genes: int = Field(32, ge=1, le=512, description="length G of the gene vectors")
    variant: Literal["unfold", "per-tap", "fields"] = Field(
        "fields", description="how the taps of a kernel are told apart: by inputs, interactions, or receptive fields"
    )
    origin: Literal["evolved", "trained", "both"] = Field(
        "evolved", description="where the interactions come from: evolution, gradients, or first one and then the other"
    )
    kernel: int = Field(3, ge=1, le=15, description="side of the largest kernel with interactions of its own, odd")
    patterns: int = Field(
        0, ge=0, description="per-tap: so many O belong to smooth patterns over the kernel; 0: one to each tap"
    )
    fields: int = Field(4, ge=1, le=100, description="fields: receptive fields of an output neuron, each with its O")
    places: int = Field(
        100, ge=0, description="cosines over a picture that the vectors of its pixels are sums of; 0: own vectors"
    )
    parts: int = Field(1, ge=1, le=100, description="consecutive groups of layers, each with interactions of its own")
    tied: bool = Field(True, description="the output vectors of a layer are the input vectors of the next")
    gain: Gain = Field("none", description="trained factor a of a weight: none, one a layer, or one an output")
    residue: Literal["none", "diagonal"] = Field(
        "none", description="diagonal: output o has direct weights to input o mod m, which are added"
    )
    initial: Initial = Field(
        "balanced",
        description="first gene vectors, and O unless it evolves: normal, rows of one length (balanced), or orthogonal",
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="probability that a gene is left out in a step of training")
    gene_rate: float = Field(1.0, gt=0, description="learning rate of X and Y, in times the trainer's")
    interaction_rate: float = Field(
        1.0, gt=0, description="learning rate of O where gradients train it, in times the trainer's divided by G"
    )
    gene_decay: float = Field(1.0, ge=0, description="weight decay of X, Y and O, in times the trainer's")

    @model_validator(mode="after")
    def _kernel_and_patterns(self) -> Self:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel = {self.kernel} has to be odd, for example {self.kernel + 1}")
        if self.patterns > self.kernel**2:
            raise ValueError(f"patterns = {self.patterns}: a kernel of {self.kernel} has at most {self.kernel**2}")
        return self

    @classmethod
    def evolved_arrays(cls, ranges: Ranges) -> dict[str, ArrayDomain]:
        if not ranges.may_be("origin", "evolved", "both"):
            return {}
        genes, parts = ranges.largest("genes"), ranges.largest("parts")
        number = 1
        if ranges.may_be("variant", "per-tap"):
            patterns = ranges.largest("patterns")
            number = ranges.largest("kernel") ** 2 if ranges.may_be("patterns", 0) else patterns
        if ranges.may_be("variant", "fields"):
            number = max(number, ranges.largest("fields"))
        return {"interactions": ArrayDomain((parts, number, genes, genes), scale=1 / genes)}

    def apply(self, network: nn.Module, arrays: Mapping[str, Array], generator: torch.Generator) -> None:
        for part, targets in enumerate(self._parts(network)):
            if self._saved(targets) > 0:
                matrices = self._matrices(arrays, part, targets, generator)
                trained = self.origin != "evolved"
                interactions = Interactions(matrices, self._side(targets), self._smooth, trained)
                encode(targets, interactions, self._form, generator, self.tied)

    def groups(self, network: nn.Module) -> list[Group]:
        matrices = [parameter for interactions in interactions_of(network) for parameter in interactions.parameters()]
        return with_others(
            network,
            Group(gene_vectors_of(network), self.gene_rate, self.gene_decay),
            Group(matrices, self.interaction_rate / self.genes, self.gene_decay),
        )

    def stored_numbers(self, network: nn.Module) -> int:
        evolved = sum(buffer.numel() for interactions in interactions_of(network) for buffer in interactions.buffers())
        return super().stored_numbers(network) + evolved

    def inherit(self, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        """Take over X and Y, and O where gradients alone make it; an O that evolved is the child's own."""
        kept = Interactions if self.origin != "trained" else ()
        own = {name for name, module in network.named_modules() if isinstance(module, kept)}
        super().inherit(network, {name: tensors[name] for name in tensors if name.rpartition(".")[0] not in own})

    @property
    def _form(self) -> Form:
        fields = self.fields if self.variant == "fields" else 0
        residue = self.residue == "diagonal"
        return Form(self.variant != "unfold", fields, self.places, self.gain, residue, self.initial, self.dropout)

    @property
    def _smooth(self) -> bool:
        return self.variant == "per-tap" and self.patterns > 0

    def _parts(self, network: nn.Module) -> list[list[Target]]:
        """Return the weights that may be encoded, in groups that share interactions."""
        targets = [target for pair in encodable_weights(network) if self._fits(target := Target(*pair))]
        count = min(self.parts, len(targets))
        bounds = [round(number * len(targets) / count) for number in range(count + 1)] if count else [0]
        return [targets[first:last] for first, last in itertools.pairwise(bounds)]

    def _fits(self, target: Target) -> bool:
        """Tell whether a weight has more numbers than its encoding would have, and a kernel that has interactions."""
        return self._taps(target) <= self.kernel and target.shape.numel() > self._numbers(target)

    def _taps(self, target: Target) -> int:
        """Return the side of the kernel of interactions that a weight needs."""
        return max(target.shape[2:]) if self.variant == "per-tap" and len(target.shape) == 4 else 1

    def _numbers(self, target: Target) -> int:
        """Return how many numbers the encoding of a weight has without the interactions, were no vectors tied."""
        vectors = self.genes * (target.shape[0] + self._form.rows(target))
        return vectors + sum(math.prod(shape) for shape in self._form.extras(target.shape).values())

    def _side(self, targets: list[Target]) -> int:
        """Return the side of the kernel of interactions that some weights share."""
        return self.kernel if self._smooth else max(self._taps(target) for target in targets) | 1

    def _number(self, targets: list[Target]) -> int:
        """Return how many matrices the weights share that share interactions."""
        match self.variant:
            case "per-tap":
                return self.patterns or self._side(targets) ** 2
            case "fields":
                return self.fields if any(target.shape[2:].numel() > 1 for target in targets) else 1
        return 1

    def _saved(self, targets: list[Target]) -> int:
        """Return how many numbers it saves to encode weights that share interactions."""
        shared = self._number(targets) * self.genes**2
        saved = sum(target.shape.numel() - self._numbers(target) for target in targets) - shared
        if self.tied:
            pairs = itertools.pairwise(targets)
            saved += sum(self.genes * before.shape[0] for before, target in pairs if self._form.tieable(before, target))
        return saved

    def _matrices(
        self, arrays: Mapping[str, Array], part: int, targets: list[Target], generator: torch.Generator
    ) -> Tensor:
        """Return O of a group of weights, (side * side, G, G), (patterns, G, G) or (fields, G, G)."""
        genes, side, number = self.genes, self._side(targets), self._number(targets)
        if self.origin == "trained":
            return drawn(self.initial, (number, genes, genes), generator) / genes
        if "interactions" not in arrays:
            raise InputError(
                f"encoding 'genetic': origin = '{self.origin}' needs the evolved array 'interactions'",
                "Run it in a search, pass the array, or set origin = 'trained'.",
            )
        largest = torch.tensor(arrays["interactions"], dtype=torch.get_default_dtype())
        of_part = largest[part] if part < len(largest) else largest[:0, 0]
        of_taps = self.variant != "fields" and not self.patterns
        block = (centre(of_part, side, side) if of_taps else of_part[:number])[:, :genes, :genes]
        if len(block) != number or block.shape[1] != genes:
            wanted = f"kernels of {side}x{side}" if of_taps else f"{number} {self.variant} matrices"
            raise InputError(
                f"encoding 'genetic': array 'interactions' {tuple(largest.shape)} is too small for {part + 1} parts, "
                f"{genes} genes and {wanted}",
                "Use the array of a search over at least these values.",
            )
        return block * (largest.shape[-1] / genes)


@hookimpl
def spikefront_encodings() -> list[type[Encoding]]:
    """Return the genetic encoding."""
    return [Genetic]
