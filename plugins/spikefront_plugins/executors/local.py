"""Executor `local`: worker processes on this machine that survive each other's death."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import ClassVar

from pebble import ProcessExpired, ProcessPool

from spikefront import hookimpl
from spikefront.components import Pool
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


class Local(Limited):
    """Spawned processes of pebble, one job at a time each; a job over its time is killed with its worker."""

    name: ClassVar[str] = "local"

    def open(self, sources: Sources) -> Pool:
        return _LocalPool(self, sources)


class _LocalPool(Pool):
    """Hands jobs to desks, each with one worker; what a dying worker holds, locks or half a result, is its own."""

    def __init__(self, settings: Local, sources: Sources) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="spikefront-")
        folder = Path(self._folder.name)
        self._desks = [_Desk(settings, sources, folder / str(number)) for number in range(settings.workers)]
        self._idle = list(reversed(self._desks))
        self._lock = threading.RLock()
        self._waiting: deque[tuple[Future[Evaluation], Job]] = deque()
        self._open: set[Future[Evaluation]] = set()
        self._closed = False

    def submit(self, job: Job) -> Future[Evaluation]:
        outcome: Future[Evaluation] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._open.add(outcome)
            self._waiting.append((outcome, job))
            self._hand_out()
        return outcome

    def close(self) -> None:
        with self._lock:
            self._closed = True
            given_up = list(self._open)
            self._open.clear()
            self._waiting.clear()
            for desk in self._desks:
                desk.close()
        for desk in self._desks:
            desk.join()
        self._folder.cleanup()
        for outcome in given_up:
            outcome.cancel()
            outcome.set_running_or_notify_cancel()

    def _hand_out(self) -> None:
        while self._waiting and self._idle:
            desk, (outcome, job) = self._idle.pop(), self._waiting.popleft()
            desk.run(job, functools.partial(self._settle, desk, outcome, job))

    def _settle(self, desk: _Desk, outcome: Future[Evaluation], job: Job, evaluation: Evaluation | None) -> None:
        """Take what became of a job; one that never began goes back to the head of the queue."""
        with self._lock:
            if self._closed:
                return
            self._idle.append(desk)
            if evaluation is None:
                self._waiting.appendleft((outcome, job))
            else:
                self._open.remove(outcome)
            self._hand_out()
        if evaluation:
            outcome.set_result(evaluation)


class _Desk:
    """One worker after the other, each in a pebble pool of its own."""

    def __init__(self, settings: Local, sources: Sources, words: Path) -> None:
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
            case BrokenProcessPool() if not began:
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


@hookimpl
def spikefront_executors() -> list[type[Local]]:
    """Return the executor."""
    return [Local]
