"""A plugin with a task that only takes time."""

from __future__ import annotations

import time
from typing import ClassVar

from pydantic import Field

from benchmarks.trivial import First, Second
from spikefront import Fitness, Task, hookimpl
from spikefront.components import Parts, Split
from spikefront.randomness import Streams


class Sleeping(Task):
    """Sleeps, and measures its only number."""

    name: ClassVar[str] = "sleeping"

    a: float = Field(0.5, ge=0, le=1, description="what is measured")
    seconds: float = Field(1.0, ge=0, description="how long it sleeps")

    def build(self, parts: Parts, streams: Streams) -> Sleeping:
        return self

    def score(self, phenotype: Sleeping, split: Split, streams: Streams) -> dict[str, float]:
        time.sleep(self.seconds)
        return {"first": self.a, "second": 1 - self.a}


@hookimpl
def spikefront_tasks() -> list[type[Task]]:
    """Return the task."""
    return [Sleeping]


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return the fitness terms."""
    return [First, Second]
