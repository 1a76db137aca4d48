"""The modules that a genetic encoding adds to a network, and how to find their tensors again."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront.spiking.layers import Noise
from spikefront_plugins.encodings._factored import Product, register, stored_by, stored_tensors

Gain = Literal["none", "layer", "neuron"]
Initial = Literal["normal", "balanced", "orthogonal"]


@dataclass(frozen=True)
class Form:
    """How weights are made of gene vectors and interactions.

    Attributes:
        per_tap: Whether the taps of a kernel differ by interactions or fields; else each has inputs of its own.
        fields: Number of receptive fields of an output, each with interactions of its own; 0: each tap has its own.
        gain: What trained factors the weight has: none, one, or one for each output.
        residue: Whether output o has direct weights to input o mod m.
        initial: How the first gene vectors are drawn.
        dropout: Probability that a gene is left out in a step of training.
    """

    per_tap: bool = True
    fields: int = 0
    gain: Gain = "none"
    residue: bool = False
    initial: Initial = "normal"
    dropout: float = 0.0

    def rows(self, shape: torch.Size) -> int:
        """Return the number of input vectors of a weight."""
        return shape[1] if self.per_tap else shape[1:].numel()

    def tieable(self, before: torch.Size, shape: torch.Size) -> bool:
        """Tell whether the outputs of the weight before may be the inputs of a weight, going by their numbers."""
        return before[0] == self.rows(shape)

    def extras(self, shape: torch.Size) -> dict[str, tuple[int, ...]]:
        """Return the shapes of what is trained beside the vectors of a weight."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self.fields and shape[2:].numel() > 1:
            shapes["fields"] = (shape[0], self.fields, *shape[2:])
        if self.residue:
            shapes["residue"] = (shape[0], *shape[2:])
        if self.gain != "none":
            shapes["gain"] = (shape[0], 1) if self.gain == "neuron" else ()
        return shapes


class Interactions(nn.Module):
    """The interactions O that encoded weights share: for each tap of a square kernel, or for each pattern over it.

    Those of a tap are the sum of the patterns' O_p times their values at the tap, `cosines`.

    Args:
        matrices: (taps, G, G), the kernel row by row, or (patterns, G, G).
        side: Side of the kernel.
        smooth: Whether they belong to patterns over the kernel.
        trained: Whether gradients train them.
    """

    matrices: Tensor

    def __init__(self, matrices: Tensor, side: int, smooth: bool, trained: bool) -> None:
        super().__init__()
        self.side = side
        self.smooth = smooth
        if trained:
            self.matrices = nn.Parameter(matrices)
        else:
            self.register_buffer("matrices", matrices)

    def of_taps(self, height: int, width: int) -> Tensor:
        """Return the interactions of the taps in the middle of the kernel, (height * width, G, G)."""
        if not self.smooth:
            return centre(self.matrices, height, width)
        patterns = cosines(self.side, len(self.matrices), height, width)
        taps: Tensor = torch.tensordot(patterns.to(self.matrices), self.matrices, dims=1)
        return taps


