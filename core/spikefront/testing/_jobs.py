"""A plugin for trying executors and exporters: a task without data whose candidates do as they are told."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

from pydantic import Field

from spikefront.components import Context, Direction, Fitness, Fitted, Parts, Session, Split, Task, Trainer
from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.randomness import Streams
from spikefront.sources import Sources, hookimpl

SOURCES = Sources(modules=(__name__,))
"""Where workers find this plugin, beside the installed ones."""


class JobTask(Task):
    """Scores half of its number, or raises an error."""

    name = "contract-job"

    value: float = Field(1.0, ge=0, le=100, description="twice the score")
    behaviour: Literal["well", "raise"] = Field("well", description="whether the candidate fails")

    def build(self, parts: Parts, streams: Streams) -> Any:
        return self.value

    def score(self, phenotype: Any, split: Split, streams: Streams) -> dict[str, float]:
        if self.behaviour == "raise":
            raise ValueError("this candidate fails")
        return {"half": phenotype / 2}


class JobScore(Fitness):
    """The score of the task."""

    name = "contract-half"
    direction: ClassVar[Direction] = "minimize"

    def measure(self, context: Context) -> float:
        return context.metrics["half"]


class JobTrainer(Trainer):
    """Does nothing."""

    name = "contract-rest"

    def fit(self, phenotype: Any, task: Task, session: Session) -> Fitted:
        return Fitted(phenotype)


def document(behaviour: str = "well") -> dict[str, Any]:
    """Return a study of this plugin's components, with one searched number."""
    return {
        "study": {"name": "contract", "seed": 1, "objectives": ["contract-half"]},
        "task": {"use": "contract-job", "behaviour": behaviour, "value": {"low": 0.0, "high": 10.0}},
        "trainer": {"use": "contract-rest"},
        "search": {"generations": 1},
    }


def job(value: float, behaviour: str = "well") -> Job:
    """Return a job whose candidate scores half of a value, or fails."""
    return Job(json.dumps(document(behaviour)), Genome({"task.value": value}))


@hookimpl
def spikefront_tasks() -> list[type[Task]]:
    """Return the task."""
    return [JobTask]


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return the score."""
    return [JobScore]


@hookimpl
def spikefront_trainers() -> list[type[Trainer]]:
    """Return the trainer."""
    return [JobTrainer]
