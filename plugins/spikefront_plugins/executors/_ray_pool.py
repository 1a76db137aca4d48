"""The pool of the executor `ray`: jobs as tasks that say when they begin, and a thread that listens."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from spikefront.components import Pool
from spikefront.errors import SpikefrontError
from spikefront.evaluate import evaluate
from spikefront.job import Evaluation, Failure, FailureKind, Job
from spikefront.plugins import load
from spikefront_plugins.executors._limits import Limited, is_spoilt, limit_memory
from spikefront_plugins.executors._luggage import Luggage, unpack

POLL = 0.1
"""Seconds after which jobs are looked at for their time."""


LINGER = 60
"""Seconds that a worker that has to go waits for it."""

MOST_BREAKS = 4
"""How often a job may lose its worker before it begins."""


@dataclass
class _Running:
    """A job that Ray has; `began` and `worker` are known once it runs."""

    outcome: Future[Evaluation]
    job: Job
    began: float | None = None
    worker: str = ""
    late: bool = False
    breaks: int = 0


class RayPool(Pool):
    """Gives Ray as many jobs as there are workers; a thread waits for their beginnings and ends.

    Args:
        ray: The package, connected.
        settings: Workers and limits.
        resources: What a task takes, by Ray's names.
        luggage: What workers need to know.
        shut_down: Ends Ray; None where it is not ours to end.
    """

    def __init__(
        self,
        ray: Any,
        settings: Limited,
        resources: Mapping[str, float],
        luggage: Luggage,
        shut_down: Callable[[], None] | None,
    ) -> None:
        self._ray = ray
        self._settings = settings
        self._shut_down = shut_down
        self._task = ray.remote(
            num_cpus=resources["CPU"],
            num_gpus=resources["GPU"],
            memory=resources["memory"] or None,
            max_retries=0,
            max_calls=settings.jobs or 0,
            num_returns="streaming",
        )(_evaluate)
        self._luggage = ray.put(luggage)
        self._changed = threading.Condition(threading.RLock())
        self._waiting: deque[_Running] = deque()
        self._running: dict[Any, _Running] = {}
        self._closed = False
        self._lost: SpikefrontError | None = None
        self._thread = threading.Thread(target=self._watch, name="spikefront-ray", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> Future[Evaluation]:
        with self._changed:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if self._lost:
                raise self._lost
            self._waiting.append(_Running(Future(), job))
            outcome = self._waiting[-1].outcome
            self._hand_out()
            self._changed.notify()
        return outcome

    def close(self) -> None:
        with self._changed:
            if self._closed:
                return
            self._closed = True
            given_up = [*self._running.values(), *self._waiting]
            for task in self._running:
                self._ray.cancel(task, force=True)
            self._changed.notify()
        self._thread.join()
        self._running.clear()
        self._waiting.clear()
        if self._shut_down:
            self._shut_down()
        for running in given_up:
            running.outcome.cancel()
            running.outcome.set_running_or_notify_cancel()

    def _hand_out(self) -> None:
        while self._waiting and not self._closed and len(self._running) < self._settings.workers:
            running = self._waiting.popleft()
            self._running[self._task.remote(running.job, self._luggage, self._settings.memory)] = running

    def _watch(self) -> None:
        """Wait for what Ray says until the pool is closed."""
        try:
            while not self._closed:
                with self._changed:
                    self._changed.wait_for(lambda: self._running or self._closed)
                    tasks = list(self._running)
                for task in self._ray.wait(tasks, timeout=POLL)[0] if tasks else []:
                    self._hear(task)
                self._stop_late()
        except Exception as error:  # the connection is lost: nothing will come any more
            self._give_up(error)

    def _hear(self, task: Any) -> None:
        """Take the next that a task says: that it began, or what came of it."""
        running = self._running[task]
        try:
            said = self._ray.get(next(task))
        except self._ray.exceptions.RayError as error:
            if self._is_innocent(running, error):
                self._put_back(task)
                return
            said = self._failed(running, error)
        if isinstance(said, Evaluation):
            self._settle(task, said)
        else:
            running.began, running.worker = time.monotonic(), said

    def _is_innocent(self, running: _Running, error: Exception) -> bool:
        """Tell whether a job was lost before it began, with a worker that ended for another reason."""
        began_or_refused = running.began is not None or isinstance(error, self._ray.exceptions.RayTaskError)
        return not began_or_refused and running.breaks < MOST_BREAKS

    def _put_back(self, task: Any) -> None:
        with self._changed:
            running = self._running.pop(task)
            running.breaks += 1
            self._waiting.appendleft(running)
            self._hand_out()

    def _settle(self, task: Any, evaluation: Evaluation) -> None:
        with self._changed:
            if self._closed:
                return
            running = self._running.pop(task)
            if is_spoilt(evaluation, self._settings.memory):
                self._ray.cancel(task, force=True)
            self._hand_out()
        running.outcome.set_result(evaluation)

    def _stop_late(self) -> None:
        """Cancel what takes too long, counted from when it began."""
        limit, now = self._settings.timeout, time.monotonic()
        for task, running in list(self._running.items()):
            if limit and running.began and now - running.began > limit and not running.late:
                running.late = True
                self._ray.cancel(task, force=True)

    def _failed(self, running: _Running, error: Exception) -> Evaluation:
        failure = self._what_happened(running, error)
        seconds = time.monotonic() - running.began if running.began else 0.0
        return Evaluation(running.job.genome, failure=failure, seconds=seconds, worker=running.worker)

    def _what_happened(self, running: _Running, error: Exception) -> Failure:
        known = self._ray.exceptions
        if running.late:
            return Failure("time-out", f"the evaluation took more than {self._settings.timeout:g} s")
        if isinstance(error, known.OutOfMemoryError):
            return Failure("out-of-memory", f"Ray ended the worker, as its machine ran out of memory: {error}")
        if isinstance(error, known.RayTaskError):
            cause = error.cause
            kind: FailureKind = "plugin" if isinstance(cause, SpikefrontError) else "exception"
            return Failure(kind, f"{type(cause).__name__}: {cause}", str(error))
        if isinstance(error, known.WorkerCrashedError):
            return Failure("worker-died", "the worker ended")
        what = "machine" if isinstance(error, known.NodeDiedError) else "worker"
        first = " ".join(str(error).split()).partition(". ")[0]
        return Failure("worker-died", f"the {what} was lost: {first}", str(error))

    def _give_up(self, error: Exception) -> None:
        message = f"the connection to Ray is lost: {' '.join(str(error).split())}"
        with self._changed:
            self._lost = SpikefrontError(message, "Run the study again to go on with it.")
            lost = [*self._running.values(), *self._waiting]
            self._running.clear()
            self._waiting.clear()
        for running in lost:
            running.outcome.set_exception(self._lost)


def _evaluate(job: Job, luggage: Luggage, memory: float | None) -> Iterator[str | Evaluation]:
    """Run in the worker: say who is at work, then what came of it."""
    sources = unpack(luggage)
    registry = load(sources)
    if memory is not None:
        limit_memory(memory)
    yield f"{platform.node()}:{os.getpid()}"
    evaluation = evaluate(job, registry)
    yield evaluation
    if is_spoilt(evaluation, memory):
        time.sleep(LINGER)  # until it is cancelled together with this worker
