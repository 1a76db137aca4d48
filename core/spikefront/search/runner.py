"""Running jobs in a pool: a few wait at the workers, the rest here; failures are tried again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait

from spikefront.components import Executor, Pool
from spikefront.job import Evaluation, Job


class Runner:
    """Runs batches of jobs.

    Attributes:
        ended: Number of jobs that have ended.
    """

    def __init__(self, pool: Pool, executor: Executor) -> None:
        self._pool = pool
        self._window = 2 * executor.workers
        self._retries = executor.retries
        self.ended = 0

    def run(self, jobs: Mapping[int, Job]) -> Iterator[tuple[int, Evaluation]]:
        """Yield number and evaluation of each job, as they end."""
        waiting = deque((number, 0) for number in jobs)
        running: dict[Future[Evaluation], tuple[int, int]] = {}
        while waiting or running:
            while waiting and len(running) < self._window:
                number, tries = waiting.popleft()
                running[self._pool.submit(jobs[number])] = (number, tries)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number, tries = running.pop(future)
                evaluation = future.result()
                if evaluation.failure and tries < self._retries:
                    waiting.append((number, tries + 1))
                    continue
                self.ended += 1
                yield number, evaluation
