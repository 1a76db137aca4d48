"""SNASNet's cell (Kim et al., ECCV 2022): a search space with edges back in time, ranked without training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from benchmarks.systems import Finding
from benchmarks.systems._scores import NETWORKS, Scored, rankings, scored
from benchmarks.systems._trained import study
from spikefront_plugins.predictors.spike_pattern import pattern_score

NAME = "snas-cell"


def short() -> Iterator[Finding]:
    """Yield the quick checks."""
    space = study(NAME).space
    yield Finding("The cell's space", f"9 edges of 5 operations: {space.size():,.0f} members", space.size() == 5**9)
    x = (torch.rand(1, 64, 4096, generator=torch.Generator().manual_seed(0)) < 0.15).float()
    for distance, expected in (("sparsity-aware", -31.7), ("hamming", 449.7)):
        found = pattern_score([x], distance)  # type: ignore[arg-type]
        yield Finding(
            f"The {distance} score of 64 random patterns of 4,096 neurons, 15 % firing, is about {expected}",
            f"{found:.1f}",
            abs(found - expected) < 1.5,
        )


def jobs() -> list[tuple[int]]:
    """Return the networks: random members of the space."""
    return [(number,) for number in range(NETWORKS)]


def run(number: int) -> Scored:
    """Score and train one of them."""
    return scored(NAME, number)


def findings(rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield what the scores are worth, and whether edges back help."""
    yield from rankings(rows)
