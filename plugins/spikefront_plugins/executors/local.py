"""Executor `local`: worker processes on this machine that survive each other's death."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import ClassVar

from pebble import ProcessExpired, ProcessPool

from spikefront import Executor, hookimpl
from spikefront.components import Pool
from spikefront.evaluate import evaluate
from spikefront.job import Evaluation, Failure, Job
from spikefront.plugins import load
from spikefront.sources import Sources

MOST_BREAKS = 2
"""How often in a row, without a result in between, a broken pool is replaced."""


class Local(Executor):
    """Spawned processes of a pebble pool, one job at a time each; a job over its time is killed with its worker."""

    name: ClassVar[str] = "local"

    def open(self, sources: Sources) -> Pool:
        return _LocalPool(self.workers, self.timeout, sources)


class _LocalPool(Pool):
    """A pebble pool, and another one where it breaks: it does when a worker dies while none has a job."""

    def __init__(self, workers: int, timeout: float | None, sources: Sources) -> None:
        self._workers = workers
        self._timeout = timeout
        self._sources = sources
        self._lock = threading.RLock()
        self._open: dict[Future[Evaluation], Job] = {}
        self._breaks = 0
        self._closed = False
        self._ending: list[threading.Thread] = []
        self._pool = self._new()

    def submit(self, job: Job) -> Future[Evaluation]:
        outcome: Future[Evaluation] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._open[outcome] = job
            self._schedule(outcome)
        return outcome

    def close(self) -> None:
        with self._lock:
            self._closed = True
            given_up = list(self._open)
            self._open.clear()
        _end(self._pool)
        for thread in self._ending:
            thread.join()
        for outcome in given_up:
            outcome.cancel()
            outcome.set_running_or_notify_cancel()

    def _new(self) -> ProcessPool:
        return ProcessPool(self._workers, initializer=load, initargs=(self._sources,), context=_Context())

    def _schedule(self, outcome: Future[Evaluation]) -> None:
        pool = self._pool
        try:
            task = pool.schedule(_evaluate, args=(self._open[outcome], self._sources), timeout=self._timeout)
        except RuntimeError:
            self._replace()
        else:
            task.add_done_callback(lambda done: self._settle(done, outcome, pool))

    def _settle(self, done: Future[Evaluation], outcome: Future[Evaluation], pool: ProcessPool) -> None:
        """Turn whatever became of a job in its worker into an evaluation."""
        with self._lock:
            if outcome not in self._open:
                return
            if not isinstance(done.exception(), BrokenProcessPool):
                self._breaks = 0
                outcome.set_result(_evaluation(done, self._open.pop(outcome)))
            elif pool is self._pool:
                self._replace()

    def _replace(self) -> None:
        """Put a new pool in place of one that broke, and give it all open jobs."""
        self._breaks += 1
        self._ending.append(threading.Thread(target=_end, args=(self._pool,)))
        self._ending[-1].start()
        self._pool = self._new()
        for outcome, job in list(self._open.items()):
            if self._breaks <= MOST_BREAKS:
                self._schedule(outcome)
            else:
                failure = Failure("worker-died", "the workers end before they start a job")
                del self._open[outcome]
                outcome.set_result(Evaluation(job.genome, failure=failure))


class _Worker(SpawnProcess):
    """A worker has no reason to end; pebble would wait for ever for the job of one that exits with 0."""

    @property
    def exitcode(self) -> int | None:
        code = super().exitcode
        return 255 if code == 0 else code


class _Context(SpawnContext):
    Process = _Worker


def _end(pool: ProcessPool) -> None:
    pool.stop()
    pool.join()


def _evaluate(job: Job, sources: Sources) -> Evaluation:
    """Run in the worker, whose registry was loaded when it started."""
    return evaluate(job, load(sources))


def _evaluation(done: Future[Evaluation], job: Job) -> Evaluation:
    try:
        return done.result()
    except TimeoutError:
        failure = Failure("time-out", "the evaluation took too long")
    except ProcessExpired as error:
        failure = Failure("worker-died", f"the worker ended with exit code {error.exitcode}")
    except Exception as error:
        failure = Failure("exception", f"{type(error).__name__}: {error}")
    return Evaluation(job.genome, failure=failure)


@hookimpl
def spikefront_executors() -> list[type[Local]]:
    """Return the executor."""
    return [Local]
