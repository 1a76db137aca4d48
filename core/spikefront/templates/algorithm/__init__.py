"""Mutants of the front: about the simplest search for several objectives that gets anywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from spikefront import Algorithm, hookimpl
from spikefront.components import Engine, Problem, Proposal, Told
from spikefront.search.variation import Individual, Variation, unseen


class NewComponent(Algorithm):
    """Keeps all candidates that no other dominates, and asks for mutants of parents drawn evenly from them.

    A share of fresh samples keeps it from staying where it is. Source: the simple evolutionary multi-objective
    optimiser (SEMO) of Laumanns, Thiele and Zitzler, "Running time analysis of multiobjective evolutionary algorithms
    on pseudo-Boolean functions", IEEE Transactions on Evolutionary Computation 8 (2004), a generation at a time.
    """

    name = "new-component"
    partial: ClassVar[bool] = True

    fresh: float = Field(0.1, ge=0, le=1, description="chance that a candidate is a fresh sample and no mutant")

    def start(self, problem: Problem) -> Engine:
        return FrontMutants(problem, self.fresh)


class FrontMutants(Engine):
    """The running search; `front` holds losses and individual of each candidate that none dominates."""

    def __init__(self, problem: Problem, fresh: float) -> None:
        self._variation = Variation(problem.space, problem.operators)
        self._rng = problem.streams.numpy("mutants")
        self._population, self._fresh = problem.population, fresh
        self._waiting = self._variation.given(problem.initial, self._rng)
        self._asked: dict[str, Individual] = {}
        self.front: list[tuple[tuple[float, ...], Individual]] = []

    def ask(self) -> list[Proposal]:
        found = unseen(self._candidates, self._population, self._asked)
        self._asked |= {individual.genome.hash: individual for individual in found}
        return [individual.proposal for individual in found]

    def tell(self, results: Sequence[Told]) -> None:
        for told in results:
            new = told.losses
            if new is None or not all(map(math.isfinite, new)) or any(_covers(old, new) for old, _ in self.front):
                continue
            self.front = [(old, individual) for old, individual in self.front if not _covers(new, old)]
            self.front.append((new, self._asked[told.genome.hash]))

    def _candidates(self, count: int) -> list[Individual]:
        given, self._waiting = self._waiting, []
        return given or [self._child() for _ in range(count)]

    def _child(self) -> Individual:
        if not self.front or self._rng.random() < self._fresh:
            return self._variation.samples(1, self._rng)[0]
        _, parent = self.front[int(self._rng.integers(len(self.front)))]
        point, operators = self._variation.mutate(parent.point, self._rng)
        return Individual(point, self._variation.space.genome(point), (parent.genome.hash,), operators)


def _covers(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Tell whether losses `a` are nowhere worse than `b`."""
    return all(x <= y for x, y in zip(a, b, strict=True))


@hookimpl
def spikefront_algorithms() -> list[type[Algorithm]]:
    """Return this module's algorithm."""
    return [NewComponent]
