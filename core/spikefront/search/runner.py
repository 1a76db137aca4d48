"""Running jobs in a pool: a few wait at the workers, the rest here; failures are tried again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from threading import Event

from spikefront.components import Executor, Pool
from spikefront.job import Evaluation, Job

LOOK_AROUND = 0.2
"""Seconds after which a runner that waits for results looks whether it should stop."""


class Stopped(Exception):  # noqa: N818  it is no error
    """Somebody asked the search to stop; what had ended is handed over."""


class Runner:
    """Runs jobs.

    Args:
        pool: Where.
        executor: What the pool belongs to.
        stop: Set by whoever wants the search to stop.

    Attributes:
        ended: Number of jobs that have ended.
    """

    def __init__(self, pool: Pool, executor: Executor, stop: Event) -> None:
        self._pool = pool
        self._window = 2 * executor.workers
        self._retries = executor.retries
        self._stop = stop
        self._waiting: deque[tuple[int, Job, int]] = deque()
        self._running: dict[Future[Evaluation], tuple[int, Job, int]] = {}
        self.ended = 0

    def run(self, jobs: Mapping[int, Job], leave: int = 0) -> Iterator[tuple[int, Evaluation]]:
        """Yield number and evaluation of jobs as they end, these and those left from before.

        Args:
            jobs: By number.
            leave: How many may be left for a later call.

        Raises:
            Stopped: Nothing new is started, and all that has ended was handed over.
        """
        self._waiting.extend((number, job, 0) for number, job in jobs.items())
        while len(self._waiting) + len(self._running) > leave:
            while self._waiting and len(self._running) < self._window and not self._stop.is_set():
                number, job, tries = self._waiting.popleft()
                self._running[self._pool.submit(job)] = (number, job, tries)
            done = wait(self._running, timeout=LOOK_AROUND, return_when=FIRST_COMPLETED).done
            for future in done:
                number, job, tries = self._running.pop(future)
                evaluation = future.result()
                if evaluation.failure and tries < self._retries:
                    self._waiting.append((number, job, tries + 1))
                    continue
                self.ended += 1
                yield number, evaluation
            if self._stop.is_set() and not done:
                raise Stopped
