"""An executor for a machine that others use too: it rests after each evaluation."""

from __future__ import annotations

import time
from concurrent.futures import Future

from pydantic import Field

from spikefront import Executor, hookimpl
from spikefront.components import Pool
from spikefront.evaluate import evaluate
from spikefront.job import Evaluation, Job
from spikefront.plugins import Registry, load
from spikefront.sources import Sources


class NewComponent(Executor):
    """Evaluates in this process, one candidate at a time, and sleeps `rest` times as long after each.

    It is busy for 1 / (1 + rest) of the time. As with `inline`, time-outs cannot be enforced, and a crash takes the
    study along; what was recorded stays.
    """

    name = "new-component"

    rest: float = Field(0.5, ge=0, le=1000, description="time of rest, in times that of the evaluation before")

    def open(self, sources: Sources) -> Pool:
        return RestingPool(load(sources), self.rest)


class RestingPool(Pool):
    """Evaluates when a job is submitted: every future has its result already."""

    def __init__(self, registry: Registry, rest: float) -> None:
        self._registry = registry
        self._rest = rest

    def submit(self, job: Job) -> Future[Evaluation]:
        future: Future[Evaluation] = Future()
        future.set_result(evaluate(job, self._registry))
        time.sleep(self._rest * future.result().seconds)
        return future

    def close(self) -> None:
        """Nothing is left running."""


@hookimpl
def spikefront_executors() -> list[type[Executor]]:
    """Return this module's executor."""
    return [NewComponent]
