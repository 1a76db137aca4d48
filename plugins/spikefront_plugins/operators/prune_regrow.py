"""Prune-and-regrow mutation of the scores that a mask keeps the highest of."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from spikefront import Mutation, hookimpl
from spikefront.components import Operator
from spikefront.space import Domain, Tensor
from spikefront_plugins.operators._domains import expect


class PruneRegrowMutation(Mutation):
    """Shuffles the numbers of a random share of an array's entries among them.

    For an array of scores of which a mask keeps the n highest, for whatever n: an entry that was kept and gets the
    number of one that was not is pruned, and the other grows. Of the kept entries about alpha (1 - n/N) are replaced;
    how many are kept stays exactly. At least two entries are shuffled.

    A step of the sparse evolutionary training of Mocanu et al., Nature Communications 9 (2018), taken between
    generations; as a permutation of scores it is our own, since genes cannot know which weights will be small.
    """

    name: ClassVar[str] = "prune-regrow"
    domains: ClassVar[tuple[type[Any], ...]] = (Tensor,)

    alpha: float = Field(0.1, gt=0, le=1, description="share of the entries that are shuffled")

    def mutate(self, domain: Domain, value: Any, rng: np.random.Generator) -> Any:
        tensor = expect(domain, Tensor)
        child = np.array(value, dtype=np.float32)
        flat = child.reshape(-1)
        number = min(flat.size, max(2, math.ceil(self.alpha * flat.size)))
        places = rng.choice(flat.size, number, replace=False)
        flat[places] = flat[rng.permutation(places)]
        return tensor.project(child)


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide prune-and-regrow mutation."""
    return [PruneRegrowMutation]
