"""Neuroevolution with gradient descent: a population that trains on, in which those that learn alike make room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from spikefront import Algorithm, hookimpl
from spikefront.components import Engine, Problem, Proposal, Told
from spikefront.components.algorithm import Weights
from spikefront.errors import InputError
from spikefront.search.variation import Individual, Variation, unseen
from spikefront_plugins.algorithms import _suppression as suppression
from spikefront_plugins.algorithms._checks import finite_losses, require_population


class ClusterSuppression(Algorithm):
    """Every generation is a turn of training: each member goes on from its own weights, or from what replaced it.

        dw_i = weights behind the turn - weights before it
        d_ij = 1 - <dw_i, dw_j> / (|dw_i| |dw_j|)

    At level h the survivors are clustered by average linkage, cut at delta ratio^(h-1); in each cluster the best stays
    and the others are suppressed, never below `survivors` of the population. What takes a suppressed member's place:
    "noise", a survivor with N(0, (noise |dw| / sqrt(D))^2) added, or "crossover", whole layers of two survivors. A
    member that failed is always replaced. In the first turn nothing is suppressed, as its start is not known. Long
    updates are projected before they are compared.

    Networks that started from other random weights never change alike: their updates are orthogonal. With `ancestor =
    "common"` all go on from the best one of the first turn, with batches of their own, and updates can be compared.

    A turn is an evaluation with a genome of its own: the study's operators change a gene of a member before its next
    turn, `trainer.order`, say, which draws other batches. The trainer's epochs are those of a turn; its optimiser
    starts anew in each. A study needs one objective, and `keep = "all"` where it is to be prolonged after its end.

    Source: built after the abstract of Zhang et al., Optimizing Deep Neural Networks through Neuroevolution with
    Stochastic Gradient Descent (arXiv 2012.11184); equations, settings and replacements are our reading.
    """

    name: ClassVar[str] = "cluster-suppression"
    wants_weights: ClassVar[bool] = True

    ancestor: Literal["common", "own"] = Field(
        "common", description="whose weights the second turn starts from: those of the best one, or each its own"
    )
    suppress: Literal["similar", "random", "none"] = Field(
        "similar", description="who is suppressed; 'random': as many at random, 'none': members train side by side"
    )
    delta: float = Field(0.3, ge=0, le=2, description="distance at which clusters of the first level are cut")
    ratio: float = Field(1.5, gt=1, le=10, description="how much wider each further level is cut")
    levels: int = Field(2, ge=1, le=10, description="levels of the hierarchy")
    survivors: float = Field(0.5, gt=0, le=1, description="least share of the population that survives")
    replacement: Literal["noise", "crossover"] = Field("noise", description="what takes their place")
    noise: float = Field(0.5, ge=0, description="size of the noise, in times the root mean square of an update")

    def start(self, problem: Problem) -> Engine:
        require_population(problem, self.name, 2)
        if len(problem.objectives) != 1:
            raise InputError(
                f"algorithm '{self.name}' keeps the best of a cluster, and the study has {len(problem.objectives)} "
                "objectives",
                "Give one in study.objectives, and the others as study.columns.",
            )
        return SuppressionEngine(problem, self)


@dataclass(frozen=True, eq=False)
class Member:
    """One of the population, in a turn.

    Attributes:
        individual: Its genes in this turn, and where they came from.
        start: Weights before the turn; None where they are drawn.
        learnt: Weights behind it; None before, and where it failed.
        loss: Infinite where it failed.
    """

    individual: Individual
    start: Weights | None = None
    learnt: Weights | None = None
    loss: float = math.inf

    @property
    def update(self) -> suppression.Floats | None:
        """What the turn changed, (D,); None where that is not known."""
        return suppression.update(self.start, self.learnt) if self.start and self.learnt else None


class SuppressionEngine(Engine):
    """Trains a population turn by turn.

    Attributes:
        diversity: Of the updates in each turn so far, before anybody was suppressed; None where there are none.
        suppressed: How many were suppressed in each turn so far.
    """

    def __init__(self, problem: Problem, settings: ClusterSuppression) -> None:
        self._settings, self._population = settings, problem.population
        self._variation = Variation(problem.space, problem.operators)
        self._rng = problem.streams.numpy("suppression")
        self._projection = problem.streams.integer("projection")
        self._seen: set[str] = set()
        self._members = [Member(one) for one in self._variation.given(problem.initial[: self._population], self._rng)]
        self.diversity: list[float | None] = []
        self.suppressed: list[int] = []

    def ask(self) -> list[Proposal]:
        missing = self._population - len(self._members)
        fresh = unseen(lambda count: self._variation.samples(count, self._rng), missing, self._seen)
        self._members += [Member(individual) for individual in fresh]
        self._seen |= {member.individual.genome.hash for member in self._members}
        return [replace(member.individual.proposal, weights=member.start) for member in self._members]

    def tell(self, results: Sequence[Told]) -> None:
        told = {result.genome.hash: result for result in results}
        self._members = [_learnt(member, told[member.individual.genome.hash]) for member in self._members]
        if not self.diversity and self._settings.ancestor == "common":
            best = min(self._members, key=lambda member: member.loss, default=None)
            self._members = [best] * len(self._members) if best and best.learnt else self._members
        gone = self._gone()
        alive = [member for place, member in enumerate(self._members) if place not in gone and member.learnt]
        following = []
        for place, member in enumerate(self._members):
            heir = self._heir(alive) if place in gone and alive else member
            if member.learnt or place in gone:
                following += self._next(heir, replaced=place in gone)
        self._members = following

    def _gone(self) -> set[int]:
        """Return the places of the members that are replaced."""
        failed = {place for place, member in enumerate(self._members) if math.isinf(member.loss)}
        updates = {place: found for place, member in enumerate(self._members) if (found := member.update) is not None}
        self.diversity.append(None)
        chosen: list[int] = []
        if len(updates) > 1:
            places = list(updates)
            distance = suppression.distances(suppression.projected(np.stack(list(updates.values())), self._projection))
            self.diversity[-1] = suppression.diversity(distance)
            chosen = [places[place] for place in self._chosen(distance, places)]
        self.suppressed.append(len(chosen))
        return failed | set(chosen)

    def _chosen(self, distance: suppression.Floats, places: list[int]) -> list[int]:
        settings = self._settings
        losses = np.array([self._members[place].loss for place in places])
        deltas = [settings.delta * settings.ratio**level for level in range(settings.levels)]
        similar = suppression.suppressed(distance, losses, deltas, math.ceil(settings.survivors * len(places)))
        if settings.suppress == "random":
            return sorted(self._rng.choice(len(places), len(similar), replace=False).tolist())
        return similar if settings.suppress == "similar" else []

    def _heir(self, alive: list[Member]) -> Member:
        """Return what takes the place of a suppressed member: genes of a survivor, and weights to go on from."""
        places: list[int] = self._rng.choice(len(alive), 2, replace=len(alive) < 2).tolist()
        first, second = alive[places[0]], alive[places[1]]
        if first.learnt is None or second.learnt is None:
            return first
        if self._settings.replacement == "crossover":
            return replace(first, learnt=suppression.crossed(first.learnt, second.learnt, self._rng))
        update = first.update
        size = 0.0 if update is None else float(np.sqrt(np.mean(update**2)))
        return replace(first, learnt=suppression.disturbed(first.learnt, self._settings.noise * size, self._rng))

    def _next(self, member: Member, replaced: bool) -> list[Member]:
        """Return a member in its next turn, with a genome that was not asked for; none where there is no such."""
        parent = member.individual

        def changed(count: int) -> list[Individual]:
            point, used = self._variation.mutate(parent.point, self._rng)
            names = ("cluster-suppression", *used) if replaced else used
            return [Individual(point, self._variation.space.genome(point), (parent.genome.hash,), names)]

        found = unseen(changed, 1, self._seen)
        self._seen |= {individual.genome.hash for individual in found}
        return [Member(individual, start=member.learnt) for individual in found]


def _learnt(member: Member, told: Told) -> Member:
    losses = finite_losses(told)
    return member if losses is None else replace(member, learnt=told.weights, loss=losses[0])


@hookimpl
def spikefront_algorithms() -> list[type[Algorithm]]:
    """Provide neuroevolution with gradient descent."""
    return [ClusterSuppression]
