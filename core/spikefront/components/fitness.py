"""Contract of fitness terms: one number, with direction and unit, from what an evaluation found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from spikefront.components.base import Component
from spikefront.components.parts import Parts
from spikefront.components.task import Task
from spikefront.components.trainer import Fitted
from spikefront.errors import InputError
from spikefront.genome import Genome
from spikefront.measure.recording import Recording

Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True)
class Context:
    """All that a fitness term may look at, once a candidate is trained and has run on the validation split.

    Attributes:
        genome: The candidate.
        parts: Its components.
        task: The study's task.
        fitted: The trained phenotype and how training went.
        metrics: The task's metrics on the validation split.
        recording: Operations and spikes of the same run; empty where the phenotype is no network.
        elite: The best genome of the generation before, where this term is a regulariser; None in the
            first generation.
    """

    genome: Genome
    parts: Parts
    task: Task
    fitted: Fitted
    metrics: Mapping[str, float]
    recording: Recording
    elite: Genome | None = None

    @property
    def phenotype(self) -> Any:
        """The trained phenotype."""
        return self.fitted.phenotype


class Fitness(Component, ABC):
    """A number that says how good a candidate is: an objective, a regulariser or a column.

    As a regulariser with weight w on an objective, it moves the objective's value by w times its own
    value, towards better where its own direction says better.

    Attributes:
        direction: Whether less or more is better.
        unit: Unit of the value ("pJ", "1", "numbers", ...).
        bounds: Smallest and largest possible value, where they are known beforehand.
        uses_elite: Whether the value depends on the generation before.
    """

    kind: ClassVar[str] = "fitness"
    direction: ClassVar[Direction]
    unit: ClassVar[str] = "1"
    bounds: ClassVar[tuple[float, float] | None] = None
    uses_elite: ClassVar[bool] = False

    @abstractmethod
    def measure(self, context: Context) -> float | None:
        """Return the value, or None where the term means nothing for this candidate."""


class TaskMetric(Fitness, ABC):
    """A fitness term that is one of the task's metrics; a subclass names it and says which way is better.

    Attributes:
        metric: Name of the metric, as `Task.score` returns it.
    """

    metric: ClassVar[str]

    def measure(self, context: Context) -> float:
        if self.metric not in context.metrics:
            known = ", ".join(sorted(context.metrics)) or "none"
            raise InputError(
                f"fitness '{self.name}': task '{context.task.name}' has no metric '{self.metric}'",
                f"Choose an objective that fits the task; its metrics are: {known}.",
            )
        return context.metrics[self.metric]
