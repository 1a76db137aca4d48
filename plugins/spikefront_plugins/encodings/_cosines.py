"""Smooth functions over a picture or a kernel: its first two-dimensional cosines."""

import functools
import itertools
import math

import torch
from torch import Tensor


@functools.lru_cache
def cosines(height: int, width: int, number: int) -> Tensor:
    """Return the smoothest cosines over a grid as orthogonal columns, (height * width, number), row by row.

    They are scaled so that the squares of a row add up to 1 on average: sums of the columns with random factors of
    variance v have variance v. They are those of the discrete cosine transform (DCT-II).
    """
    rows, columns = _waves(height), _waves(width)
    order = sorted(
        itertools.product(range(height), range(width)),
        key=lambda wave: ((wave[0] * width) ** 2 + (wave[1] * height) ** 2, wave),
    )
    chosen = [torch.outer(rows[p], columns[q]).flatten() for p, q in order[:number]]
    return torch.stack(chosen, dim=1) * math.sqrt(height * width / len(chosen))


def _waves(side: int) -> Tensor:
    """Return all cosines over a line, orthonormal rows, (side, side)."""
    places = torch.arange(side, dtype=torch.float64) + 0.5
    line = torch.stack([torch.cos(math.pi * places * wave / side) for wave in range(side)])
    rows: Tensor = line / line.norm(dim=1, keepdim=True)
    return rows
