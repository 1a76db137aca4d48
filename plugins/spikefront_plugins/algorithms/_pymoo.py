"""One adapter for pymoo's population-based algorithms: their selection, our variation and our records."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pymoo.algorithms.base.genetic import GeneticAlgorithm
from pymoo.config import Config
from pymoo.core.infill import InfillCriterion
from pymoo.core.population import Population
from pymoo.core.problem import Problem as PymooProblem
from pymoo.core.termination import NoTermination
from pymoo.operators.selection.tournament import TournamentSelection

from spikefront.components import Engine, Problem, Proposal, Told
from spikefront.search.variation import Individual, Variation, unseen
from spikefront_plugins.algorithms._checks import finite_losses

Config.warnings["not_compiled"] = False  # or pymoo prints an advertisement where it has no compiled modules


class Breeding(InfillCriterion):  # type: ignore[misc]
    """Makes offspring that no generation has asked for before.

    pymoo sees an individual as a decision vector of one variable, an `Individual` object.

    Args:
        problem: What is searched.
        tournament: pymoo's comparison of two individuals.
        crossover: Chance that a pair of parents is crossed at all.

    Attributes:
        sampling: The first generation, (n, 1).
        seen: Hashes of all genomes that were asked for.

    Raises:
        InputError: No operator fits a gene.
    """

    def __init__(self, problem: Problem, tournament: Callable[..., npt.NDArray[np.int_]], crossover: float) -> None:
        super().__init__()
        self._variation = Variation(problem.space, problem.operators, crossover)
        self._selection = TournamentSelection(func_comp=tournament)
        rng = problem.streams.numpy("sampling")
        first = self._variation.given(problem.initial[: problem.population], rng)
        self.seen = {individual.genome.hash for individual in first}
        number = problem.population - len(first)
        self.sampling = _column([*first, *unseen(lambda count: self._variation.samples(count, rng), number, self.seen)])

    def do(  # called by GeneticAlgorithm with these names
        self, problem: Any, pop: Any, n_offsprings: int, *, algorithm: Any, random_state: np.random.Generator
    ) -> Any:
        """Return at most `n_offsprings` new individuals bred from `pop`."""

        def draw(count: int) -> list[Individual]:
            pairs = self._selection.do(
                problem, pop, math.ceil(count / 2), 2, to_pop=False, algorithm=algorithm, random_state=random_state
            )
            parents = [(pop[a].X[0], pop[b].X[0]) for a, b in pairs]
            return [child for a, b in parents for child in self._variation.breed(a, b, random_state)]

        return Population.new("X", _column(unseen(draw, n_offsprings, self.seen)))


class PymooEngine(Engine):
    """Runs a pymoo algorithm. A failed evaluation violates a constraint, so that any other beats it.

    Args:
        problem: What is searched.
        algorithm: A fresh algorithm that samples and mates with `breeding`.
        breeding: Its source of individuals.
    """

    def __init__(self, problem: Problem, algorithm: GeneticAlgorithm, breeding: Breeding) -> None:
        self._n_objectives = len(problem.objectives)
        self._breeding = breeding
        self._algorithm = algorithm.setup(
            PymooProblem(n_var=1, n_obj=self._n_objectives, n_ieq_constr=1),
            termination=NoTermination(),
            seed=problem.streams.integer("algorithm"),
        )
        self._asked: dict[str, Any] = {}

    def ask(self) -> list[Proposal]:
        asked = [] if (found := self._algorithm.ask()) is None else list(found)
        self._asked |= {individual.X[0].genome.hash: individual for individual in asked}
        proposals = [individual.X[0].proposal for individual in asked]
        self._breeding.seen.update(proposal.genome.hash for proposal in proposals)
        return proposals

    def tell(self, results: Sequence[Told]) -> None:
        losses, failed = self._table(results)
        told = Population.create(*(self._asked.pop(result.genome.hash) for result in results))
        told.set("F", losses)
        told.set("G", np.where(failed, 1.0, -1.0)[:, None])
        with warnings.catch_warnings(), np.errstate(all="ignore"):  # NSGA-III switches warnings off for good
            self._algorithm.tell(infills=told)

    def _table(self, results: Sequence[Told]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Return losses (n, objectives), those of failures filled with a harmless mean, and which failed (n)."""
        found = [finite_losses(told) for told in results]
        failed = np.array([losses is None for losses in found])
        losses = np.array([losses or (0.0,) * self._n_objectives for losses in found])
        if not failed.all():
            losses[failed] = losses[~failed].mean(axis=0)
        return losses, failed


def _column(individuals: Sequence[Individual]) -> npt.NDArray[np.object_]:
    return np.array(individuals, dtype=object).reshape(-1, 1)
