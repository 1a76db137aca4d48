"""The desks of the executor `local`: one worker each, and what became of its job."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from spikefront.evaluate import evaluate
from spikefront.job import Evaluation, Failure, Job
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront_plugins.executors._last_words import last_words, leaving_words
from spikefront_plugins.executors._limits import Limited, is_spoilt, limit_memory
from spikefront_plugins.executors._worker import Context

MOST_BREAKS = 2
"""How often in a row a worker may end by itself before it begins a job."""

MOST_KILLS = 20
"""How often in a row a worker may be killed before it begins a job; somebody else does that."""


class Desk:
    """One worker after the other, each in a pebble pool of its own."""

    def __init__(self, settings: Limited, sources: Sources, words: Path) -> None:
        self._settings = settings
        self._sources = sources
        self._words = words
        self._ending: list[threading.Thread] = []
        self._breaks = 0
        self._open()

    def run(self, job: Job, done: Callable[[Evaluation | None], None]) -> None:
        """Start a job; `done` is called with what became of it, or None where it never began."""
        arguments = (job, self._sources, self._words)
        self._words.unlink(missing_ok=True)
        try:
            task = self._pool.schedule(_evaluate, args=arguments, timeout=self._settings.timeout)
        except RuntimeError:  # its worker died while it had nothing to do
            self._replace()
            task = self._pool.schedule(_evaluate, args=arguments, timeout=self._settings.timeout)
        task.add_done_callback(lambda ended: self._ended(ended, job, done))

    def close(self) -> None:
        """Begin to stop the worker."""
        self._ending = [thread for thread in self._ending if thread.is_alive()]
        self._ending.append(threading.Thread(target=_end, args=(self._pool,), daemon=True))
        self._ending[-1].start()

    def join(self) -> None:
        """Wait until all workers of this desk are gone."""
        for thread in self._ending:
            thread.join()

    def _open(self) -> None:
        self._context = Context()
        limit = self._settings.memory
        self._pool = ProcessPool(1, initializer=_prepare, initargs=(self._sources, limit), context=self._context)
        self._jobs = 0

    def _replace(self) -> None:
        self.close()
        self._open()

    def _ended(self, ended: Future[Evaluation], job: Job, done: Callable[[Evaluation | None], None]) -> None:
        evaluation: Evaluation | None
        try:
            evaluation = ended.result()
        except CancelledError:
            return
        except Exception as error:
            evaluation = self._what_happened(error, job)
            self._replace()
        else:
            self._breaks = 0
            self._jobs += 1
            if self._jobs == self._settings.jobs or is_spoilt(evaluation, self._settings.memory):
                self._replace()
        done(evaluation)

    def _what_happened(self, error: Exception, job: Job) -> Evaluation | None:
        words, worker = last_words(self._words), self._context.worker
        failure = self._failure(error, began=words is not None)
        if failure is None:
            return None
        if words is None or worker is None:
            return Evaluation(job.genome, failure=failure)
        return Evaluation(
            job.genome,
            failure=Failure(failure.kind, failure.message, words.traceback),
            seconds=words.seconds,
            peak_memory=worker.peak_memory,
            worker=worker.place,
        )

    def _failure(self, error: Exception, *, began: bool) -> Failure | None:
        match error:
            case BrokenProcessPool() | ProcessExpired() if not began:
                return self._before_it_began()
            case TimeoutError():
                return Failure("time-out", f"the evaluation took more than {self._settings.timeout:g} s")
            case ProcessExpired(exitcode=code):
                return Failure("worker-died", f"the worker {_end_of(code)}")
            case BrokenProcessPool():
                return Failure("worker-died", "the worker ended")
        return Failure("exception", f"{type(error).__name__}: {error}")

    def _before_it_began(self) -> Failure | None:
        """Count a worker that died without a job; None as long as others may do better."""
        worker = self._context.worker
        killed = worker is not None and worker.exitcode == -signal.SIGKILL
        self._breaks += 1
        if self._breaks <= (MOST_KILLS if killed else MOST_BREAKS):
            return None
        end = f"; the last one {_end_of(worker.exitcode)}" if worker and worker.exitcode is not None else ""
        return Failure("worker-died", f"the workers end before they start a job{end}")


def _end_of(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    reason = ", as the kernel does when memory runs out" if code == -signal.SIGKILL else ""
    return f"was ended by {signal.Signals(-code).name}{reason}"


def _end(pool: ProcessPool) -> None:
    pool.stop()
    pool.join()


def _prepare(sources: Sources, memory: float | None) -> None:
    """Make a process a worker, which ends with the coordinator, even amid a job."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    load(sources)
    if memory is not None:
        limit_memory(memory)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _evaluate(job: Job, sources: Sources, words: Path) -> Evaluation:
    """Run in the worker, whose registry was loaded when it started."""
    with leaving_words(words):
        return evaluate(job, load(sources))
