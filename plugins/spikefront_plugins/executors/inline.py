"""Executor `inline`: evaluates in the coordinator's own process, for debugging."""

from __future__ import annotations

from concurrent.futures import Future
from typing import ClassVar

from spikefront import Executor, hookimpl
from spikefront.components import Pool
from spikefront.evaluate import evaluate
from spikefront.job import Evaluation, Job
from spikefront.plugins import Registry, load
from spikefront.sources import Sources


class Inline(Executor):
    """One job at a time, in this process. Time-outs cannot be enforced, and a crash takes the study along."""

    name: ClassVar[str] = "inline"

    def open(self, sources: Sources) -> Pool:
        return _InlinePool(load(sources))


class _InlinePool(Pool):
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def submit(self, job: Job) -> Future[Evaluation]:
        future: Future[Evaluation] = Future()
        future.set_result(evaluate(job, self._registry))
        return future

    def close(self) -> None:
        """Nothing is left running."""


@hookimpl
def spikefront_executors() -> list[type[Inline]]:
    """Return the executor."""
    return [Inline]
