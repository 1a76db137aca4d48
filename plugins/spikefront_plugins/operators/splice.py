"""Crossover of lists."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from spikefront import Crossover, hookimpl
from spikefront.components import Operator
from spikefront.space import Domain, ListOf
from spikefront_plugins.operators._domains import expect


class Splice(Crossover):
    """Two parents swap a piece each: n tables in a row of one for m tables of the other, at places of their own.

    n and the places are uniform, and m among what leaves both children within the bounds of their length.

    Source: linear crossover of Brameier and Banzhaf, Linear Genetic Programming (2007), section 5.7.1.
    """

    name: ClassVar[str] = "splice"
    domains: ClassVar[tuple[type[Any], ...]] = (ListOf,)

    def cross(self, domain: Domain, a: Any, b: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        bounds = expect(domain, ListOf)
        if not (a and b):
            return b, a
        n = int(rng.integers(1, min(len(a), len(b)) + 1))
        least = max(0, n + bounds.low - len(a), n + len(b) - bounds.high)
        most = min(len(b), n + bounds.high - len(a), n + len(b) - bounds.low)
        m = int(rng.integers(least, most + 1))
        i, j = int(rng.integers(len(a) - n + 1)), int(rng.integers(len(b) - m + 1))
        return [*a[:i], *b[j : j + m], *a[i + n :]], [*b[:j], *a[i : i + n], *b[j + m :]]


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide the crossover of lists."""
    return [Splice]
