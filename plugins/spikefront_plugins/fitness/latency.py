"""Latency: how many time steps an answer takes."""

from typing import ClassVar

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction


class Latency(Fitness):
    """The number T of time steps that the coder gives."""

    name = "latency"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "steps"

    def measure(self, context: Context) -> float:
        return context.parts.coder.steps


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return latency."""
    return [Latency]
