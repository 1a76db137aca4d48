"""NSGA-II: non-dominated sorting and crowding."""

from __future__ import annotations

from typing import ClassVar

from spikefront import Algorithm, hookimpl
from spikefront.components import Engine, Problem
from spikefront_plugins.algorithms._checks import require_population
from spikefront_plugins.algorithms._evolution import Evolution


class NSGA2(Evolution):
    """Ranks by front, and within a front by the distance to the neighbours. The usual choice for 2 or 3 objectives.

    Source: Deb, Pratap, Agarwal and Meyarivan, A fast and elitist multiobjective genetic algorithm: NSGA-II,
    IEEE Transactions on Evolutionary Computation 6 (2002). Runs on pymoo.
    """

    name: ClassVar[str] = "nsga2"

    def start(self, problem: Problem) -> Engine:
        require_population(problem, self.name, 2)
        from pymoo.algorithms.moo import nsga2
        from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

        from spikefront_plugins.algorithms._pymoo import Breeding, PymooEngine

        breeding = Breeding(problem, nsga2.binary_tournament, self.crossover)
        algorithm = nsga2.NSGA2(
            pop_size=problem.population,
            sampling=breeding.sampling,
            mating=breeding,
            survival=RankAndCrowding(),
            eliminate_duplicates=False,
            output=None,
        )
        return PymooEngine(problem, algorithm, breeding)


@hookimpl
def spikefront_algorithms() -> list[type[Algorithm]]:
    """Provide NSGA-II."""
    return [NSGA2]
