"""Executor `local`: worker processes on this machine that survive each other's death."""

from __future__ import annotations

import functools
import tempfile
import threading
from collections import deque
from concurrent.futures import Future
from pathlib import Path
from typing import ClassVar

from spikefront import hookimpl
from spikefront.components import Pool
from spikefront.job import Evaluation, Job
from spikefront.sources import Sources
from spikefront_plugins.executors._desk import Desk
from spikefront_plugins.executors._limits import Limited


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
        self._desks = [Desk(settings, sources, folder / str(number)) for number in range(settings.workers)]
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

    def _settle(self, desk: Desk, outcome: Future[Evaluation], job: Job, evaluation: Evaluation | None) -> None:
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


@hookimpl
def spikefront_executors() -> list[type[Local]]:
    """Return the executor."""
    return [Local]