class GeneticWeight(Product):
    """Generates a weight from gene vectors: the parametrization of one weight.

    Args:
        interactions: O, shared with the other layers.
        shape: Shape of the weight, (n, m) or (n, m, height, width).
        form: How the weight is made.
        generator: Source of the first gene vectors.
    """

    def __init__(self, interactions: Interactions, shape: torch.Size, form: Form, generator: torch.Generator) -> None:
        super().__init__()
        self.interactions = interactions
        self.shape = shape
        self.form = form
        self.kernel = shape[2:] if form.per_tap and len(shape) == 4 else torch.Size((1, 1))
        self.fan_in = shape[1:].numel()
        self.extras = form.extras(shape)
        self.generator = generator
        self.noise = Noise()
        self.scale = 1.0

    def forward(self, y: Tensor, x: Tensor, *extras: Tensor) -> Tensor:
        """Return W from Y (n, G), X (m, G) and what else is trained, as products that leave W contiguous."""
        trained = dict(zip(self.extras, extras, strict=True))
        y, x = self._expressed(y, x, trained)
        if "fields" in trained:
            channels = (y @ self.interactions.matrices @ x.T).permute(1, 2, 0)  # (n, m, fields)
            weight = (channels @ trained["fields"].flatten(2)).view(self.shape)
        else:
            mixed = (self._matrices() @ x.T).permute(1, 2, 0).flatten(1)  # (G, m * taps)
            weight = (y @ mixed).view(self.shape)
        if "residue" not in trained:
            return weight
        outputs = torch.arange(self.shape[0])
        places = (outputs, outputs % self.shape[1])
        return weight.index_put(places, trained["residue"].to(weight), accumulate=True)

    def factors(self, *stored: Tensor) -> Sequence[Tensor] | None:
        """Return X, O and Y as layers; O has the kernel where each tap has interactions of its own, else X."""
        trained = dict(zip(self.extras, stored[2:], strict=True))
        if not trained.keys().isdisjoint({"fields", "residue"}):
            return None
        y, x = self._expressed(stored[0], stored[1], trained)
        matrices = self._matrices()
        sides = self.shape[2:]
        if not sides:
            return x.T, matrices[0], y
        if self.kernel == sides:
            return x.T[..., None, None], matrices.permute(1, 2, 0).unflatten(2, sides), y[..., None, None]
        return x.T.unflatten(1, self.shape[1:]), matrices[0, ..., None, None], y[..., None, None]

    def making(self) -> int:
        genes, taps, numbers = self.interactions.matrices.shape[-1], math.prod(self.kernel), self.shape.numel()
        return taps * genes**2 * (numbers // self.shape[0] // taps) + numbers * genes

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, ...]:
        """Return fresh gene vectors: a given weight has none that would make it."""
        genes, deviation = self.interactions.matrices.shape[-1], (3 * self.fan_in) ** -0.25
        sizes = (self.shape[0], self.form.rows(self.shape))
        vectors = (drawn(self.form.initial, (rows, genes), self.generator) * deviation for rows in sizes)
        return (*vectors, *(self._start(name, shape) for name, shape in self.extras.items()))

    def _start(self, extra: str, shape: tuple[int, ...]) -> Tensor:
        if extra == "fields":
            return torch.randn(shape, generator=self.generator) / math.sqrt(self.form.fields)
        return torch.zeros(shape) if extra == "residue" else torch.ones(shape)

    def _matrices(self) -> Tensor:
        """Return the interactions of all taps, (taps, G, G)."""
        return self.interactions.matrices[:1] if self.form.fields else self.interactions.of_taps(*self.kernel)

    def _expressed(self, y: Tensor, x: Tensor, trained: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return Y with gain and without the genes that are left out, and X in its scale."""
        if "gain" in trained:
            y = trained["gain"] * y
        if self.training and self.form.dropout > 0:
            y = y * self._kept(y.shape[1]).to(y) / (1 - self.form.dropout)
        return y, x if self.scale == 1 else self.scale * x

    def _kept(self, genes: int) -> Tensor:
        """Return which genes are not left out; the same within `parametrize.cached()`, as the weight would be."""
        kept = parametrize._cache.get((id(self), "kept"))
        if kept is None:
            kept = torch.rand(genes, generator=self.noise.generator) >= self.form.dropout
            if parametrize._cache_enabled:  # torch has no public way to ask
                parametrize._cache[id(self), "kept"] = kept
        return kept


def encode(
    layers: Sequence[tuple[nn.Module, str]],
    interactions: Interactions,
    form: Form,
    generator: torch.Generator,
    tied: bool,
) -> None:
    """Let interactions make the weights of layers.

    Args:
        layers: Modules and the names of their weights, in the order of the network.
        interactions: O.
        form: How the weights are made.
        generator: Source of the first gene vectors.
        tied: Whether a weight's input vectors are the output vectors of the weight before it, where the numbers agree.
    """
    before: tuple[GeneticWeight, nn.Parameter] | None = None
    for layer, name in layers:
        weight = GeneticWeight(interactions, getattr(layer, name).shape, form, generator)
        tensors = register(layer, name, weight)
        if tied and before and form.tieable(before[0].shape, weight.shape):
            tensors.original1 = before[1]
            weight.scale = (before[0].fan_in / weight.fan_in) ** 0.25
        before = weight, stored_tensors(tensors)[0]


def drawn(initial: Initial, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return numbers of variance 1, (..., rows, genes).

    Normal; balanced: all rows have the same length; orthogonal: columns are orthogonal, or rows where these are fewer.
    """
    numbers = torch.randn(shape, generator=generator)
    match initial:
        case "balanced":
            numbers *= math.sqrt(shape[-1]) / numbers.norm(dim=-1, keepdim=True)
        case "orthogonal":
            for matrix in numbers.view(-1, *shape[-2:]):
                nn.init.orthogonal_(matrix, math.sqrt(max(shape[-2:])), generator=generator)
    return numbers


def centre(taps: Tensor, height: int, width: int) -> Tensor:
    """Return the taps in the middle of a square kernel: (side * side, ...) to (height * width, ...)."""
    side = math.isqrt(len(taps))
    top, left = (side - height) // 2, (side - width) // 2
    middle: Tensor = taps.unflatten(0, (side, side))[top : top + height, left : left + width].flatten(0, 1)
    return middle


@functools.lru_cache
def cosines(side: int, number: int, height: int, width: int) -> Tensor:
    """Return the smoothest two-dimensional cosines over a square kernel at the taps in its middle, as columns.

    They are orthogonal over the kernel, and scaled for the taps: the squares of a row (height * width, number) add up
    to 1 on average, so that sums of the columns with random factors of variance v have variance v.
    """
    places = torch.arange(side, dtype=torch.float64) + 0.5
    line = torch.stack([torch.cos(math.pi * places * wave / side) for wave in range(side)])
    line /= line.norm(dim=1, keepdim=True)
    waves = sorted(itertools.product(range(side), repeat=2), key=lambda wave: (wave[0] ** 2 + wave[1] ** 2, wave))
    columns = torch.stack([torch.outer(line[p], line[q]).flatten() for p, q in waves[:number]], dim=1)
    middle = centre(columns, height, width)
    return middle * float(math.sqrt(height * width) / middle.norm())


def interactions_of(network: nn.Module) -> list[Interactions]:
    """Return the interactions that a network's weights are generated with."""
    return [module for module in network.modules() if isinstance(module, Interactions)]


def gene_vectors_of(network: nn.Module) -> list[nn.Parameter]:
    """Return all gene vectors of a network, for each encoded weight Y (n, G) and X (m, G); shared ones once."""
    vectors = [tensor for stored in stored_by(network, GeneticWeight) for tensor in stored[:2]]
    return list({id(vector): vector for vector in vectors}.values())
