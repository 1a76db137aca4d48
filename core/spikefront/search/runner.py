"""Running jobs in a pool: a few wait at the workers, the rest here; failures are tried again as the study says."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from threading import Event

from spikefront.components import Executor, Pool
from spikefront.job import Evaluation, Failure, FailureKind, Job

MOST_DEATHS = 2
"""How many workers a candidate may take along; then it is not tried again, whatever the study says."""

NEVER_AGAIN = f"with this candidate {MOST_DEATHS} workers died, so it is not tried again"

LOOK_AROUND = 0.2
"""Seconds after which a runner that waits for results looks whether it should stop."""

Failures = Mapping[str, Mapping[FailureKind, int]]
"""Hash of a genome -> kind -> how often it failed so."""


class Stopped(Exception):  # noqa: N818  it is no error
    """Somebody asked the search to stop; what had ended is handed over."""


class Runner:
    """Runs jobs.

    Args:
        pool: Where they run.
        executor: Its settings: number of workers, what is tried again.
        failures: What earlier runs of the study recorded; it counts as if it had happened in this one.
        record: Called with the number of a job and its evaluation where that failed and is tried again.
        stop: Set by whoever wants the search to stop.

    Attributes:
        ended: Number of jobs that have ended.
    """

    def __init__(
        self,
        pool: Pool,
        executor: Executor,
        failures: Failures | None = None,
        record: Callable[[int, Evaluation], None] = lambda number, evaluation: None,
        stop: Event | None = None,
    ) -> None:
        self._pool = pool
        self._window = 2 * executor.workers
        self._retries = executor.retries
        self._failures = {genome: Counter(kinds) for genome, kinds in (failures or {}).items()}
        self._record = record
        self._stop = stop or Event()
        self._waiting: deque[tuple[int, Job]] = deque()
        self._running: dict[Future[Evaluation], tuple[int, Job]] = {}
        self.ended = 0

    def run(self, jobs: Mapping[int, Job], leave: int = 0) -> Iterator[tuple[int, Evaluation]]:
        """Yield number and evaluation of jobs as they end, of these and of those left from before.

        Args:
            jobs: By number.
            leave: How many may be left for a later call.

        Raises:
            Stopped: Nothing new is started, and all that has ended was handed over.
        """
        self._waiting.extend(jobs.items())
        while len(self._waiting) + len(self._running) > leave:
            while self._waiting and len(self._running) < self._window and not self._stop.is_set():
                number, job = self._waiting.popleft()
                if not self._deadly(job):
                    self._running[self._pool.submit(job)] = number, job
                    continue
                self.ended += 1
                yield number, Evaluation(job.genome, failure=Failure("worker-died", NEVER_AGAIN))
            done = wait(self._running, timeout=LOOK_AROUND, return_when=FIRST_COMPLETED).done
            for future in done:
                number, job = self._running.pop(future)
                evaluation = future.result()
                if self._again(job, evaluation):
                    self._record(number, evaluation)
                    self._waiting.append((number, job))
                    continue
                self.ended += 1
                yield number, self._told_why(job, evaluation)
            if self._stop.is_set() and not done:
                raise Stopped

    def _deadly(self, job: Job) -> bool:
        return self._failures.get(job.genome.hash, Counter())["worker-died"] >= MOST_DEATHS

    def _again(self, job: Job, evaluation: Evaluation) -> bool:
        """Count a failure, and tell whether the job is tried again."""
        if evaluation.failure is None:
            return False
        kind = evaluation.failure.kind
        known = self._failures.setdefault(job.genome.hash, Counter())
        known[kind] += 1
        return known[kind] <= self._retries.after(kind) and not self._deadly(job)

    def _told_why(self, job: Job, evaluation: Evaluation) -> Evaluation:
        """Add to the message of a candidate that has just taken its last worker along."""
        failure = evaluation.failure
        if failure is None or failure.kind != "worker-died" or not self._deadly(job):
            return evaluation
        return replace(evaluation, failure=replace(failure, message=f"{failure.message}; {NEVER_AGAIN}"))
