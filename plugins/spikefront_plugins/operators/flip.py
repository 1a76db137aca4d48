"""Flip mutation of choices."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from spikefront import Mutation, hookimpl
from spikefront.components import Operator
from spikefront.genome import same
from spikefront.space import Choice, Domain
from spikefront_plugins.operators._domains import expect


class FlipMutation(Mutation):
    """Takes another value than the present one, all equally likely; a choice of one value stays.

    Source: the bit flip of binary strings (Holland, Adaptation in natural and artificial systems, 1975),
    for more than two values.
    """

    name: ClassVar[str] = "flip"
    domains: ClassVar[tuple[type[Any], ...]] = (Choice,)

    def mutate(self, domain: Domain, value: Any, rng: np.random.Generator) -> Any:
        others = [other for other in expect(domain, Choice).values if not same(other, value)]
        return others[int(rng.integers(len(others)))] if others else value


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide flip mutation."""
    return [FlipMutation]
