"""Variation: the operators of a study put to work on whole points of its space."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from spikefront.components.algorithm import Proposal
from spikefront.components.operator import Crossover, Mutation, Operator, Sampling
from spikefront.errors import InputError
from spikefront.genome import Genome, Value
from spikefront.space import Space

Point = Mapping[str, Value]
"""A value for every gene of a space, active or not."""

ROUNDS = 100
"""How often `unseen` draws again before it gives up."""

Role = TypeVar("Role", bound=Operator)


@dataclass(frozen=True, eq=False)
class Individual:
    """A point with its genome and where it came from.

    Attributes:
        point: A value for every gene; those that sleep are inherited too.
        genome: The active genes.
        parents: Hashes of the genomes it was made from.
        operators: Names of the operators that made it.
    """

    point: Point
    genome: Genome
    parents: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()

    @property
    def proposal(self) -> Proposal:
        """What an algorithm asks for."""
        return Proposal(self.genome, self.parents, self.operators)


class Variation:
    """Samples, crosses and mutates points, each gene with the first operator that fits it.

    Points that come in are never changed; arrays in points that go out may be shared with them.

    Args:
        space: The searched parameters.
        operators: What there is to choose from, in order of preference.
        crossed: Chance that two points are mixed at all, before each gene has its operator's.

    Raises:
        InputError: No operator fits a gene.
    """

    def __init__(self, space: Space, operators: Sequence[Operator], crossed: float = 1.0) -> None:
        self.space = space
        self._crossed = crossed
        self._samplings = _assign(Sampling, space, operators)
        self._crossovers = _assign(Crossover, space, operators)
        self._mutations = _assign(Mutation, space, operators)

    def sample(self, rng: np.random.Generator) -> Point:
        """Draw a point."""
        return {path: self._samplings[path].sample(gene.domain, rng) for path, gene in self.space.items()}

    def cross(self, a: Point, b: Point, rng: np.random.Generator) -> tuple[Point, Point, tuple[str, ...]]:
        """Mix two points, if they are to be: each gene that is active in one of them, with its operator's probability.

        Returns:
            A child that is `a` where nothing was mixed, one that is `b` there, and the names of the
            operators that took part.
        """
        first, second, used = dict(a), dict(b), []
        if self._crossed < 1 and rng.random() >= self._crossed:  # no draw where it is 1: recorded searches replay
            return first, second, ()
        awake = {*self.space.active(a), *self.space.active(b)}
        for path, operator in self._crossovers.items():
            if path in awake and rng.random() < operator.probability:
                first[path], second[path] = operator.cross(self.space[path].domain, a[path], b[path], rng)
                used.append(operator.name)
        return first, second, _unique(used)

    def mutate(self, point: Point, rng: np.random.Generator) -> tuple[Point, tuple[str, ...]]:
        """Change a point: each active gene, with its operator's probability or 1 / number of active genes.

        Returns:
            The changed point, and the names of the operators that took part.
        """
        child, used = dict(point), []
        active = self.space.active(point)
        for path in active:
            operator = self._mutations[path]
            probability = 1 / len(active) if operator.probability is None else operator.probability
            if rng.random() < probability:
                child[path] = operator.mutate(self.space[path].domain, point[path], rng)
                used.append(operator.name)
        return child, _unique(used)

    def samples(self, count: int, rng: np.random.Generator) -> list[Individual]:
        """Draw individuals."""
        points = [self.sample(rng) for _ in range(count)]
        return [Individual(point, self.space.genome(point)) for point in points]

    def given(self, genomes: Sequence[Genome], rng: np.random.Generator) -> list[Individual]:
        """Return genomes as individuals; genes that sleep in them are drawn."""
        return [Individual({**self.sample(rng), **genome}, genome) for genome in genomes]

    def breed(self, a: Individual, b: Individual, rng: np.random.Generator) -> list[Individual]:
        """Return two mutated children of two parents; a child that took nothing from one has only the other.

        The first parent of a child is the one that it equals where nothing was mixed.
        """
        first, second, crossed = self.cross(a.point, b.point, rng)
        family = (a.genome.hash, b.genome.hash)
        children = []
        for point, parent in zip((first, second), family, strict=True):
            mutant, mutated = self.mutate(point, rng)
            parents = (parent, *family) if crossed else (parent,)
            children.append(
                Individual(mutant, self.space.genome(mutant), _unique(parents), _unique([*crossed, *mutated]))
            )
        return children


def unseen(draw: Callable[[int], list[Individual]], count: int, seen: Collection[str]) -> list[Individual]:
    """Draw until there are enough individuals with new genomes, or a bounded number of times.

    Args:
        draw: Returns about as many individuals as it is asked for.
        count: How many are wanted.
        seen: Hashes of the genomes that are not new.

    Returns:
        Individuals with different genomes; fewer than `count` where nothing new turns up any more.
    """
    found: dict[str, Individual] = {}
    for _ in range(ROUNDS):
        for individual in draw(count - len(found)):
            if individual.genome.hash not in seen and len(found) < count:
                found.setdefault(individual.genome.hash, individual)
        if len(found) == count:
            break
    return list(found.values())


def _assign(role: type[Role], space: Space, operators: Sequence[Operator]) -> dict[str, Role]:
    """Return the operator of this role for each gene."""
    candidates = [operator for operator in operators if isinstance(operator, role)]
    chosen = {}
    for path, gene in space.items():
        fitting = [operator for operator in candidates if operator.fits(path, gene.domain)]
        if not fitting:
            raise InputError(
                f"no {role.__name__.lower()} operator fits the gene '{path}', a {type(gene.domain).__name__}",
                f"Add one to the study's operators; given: {', '.join(item.name for item in candidates) or 'none'}.",
            )
        chosen[path] = fitting[0]
    return chosen


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
