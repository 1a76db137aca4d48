"""Coefficient of determination: how much of the targets' variance a regression explains."""

from typing import ClassVar

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction
from spikefront.errors import InputError


class R2(Fitness):
    """The task's metric "r2" on the validation split: 1 is exact, 0 is no better than the mean of the targets."""

    name = "r2"
    direction: ClassVar[Direction] = "maximize"

    def measure(self, context: Context) -> float:
        if "r2" not in context.metrics:
            known = ", ".join(sorted(context.metrics)) or "none"
            raise InputError(
                f"fitness 'r2': task '{context.task.name}' is no regression",
                f"Choose an objective that fits the task; its metrics are: {known}.",
            )
        return context.metrics["r2"]


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return the coefficient of determination."""
    return [R2]
