"""A genetic algorithm for one objective."""

from __future__ import annotations

from typing import ClassVar

from spikefront import Algorithm, hookimpl
from spikefront.components import Engine, Problem
from spikefront.errors import InputError
from spikefront_plugins.algorithms._checks import require_population
from spikefront_plugins.algorithms._evolution import Evolution


class GA(Evolution):
    """Binary tournaments choose the parents; the best of parents and children together survive.

    So no better candidate is ever lost for a worse one. Source: Goldberg, Genetic algorithms in search, optimization,
    and machine learning, Addison-Wesley (1989); survival as in the (mu + lambda) evolution strategy. Runs on pymoo.
    """

    name: ClassVar[str] = "ga"

    def start(self, problem: Problem) -> Engine:
        require_population(problem, self.name, 2)
        if len(problem.objectives) > 1:
            raise InputError("algorithm 'ga' searches for one objective", "Use 'nsga2' for two or more.")
        from pymoo.algorithms.soo.nonconvex import ga

        from spikefront_plugins.algorithms._pymoo import Breeding, PymooEngine

        breeding = Breeding(problem, ga.comp_by_cv_and_fitness, self.crossover)
        algorithm = ga.GA(
            pop_size=problem.population,
            sampling=breeding.sampling,
            mating=breeding,
            survival=ga.FitnessSurvival(),
            eliminate_duplicates=False,
            output=None,
        )
        return PymooEngine(problem, algorithm, breeding)


@hookimpl
def spikefront_algorithms() -> list[type[Algorithm]]:
    """Provide the genetic algorithm."""
    return [GA]
