"""Accuracy: the share of samples that are classified right."""

from typing import ClassVar

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction
from spikefront.errors import InputError


class Accuracy(Fitness):
    """The task's metric "accuracy" on the validation split, which training never sees."""

    name = "accuracy"
    direction: ClassVar[Direction] = "maximize"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def measure(self, context: Context) -> float:
        if "accuracy" not in context.metrics:
            known = ", ".join(sorted(context.metrics)) or "none"
            raise InputError(
                f"fitness 'accuracy': task '{context.task.name}' has no metric 'accuracy'",
                f"Choose an objective that fits the task; its metrics are: {known}.",
            )
        return context.metrics["accuracy"]


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return accuracy."""
    return [Accuracy]
