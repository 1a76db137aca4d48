"""The gene interactions of a genetic encoding: their matrices, singular values and entropy."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from torch import nn

Matrix = npt.NDArray[np.float64]

INTERACTIONS = "interactions.matrices"
"""How the tensor's name ends, a buffer where interactions evolve and a parameter where gradients train them."""


def interaction_matrices(network: nn.Module) -> tuple[dict[str, Matrix], bool]:
    """Return all interactions (genes, genes) of a network by what to call them, and whether gradients train them.

    Several layers share a matrix; it is returned once.
    """
    evolved = [t for name, t in network.named_buffers() if name.endswith(INTERACTIONS)]
    trained = [t for name, t in network.named_parameters() if name.endswith(INTERACTIONS)]
    stacks = [tensor.detach().double().numpy() for tensor in (*evolved, *trained)]
    return _named(stacks), bool(trained)


def singular_values(matrix: Matrix) -> Matrix:
    """Return the singular values of a matrix, the largest first."""
    return np.linalg.svd(matrix, compute_uv=False).astype(np.float64)


def entropy(values: Matrix) -> float:
    """Return H = -(1 / log r) sum_i p_i log p_i of singular values with shares p_i: 1 if all are equal, 0 for one."""
    total = float(values.sum())
    if total == 0 or len(values) == 1:
        return float(total != 0)
    shares = values[values > 0] / total
    return float(-(shares * np.log(shares)).sum()) / math.log(len(values))


def _named(stacks: list[Matrix]) -> dict[str, Matrix]:
    """Return the matrices of some stacks, one for each part."""
    several = len(stacks) > 1
    return {
        f"part {part}, matrix {number}" if several else f"matrix {number}": matrix
        for part, stack in enumerate(stacks, 1)
        for number, matrix in enumerate(stack, 1)
    }
