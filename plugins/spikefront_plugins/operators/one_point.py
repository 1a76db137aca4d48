"""One-point crossover: two parents swap all genes behind a cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from spikefront import hookimpl
from spikefront.components import Operator
from spikefront_plugins.operators.uniform import UniformCrossover


class OnePointCrossover(UniformCrossover):
    """Swaps the values of all its genes behind a cut, which lies between two of them; arrays are swapped whole.

    Genes stand in the order of the space: by section, then by name. Source: Holland, Adaptation in natural and
    artificial systems, 1975.
    """

    name: ClassVar[str] = "one-point"

    probability: float = Field(1.0, ge=0, le=1, description="chance that two parents are mixed")

    def chosen(self, paths: Sequence[str], rng: np.random.Generator) -> Sequence[str]:
        if len(paths) < 2 or rng.random() >= self.probability:
            return ()
        return paths[int(rng.integers(1, len(paths))) :]


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide one-point crossover."""
    return [OnePointCrossover]
