"""NSGA-III: non-dominated sorting and reference directions."""

from __future__ import annotations

import math
from typing import ClassVar

from spikefront import Algorithm, hookimpl
from spikefront.components import Engine, Problem
from spikefront_plugins.algorithms._checks import require_population
from spikefront_plugins.algorithms._evolution import Evolution


class NSGA3(Evolution):
    """Ranks by front, and within a front by how few others are near the same reference direction. For many objectives.

    The directions are the points of Das and Dennis' simplex lattice, as fine as the population allows.

    Source: Deb and Jain, An evolutionary many-objective optimization algorithm using reference-point-based
    nondominated sorting approach, IEEE Transactions on Evolutionary Computation 18 (2014). Runs on pymoo.
    """

    name: ClassVar[str] = "nsga3"

    def start(self, problem: Problem) -> Engine:
        objectives = len(problem.objectives)
        require_population(problem, self.name, max(2, objectives))
        from pymoo.algorithms.moo import nsga3, sms
        from pymoo.util.reference_direction import das_dennis

        from spikefront_plugins.algorithms._pymoo import Breeding, PymooEngine

        # NSGA-III's own tournament compares two failures with an unseeded generator
        breeding = Breeding(problem, sms.cv_and_dom_tournament, self.crossover)
        algorithm = nsga3.NSGA3(
            das_dennis(partitions(objectives, problem.population), objectives),
            pop_size=problem.population,
            sampling=breeding.sampling,
            mating=breeding,
            eliminate_duplicates=False,
            output=None,
        )
        return PymooEngine(problem, algorithm, breeding)


def partitions(objectives: int, points: int) -> int:
    """Return into how many parts each axis of the lattice can be cut without getting more than `points` points."""
    if objectives == 1:
        return 1
    cut = 1
    while math.comb(objectives + cut, cut + 1) <= points:
        cut += 1
    return cut


@hookimpl
def spikefront_algorithms() -> list[type[Algorithm]]:
    """Provide NSGA-III."""
    return [NSGA3]
