"""Crossover of topologies: one child has the union of its parents' connections, the other their intersection."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from spikefront import Crossover, hookimpl
from spikefront.components import Operator
from spikefront.space import Array, Domain, Tensor
from spikefront_plugins.operators._domains import expect


class UnionIntersectionCrossover(Crossover):
    """Orders a child's scores by the larger of its parents', and the other child's by the smaller.

    For arrays of scores of which a mask keeps the n highest, for whatever n: the first child keeps connections that one
    of its parents has, the best of their union, cut to n; the second keeps all that both have, and is filled up to n
    with those that miss one parent's mask by least. This is exact where the nth highest score of both parents is the
    same, as it nearly is for scores from one distribution. Each child has the numbers of one parent, in another order,
    so that scores keep their distribution over generations.

    Our own; for the evolved topologies that ESL-SNNs (Shen et al., AAAI 2023, arXiv 2306.03693) are named after.
    """

    name: ClassVar[str] = "union-intersection"
    domains: ClassVar[tuple[type[Any], ...]] = (Tensor,)

    def cross(self, domain: Domain, a: Any, b: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        tensor = expect(domain, Tensor)
        union, intersection = _ordered(a, np.maximum(a, b)), _ordered(b, np.minimum(a, b))
        return tensor.project(union), tensor.project(intersection)


def _ordered(numbers: Array, by: Array) -> Array:
    """Return an array's numbers in the order of others, the smallest where these are smallest."""
    ordered = np.empty(numbers.size, dtype=np.float32)
    ordered[np.argsort(by, axis=None, kind="stable")] = np.sort(numbers, axis=None)
    return ordered.reshape(numbers.shape)


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide union-intersection crossover."""
    return [UnionIntersectionCrossover]
