"""Random search: the baseline of every comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from spikefront import Algorithm, hookimpl
from spikefront.components import Engine, Problem, Proposal, Told
from spikefront.search.variation import Variation, unseen


class RandomSearch(Algorithm):
    """Samples genomes with the study's sampling operators, never one twice.

    Source: Bergstra and Bengio, Random search for hyper-parameter optimization, JMLR 13 (2012).
    """

    name: ClassVar[str] = "random"
    partial: ClassVar[bool] = True

    def start(self, problem: Problem) -> Engine:
        return RandomEngine(problem)


class RandomEngine(Engine):
    """Draws what was not drawn before."""

    def __init__(self, problem: Problem) -> None:
        self._variation = Variation(problem.space, problem.operators)
        self._population = problem.population
        self._rng = problem.streams.numpy("sampling")
        self._seen: set[str] = set()

    def ask(self) -> list[Proposal]:
        drawn = unseen(lambda count: self._variation.samples(count, self._rng), self._population, self._seen)
        self._seen.update(individual.genome.hash for individual in drawn)
        return [individual.proposal for individual in drawn]

    def tell(self, results: Sequence[Told]) -> None:
        """Learn nothing."""


@hookimpl
def spikefront_algorithms() -> list[type[Algorithm]]:
    """Provide random search."""
    return [RandomSearch]
