"""SMS-EMOA: selection by the contribution to the hypervolume."""

from __future__ import annotations

from typing import ClassVar

from spikefront import Algorithm, hookimpl
from spikefront.components import Engine, Problem
from spikefront.errors import InputError
from spikefront_plugins.algorithms._checks import require_population
from spikefront_plugins.algorithms._evolution import Evolution


class SMSEMOA(Evolution):
    """Ranks by front, and within a front drops whoever adds least to the hypervolume, one after the other.

    A generation is bred at once, not one child at a time, so that evaluations can run side by side.

    Source: Beume, Naujoks and Emmerich, SMS-EMOA: Multiobjective selection based on dominated hypervolume,
    European Journal of Operational Research 181 (2007). Runs on pymoo.
    """

    name: ClassVar[str] = "sms-emoa"

    def start(self, problem: Problem) -> Engine:
        require_population(problem, self.name, 2)
        if len(problem.objectives) < 2:
            raise InputError("algorithm 'sms-emoa' needs two objectives or more", "Use 'nsga2' for one.")
        from pymoo.algorithms.moo import sms

        from spikefront_plugins.algorithms._pymoo import Breeding, PymooEngine

        breeding = Breeding(problem, sms.cv_and_dom_tournament, self.crossover)
        algorithm = sms.SMSEMOA(
            pop_size=problem.population,
            sampling=breeding.sampling,
            mating=breeding,
            survival=sms.LeastHypervolumeContributionSurvival(),
            eliminate_duplicates=False,
            output=None,
        )
        return PymooEngine(problem, algorithm, breeding)


@hookimpl
def spikefront_algorithms() -> list[type[Algorithm]]:
    """Provide SMS-EMOA."""
    return [SMSEMOA]
