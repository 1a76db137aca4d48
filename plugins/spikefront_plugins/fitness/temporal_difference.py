"""Temporal difference: how far a candidate's interactions are from those of the last generation's best."""

from typing import ClassVar

import numpy as np

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction

INTERACTIONS = "encoding.interactions"
"""Path of the evolved interactions in a genome."""


class TemporalDifference(Fitness):
    """The temporal regulariser D = min(1, |O - O*| / (|O*| + 1e-12)), Frobenius norms, O* of the elite.

    The elite is the best candidate of the generation before. None in the first generation, and where either
    has no evolved interactions. Give it a weight that falls to 0 over the first half of the search.

    Our own formula for the "temporal difference" that Pan et al. (arXiv 2411.06792) name; theirs could not be read.
    """

    name = "temporal-difference"
    direction: ClassVar[Direction] = "maximize"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    uses_elite: ClassVar[bool] = True

    def measure(self, context: Context) -> float | None:
        if context.elite is None or INTERACTIONS not in context.genome or INTERACTIONS not in context.elite:
            return None
        own = np.asarray(context.genome[INTERACTIONS], dtype=np.float64)
        best = np.asarray(context.elite[INTERACTIONS], dtype=np.float64)
        return min(1.0, float(np.linalg.norm(own - best) / (np.linalg.norm(best) + 1e-12)))


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return temporal difference."""
    return [TemporalDifference]
