"""Accuracy: the share of samples that are classified right."""

from typing import ClassVar

from spikefront import Fitness, hookimpl
from spikefront.components import Direction, TaskMetric


class Accuracy(TaskMetric):
    """The task's metric "accuracy" on the validation split, which training never sees."""

    name = "accuracy"
    metric: ClassVar[str] = "accuracy"
    direction: ClassVar[Direction] = "maximize"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return accuracy."""
    return [Accuracy]
