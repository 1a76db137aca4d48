"""The contract of executors."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import ClassVar

from spikefront.components import Executor, Pool
from spikefront.errors import InputError
from spikefront.job import Evaluation
from spikefront.testing._contract import ComponentContract, require, skip, told
from spikefront.testing._jobs import SOURCES, job


class ExecutorContract(ComponentContract[Executor]):
    """What holds for an executor; each check starts its workers once.

    Attributes:
        patience: Seconds after which an evaluation counts as lost.
    """

    kind: ClassVar[str] = "executor"
    patience: ClassVar[float] = 120.0

    def test_jobs_come_back(self, component: Executor) -> None:
        """Each job ends in the evaluation of its own genome, with place and time; a failing job is a value."""
        jobs = [job(2.0), job(0.0, "raise"), job(6.0), job(8.0)]
        pool = _opened(component)
        try:
            futures = [pool.submit(one) for one in jobs]
            evaluations = [self._result(component, future) for future in futures]
        finally:
            pool.close()
        for one, evaluation in zip(jobs, evaluations, strict=True):
            require(
                isinstance(evaluation, Evaluation) and evaluation.genome == one.genome,
                f"{told(component)}: a job ended in {type(evaluation).__name__} of another genome than its own",
            )
            require(
                bool(evaluation.worker) and evaluation.seconds >= 0,
                f"{told(component)}: an evaluation does not say who did it; return what `evaluate` returns",
            )
        failure = evaluations[1].failure
        require(
            failure is not None and failure.kind == "exception" and "this candidate fails" in failure.message,
            f"{told(component)}: a candidate that raised an error ended as {failure}; a failure is a value, of kind "
            "'exception' and with the error's message",
        )
        found = [evaluation.measurements for evaluation in (evaluations[0], *evaluations[2:])]
        means = [one["contract-half"].mean if "contract-half" in one else None for one in found]
        reasons = [evaluation.failure for evaluation in evaluations if evaluation.failure]
        require(
            means == [1.0, 3.0, 4.0],
            f"{told(component)}: candidates measured {means}; 1, 3 and 4 are right. Failures: {reasons}",
        )

    def test_it_closes(self, component: Executor) -> None:
        """Closing gives up what has not ended, leaves nothing waiting, and does not hang."""
        pool = _opened(component)
        futures = [pool.submit(job(float(number))) for number in range(4)]
        closing = threading.Thread(target=pool.close, daemon=True)
        closing.start()
        closing.join(self.patience)
        require(not closing.is_alive(), f"{told(component)}: close did not return within {self.patience:g} s")
        waiting = [future for future in futures if not future.done()]
        require(
            not waiting,
            f"{told(component)}: {len(waiting)} of {len(futures)} futures are still pending after close; cancel them",
        )

    def _result(self, component: Executor, future: Future[Evaluation]) -> Evaluation:
        try:
            return future.result(self.patience)
        except FutureTimeoutError:
            message = f"{told(component)}: an evaluation did not end within {self.patience:g} s"
        except Exception as error:
            message = f"{told(component)}: a future raised {type(error).__name__}: {error}; a failure is a value"
        raise AssertionError(message)


def _opened(component: Executor) -> Pool:
    try:
        return component.open(SOURCES)
    except InputError as error:
        raise skip(f"its workers cannot be had here: {error.message}") from None
