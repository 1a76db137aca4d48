"""Running jobs in a pool: a few wait at the workers, the rest here; failures are tried again as the study says."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace

from spikefront.components import Executor, Pool
from spikefront.job import Evaluation, Failure, FailureKind, Job

MOST_DEATHS = 2
"""How many workers a candidate may take along; then it is not tried again, whatever the study says."""

NEVER_AGAIN = f"with this candidate {MOST_DEATHS} workers died, so it is not tried again"

Failures = Mapping[str, Mapping[FailureKind, int]]
"""Hash of a genome -> kind -> how often it failed so."""


class Runner:
    """Runs batches of jobs.

    Args:
        pool: Where they run.
        executor: Its settings: number of workers, what is tried again.
        failures: What earlier runs of the study recorded; it counts as if it had happened in this one.
        record: Called with the number of a job and its evaluation where that failed and is tried again.

    Attributes:
        ended: Number of jobs that have ended.
    """

    def __init__(
        self,
        pool: Pool,
        executor: Executor,
        failures: Failures | None = None,
        record: Callable[[int, Evaluation], None] = lambda number, evaluation: None,
    ) -> None:
        self._pool = pool
        self._window = 2 * executor.workers
        self._retries = executor.retries
        self._failures = {genome: Counter(kinds) for genome, kinds in (failures or {}).items()}
        self._record = record
        self.ended = 0

    def run(self, jobs: Mapping[int, Job]) -> Iterator[tuple[int, Evaluation]]:
        """Yield number and evaluation of each job, as they end."""
        waiting = deque(jobs)
        running: dict[Future[Evaluation], int] = {}
        while waiting or running:
            while waiting and len(running) < self._window:
                number = waiting.popleft()
                if not self._deadly(jobs[number]):
                    running[self._pool.submit(jobs[number])] = number
                    continue
                self.ended += 1
                yield number, Evaluation(jobs[number].genome, failure=Failure("worker-died", NEVER_AGAIN))
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number = running.pop(future)
                evaluation = future.result()
                if self._again(jobs[number], evaluation):
                    self._record(number, evaluation)
                    waiting.append(number)
                    continue
                self.ended += 1
                yield number, self._told_why(jobs[number], evaluation)

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
