"""AGE-MOEA-II: selection along the estimated geometry of the front."""

from __future__ import annotations

from typing import ClassVar

from spikefront import Algorithm, hookimpl
from spikefront.components import Engine, Problem
from spikefront_plugins.algorithms._checks import require_population
from spikefront_plugins.algorithms._evolution import Evolution


class AGEMOEA2(Evolution):
    """Ranks by front, and within a front by proximity and spread, measured along the shape that the front has.

    Source: Panichella, An improved Pareto front modeling algorithm for large-scale many-objective
    optimization, GECCO (2022), doi 10.1145/3512290.3528732. Runs on pymoo, whose own version needs a compiler.
    """

    name: ClassVar[str] = "age-moea2"

    def start(self, problem: Problem) -> Engine:
        require_population(problem, self.name, 2)
        from pymoo.algorithms.base.genetic import GeneticAlgorithm
        from pymoo.algorithms.moo import nsga2

        from spikefront_plugins.algorithms._geometry import GeometrySurvival
        from spikefront_plugins.algorithms._pymoo import Breeding, PymooEngine

        breeding = Breeding(problem, nsga2.binary_tournament, self.crossover)
        algorithm = GeneticAlgorithm(
            pop_size=problem.population,
            sampling=breeding.sampling,
            mating=breeding,
            survival=GeometrySurvival(),
            eliminate_duplicates=False,
            advance_after_initial_infill=True,
        )
        algorithm.tournament_type = "comp_by_rank_and_crowding"
        return PymooEngine(problem, algorithm, breeding)


@hookimpl
def spikefront_algorithms() -> list[type[Algorithm]]:
    """Provide AGE-MOEA-II."""
    return [AGEMOEA2]
