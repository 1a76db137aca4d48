"""A plugin with a task that costs nothing, so that what is left is the platform's own time."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from spikefront import Fitness, Task, hookimpl
from spikefront.components import Context, Direction, Parts, Split
from spikefront.randomness import Streams


class Trivial(Task):
    """Three conflicting functions of three numbers."""

    name: ClassVar[str] = "trivial"

    a: float = Field(0.5, ge=0, le=1, description="first number")
    b: float = Field(0.5, ge=0, le=1, description="second number")
    c: float = Field(0.5, ge=0, le=1, description="third number")

    def build(self, parts: Parts, streams: Streams) -> Any:
        return self

    def score(self, phenotype: Any, split: Split, streams: Streams) -> dict[str, float]:
        rest = 1 + (self.c - 0.5) ** 2
        return {"first": self.a * rest, "second": self.b * rest, "third": (1 - self.a) * (1 - self.b) * rest}


class _Metric(Fitness):
    direction: ClassVar[Direction] = "minimize"

    def measure(self, context: Context) -> float | None:
        return context.metrics[self.name]


class First(_Metric):
    """The task's first metric."""

    name: ClassVar[str] = "first"


class Second(_Metric):
    """The task's second metric."""

    name: ClassVar[str] = "second"


class Third(_Metric):
    """The task's third metric."""

    name: ClassVar[str] = "third"


@hookimpl
def spikefront_tasks() -> list[type[Task]]:
    """Return the task."""
    return [Trivial]


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return the objectives."""
    return [First, Second, Third]
