"""Uniform crossover: two parents swap what they have."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from spikefront import Crossover, hookimpl
from spikefront.components import Operator
from spikefront.space import Choice, Domain, Integer, ListOf, Real, Tensor


class UniformCrossover(Crossover):
    """Swaps the two values of a gene; arrays and lists are swapped whole.

    Source: Syswerda, Uniform crossover in genetic algorithms, ICGA (1989).
    """

    name: ClassVar[str] = "uniform"
    domains: ClassVar[tuple[type[Any], ...]] = (Real, Integer, Choice, Tensor, ListOf)

    def cross(self, domain: Domain, a: Any, b: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        return b, a


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide uniform crossover."""
    return [UniformCrossover]
