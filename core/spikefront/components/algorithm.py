"""Contract of search algorithms: ask and tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from spikefront.components.base import Component
from spikefront.components.fitness import Direction
from spikefront.components.operator import Operator
from spikefront.genome import Genome
from spikefront.randomness import Streams
from spikefront.space import Space

Weights = Mapping[str, Tensor]
"""What a network has learnt: parameters and buffers by their names in its state; one that is shared under its first."""


@dataclass(frozen=True)
class Objective:
    """What is searched for: the name of a fitness term and its direction."""

    name: str
    direction: Direction

    def loss(self, value: float) -> float:
        """Return the value as something to minimise."""
        return value if self.direction == "minimize" else -value


@dataclass(frozen=True)
class StudyObjective(Objective):
    """An objective with its unit."""

    unit: str = "1"


@dataclass(frozen=True)
class Problem:
    """What an algorithm gets to know of a study.

    Attributes:
        space: The searched parameters.
        objectives: What is optimised, in order.
        population: Candidates of a generation.
        operators: The study's operators; for a gene the first one that fits counts.
        streams: The algorithm's randomness.
        initial: Genomes to ask for first, best first: what an earlier search of the same problem found. At most a
            population of them counts; an algorithm that has no use for them starts as always.
    """

    space: Space
    objectives: tuple[Objective, ...]
    population: int
    operators: tuple[Operator, ...]
    streams: Streams
    initial: tuple[Genome, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """A genome that an algorithm wants evaluated, and where it came from.

    Attributes:
        genome: The candidate.
        parents: Hashes of the genomes it was made from.
        operators: Names of the operators that made it.
        weights: What its training starts from, see `Encoding.inherit`; None leaves that to `search.inheritance`. A
            genome that was asked for before is not trained again, whatever it would start from.
    """

    genome: Genome
    parents: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    weights: Weights | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Told:
    """The outcome of a proposal.

    Attributes:
        genome: The candidate.
        losses: One number for each objective, smaller is better; None where it failed or was left untrained.
        weights: What its network had learnt at the end, of the first replicate; None where there is none, and for
            algorithms that do not ask for it with `wants_weights`.
    """

    genome: Genome
    losses: tuple[float, ...] | None = field(default=None)
    weights: Weights | None = field(default=None, compare=False)


class Engine(ABC):
    """A running search. It is a deterministic function of the problem and of what it was told, in order."""

    @abstractmethod
    def ask(self) -> list[Proposal]:
        """Return the next generation, never more than `population`; an empty list ends the search."""

    @abstractmethod
    def tell(self, results: Sequence[Told]) -> None:
        """Take the outcome of proposals that it was not told of, in the order asked.

        These are all of the last `ask`. Only where `Algorithm.partial` says so they may be a part of them, and such of
        earlier asks.
        """


class Algorithm(Component, ABC):
    """A way to search. Its parameters stand in the study's [search] section.

    Attributes:
        partial: Whether it can be told of a part of what it asked for, and of the rest later.
        wants_weights: Whether it is told what candidates have learnt; the weights of all are kept until a search ends.
    """

    kind: ClassVar[str] = "algorithm"
    partial: ClassVar[bool] = False
    wants_weights: ClassVar[bool] = False

    @abstractmethod
    def start(self, problem: Problem) -> Engine:
        """Return a fresh search.

        Raises:
            InputError: The algorithm cannot search this space or these objectives; the message says why.
        """
