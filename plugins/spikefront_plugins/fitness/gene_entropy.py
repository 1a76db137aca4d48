"""Gene entropy: how far the spectrum of a genetic encoding is from flat."""

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction
from spikefront_plugins.encodings._genes import gene_vectors_of, interactions_of


class GeneEntropy(Fitness):
    """The spatial regulariser 1 - H of a genetic encoding: with weight w on an objective A, A - w (1 - H).

    H = -(1 / log r) sum_i p_i log p_i with p_i = sigma_i / sum_j sigma_j over the r singular values of a matrix: 1 for
    the identity, 0 for a matrix of rank one. The mean is taken over all interactions, of each tap or
    pattern and part, or over all matrices of gene vectors. None for candidates without a genetic encoding.

    Our own formula for the "spatial entropy" that Pan et al. (arXiv 2411.06792) name; theirs could not be read. Of a
    Gaussian matrix 1 - H is only 0.05 to 0.08: compare weight times that with the spread over seeds.
    """

    name = "gene-entropy"
    direction: ClassVar[Direction] = "minimize"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    of: Literal["interactions", "encodings"] = Field(
        "interactions", description="the matrices that are looked at: interactions, or gene vectors"
    )

    def measure(self, context: Context) -> float | None:
        network = context.phenotype
        if not isinstance(network, nn.Module):
            return None
        interactions = [matrix for one in interactions_of(network) for matrix in one.matrices]
        matrices = interactions if self.of == "interactions" else gene_vectors_of(network)
        if not matrices:
            return None
        return max(0.0, 1 - sum(entropy(matrix) for matrix in matrices) / len(matrices))


def entropy(matrix: Tensor) -> float:
    """Return the normalised entropy of a matrix's singular values, in [0, 1]; 0 for zeros, 1 for a single value."""
    values = torch.linalg.svdvals(matrix.detach().double())
    total = float(values.sum())
    if total == 0 or len(values) == 1:
        return float(total != 0)
    return float(torch.special.entr(values / total).sum()) / math.log(len(values))


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return gene entropy."""
    return [GeneEntropy]
