"""Executor `local`: worker processes on this machine that survive each other's death."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import CancelledError, Future
from typing import ClassVar

from pebble import ProcessExpired, ProcessPool

from spikefront import Executor, hookimpl
from spikefront.components import Pool
from spikefront.evaluate import evaluate
from spikefront.job import Evaluation, Failure, Job
from spikefront.plugins import load
from spikefront.sources import Sources


class Local(Executor):
    """Spawned processes of a pebble pool, one job at a time each; a job over its time is killed with its worker."""

    name: ClassVar[str] = "local"

    def open(self, sources: Sources) -> Pool:
        return _LocalPool(self.workers, self.timeout, sources)


class _LocalPool(Pool):
    def __init__(self, workers: int, timeout: float | None, sources: Sources) -> None:
        self._timeout = timeout
        self._sources = sources
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPool(max_workers=workers, context=context, initializer=load, initargs=(sources,))

    def submit(self, job: Job) -> Future[Evaluation]:
        outcome: Future[Evaluation] = Future()
        task = self._pool.schedule(_evaluate, args=(job, self._sources), timeout=self._timeout)
        task.add_done_callback(lambda done: _settle(outcome, done, job))
        return outcome

    def close(self) -> None:
        self._pool.stop()
        self._pool.join()


def _evaluate(job: Job, sources: Sources) -> Evaluation:
    """Run in the worker, whose registry was loaded when it started."""
    return evaluate(job, load(sources))


def _settle(outcome: Future[Evaluation], done: Future[Evaluation], job: Job) -> None:
    """Turn whatever became of a job in its worker into an evaluation."""
    try:
        outcome.set_result(done.result())
    except CancelledError:
        outcome.cancel()
    except TimeoutError:
        outcome.set_result(Evaluation(job.genome, failure=Failure("time-out", "the evaluation took too long")))
    except ProcessExpired as error:
        message = f"the worker ended with exit code {error.exitcode}"
        outcome.set_result(Evaluation(job.genome, failure=Failure("worker-died", message)))
    except Exception as error:
        outcome.set_result(Evaluation(job.genome, failure=Failure("exception", f"{type(error).__name__}: {error}")))


@hookimpl
def spikefront_executors() -> list[type[Local]]:
    """Return the executor."""
    return [Local]
