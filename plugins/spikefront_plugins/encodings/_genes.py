"""The modules that a genetic encoding adds to a network, and how to find their tensors again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront.components.encoding import picture_of
from spikefront.spiking.layers import Noise
from spikefront_plugins.encodings._cosines import cosines
from spikefront_plugins.encodings._factored import Product, register, stored_by, stored_tensors

Gain = Literal["none", "layer", "neuron"]
Initial = Literal["normal", "balanced", "orthogonal"]


@dataclass(frozen=True)
class Target:
    """A weight that may be encoded.

    Attributes:
        layer: Its module.
        name: Its name there.
    """

    layer: nn.Module
    name: str

    @property
    def shape(self) -> torch.Size:
        """Shape of the weight, (n, m) or (n, m, height, width)."""
        return cast("Tensor", getattr(self.layer, self.name)).shape


@dataclass(frozen=True)
class Form:
    """How weights are made of gene vectors and interactions.

    Attributes:
        per_tap: Whether the taps of a kernel differ by interactions or fields; else each has inputs of its own.
        fields: Number of receptive fields of an output, each with interactions of its own; 0: each tap has its own.
        places: Number of cosines that vectors of pixels are sums of; 0: vectors of their own.
        gain: What trained factors the weight has: none, one, or one for each output.
        residue: Whether output o has direct weights to input o mod m.
        initial: How the first gene vectors are drawn.
        dropout: Probability that a gene is left out in a step of training.
    """

    per_tap: bool = True
    fields: int = 0
    places: int = 0
    gain: Gain = "none"
    residue: bool = False
    initial: Initial = "normal"
    dropout: float = 0.0

    def rows(self, target: Target) -> int:
        """Return the number of stored input vectors of a weight."""
        if picture := self.picture(target):
            return picture[0] * self.places
        return target.shape[1] if self.per_tap else target.shape[1:].numel()

    def picture(self, target: Target) -> tuple[int, int, int] | None:
        """Return (channels, height, width) of what a layer reads, if its input vectors are sums of cosines over it."""
        picture = picture_of(target.layer)
        return picture if picture and 0 < self.places < picture[1] * picture[2] else None

    def tieable(self, before: Target, target: Target) -> bool:
        """Tell whether the outputs of the weight before may be the inputs of a weight, going by their numbers."""
        return before.shape[0] == self.rows(target) and not self.picture(target)

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
        patterns = centre(cosines(self.side, self.side, len(self.matrices)), height, width)
        patterns = patterns * (math.sqrt(height * width) / patterns.norm())
        taps: Tensor = torch.tensordot(patterns.to(self.matrices), self.matrices, dims=1)
        return taps


class GeneticWeight(Product):
    """Generates a weight from gene vectors: the parametrization of one weight.

    Args:
        interactions: O, shared with the other layers.
        target: The weight.
        form: How the weight is made.
        generator: Source of the first gene vectors.
    """

    def __init__(self, interactions: Interactions, target: Target, form: Form, generator: torch.Generator) -> None:
        super().__init__()
        self.interactions = interactions
        self.shape = shape = target.shape
        self.form = form
        self.rows = form.rows(target)
        self.picture = form.picture(target)
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
        sizes = (self.shape[0], self.rows)
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
        """Return Y with gain and without the genes that are left out, and X in its scale, of pixels as well."""
        if "gain" in trained:
            y = trained["gain"] * y
        if self.training and self.form.dropout > 0:
            y = y * self._kept(y.shape[1]).to(y) / (1 - self.form.dropout)
        if self.picture:
            channels, *sides = self.picture
            x = (cosines(*sides, self.form.places).to(x) @ x.unflatten(0, (channels, -1))).flatten(0, 1)
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
    targets: Sequence[Target],
    interactions: Interactions,
    form: Form,
    generator: torch.Generator,
    tied: bool,
) -> None:
    """Let interactions make the weights of layers.

    Args:
        targets: Weights, in the order of the network.
        interactions: O.
        form: How the weights are made.
        generator: Source of the first gene vectors.
        tied: Whether a weight's input vectors are the output vectors of the weight before it, where the numbers agree.
    """
    before: tuple[Target, GeneticWeight, nn.Parameter] | None = None
    for target in targets:
        weight = GeneticWeight(interactions, target, form, generator)
        tensors = register(target.layer, target.name, weight)
        if tied and before and form.tieable(before[0], target):
            tensors.original1 = before[2]
            weight.scale = (before[1].fan_in / weight.fan_in) ** 0.25
        before = target, weight, stored_tensors(tensors)[0]


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


def interactions_of(network: nn.Module) -> list[Interactions]:
    """Return the interactions that a network's weights are generated with."""
    return [module for module in network.modules() if isinstance(module, Interactions)]


def gene_vectors_of(network: nn.Module) -> list[nn.Parameter]:
    """Return all gene vectors of a network, for each encoded weight Y (n, G) and X (m, G); shared ones once."""
    vectors = [tensor for stored in stored_by(network, GeneticWeight) for tensor in stored[:2]]
    return list({id(vector): vector for vector in vectors}.values())
