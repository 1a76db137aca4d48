"""Random-basis encoding: every output is a trained mixture of random weights that are never stored."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor, nn

from spikefront import Encoding, hookimpl
from spikefront.components.encoding import Group, encodable_weights
from spikefront.space import Array
from spikefront_plugins.encodings._factored import Pair, register, stored_by, with_others


class RandomBasis(Encoding):
    """W = Y R with Y (n, G) trained and R (G, fan_in) random, for each layer; layers share nothing.

    R is drawn from a seed that is kept with the weights, and made again from it: stored numbers are those of Y. A
    convolution's fan-in is C_in k k: R is a convolution with its kernel, Y one of 1x1. A layer stays direct where that
    is no more numbers, fan_in <= G. Initially Var Y = Var R = 1 / sqrt(3 G fan_in), so Var W = 1 / (3 fan_in). In
    training a layer multiplies with R and then with Y, where that is less work.

    It is the genetic encoding with one side fixed and no interactions. Sources: Denil et al., Predicting parameters in
    deep learning, NIPS (2013), who fix one of two factors; Koohpayegani et al., NOLA: compressing LoRA using linear
    combination of random basis, ICLR (2024), who make random matrices from a seed.
    """

    name = "random-basis"

    genes: int = Field(32, ge=1, le=512, description="number G of random weights that an output mixes")
    gene_rate: float = Field(1.0, gt=0, description="learning rate of Y, in times the trainer's")
    gene_decay: float = Field(1.0, ge=0, description="weight decay of Y, in times the trainer's")

    def apply(self, network: nn.Module, arrays: Mapping[str, Array], generator: torch.Generator) -> None:
        for layer, name in list(encodable_weights(network)):
            shape = getattr(layer, name).shape
            if shape[1:].numel() > self.genes:
                register(layer, name, RandomBasisWeight(shape, self.genes, generator))

    def groups(self, network: nn.Module) -> list[Group]:
        mixtures = [tensor for stored in stored_by(network, RandomBasisWeight) for tensor in stored]
        return with_others(network, Group(mixtures, self.gene_rate, self.gene_decay))


class RandomBasisWeight(Pair):
    """Makes a weight from Y (n, G); a state dict holds the seed of R (G, fan_in) in place of it."""

    basis: Tensor

    def __init__(self, shape: torch.Size, rank: int, generator: torch.Generator) -> None:
        super().__init__(shape, rank, generator)
        self.register_buffer("basis", torch.empty(rank, self.fan_in), persistent=False)
        self.set_extra_state(torch.randint(2**62, (1,), generator=generator))

    def pair(self, *stored: Tensor) -> tuple[Tensor, Tensor]:
        return stored[0], self.basis

    def right_inverse(self, weight: Tensor) -> tuple[Tensor]:
        """Return a fresh Y: a given weight has none that would make it."""
        return (torch.randn(self.shape[0], self.rank, generator=self.generator) * self.deviation,)

    def get_extra_state(self) -> Tensor:
        """Return the seed of R, (1,)."""
        return self.seed

    def set_extra_state(self, state: Tensor) -> None:
        """Make R from a seed."""
        self.seed = state.clone()
        drawn = torch.randn(self.basis.shape, generator=torch.Generator().manual_seed(int(state)))
        self.basis.copy_(drawn * self.deviation)


@hookimpl
def spikefront_encodings() -> list[type[Encoding]]:
    """Return the random-basis encoding."""
    return [RandomBasis]
