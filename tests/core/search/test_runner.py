"""Running jobs: which failures are tried again, how often, and which candidates never."""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import Future

import pytest

from spikefront.components import Executor, Pool, Retries
from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure, FailureKind, Job
from spikefront.search.runner import NEVER_AGAIN, Runner
from spikefront.sources import Sources


class Fake(Executor):
    """Settings without workers."""

    name = "fake"

    def open(self, sources: Sources) -> Pool:
        raise NotImplementedError


class Scripted(Pool):
    """Lets each genome fail in the way that its script says, then succeed."""

    def __init__(self, scripts: dict[int, list[FailureKind]]) -> None:
        self.scripts = scripts
        self.seen: Counter[int] = Counter()

    def submit(self, job: Job) -> Future[Evaluation]:
        number = job.genome["a"]
        script, tries = self.scripts.get(number, []), self.seen[number]
        self.seen[number] += 1
        failure = Failure(script[tries], f"try {tries}") if tries < len(script) else None
        future: Future[Evaluation] = Future()
        future.set_result(Evaluation(job.genome, failure=failure, worker=f"worker {tries}"))
        return future

    def close(self) -> None:
        pass


def jobs(number: int) -> dict[int, Job]:
    return {n: Job("{}", Genome({"a": n})) for n in range(number)}


def kinds(found: dict[int, Evaluation]) -> dict[int, str | None]:
    return {number: evaluation.failure and evaluation.failure.kind for number, evaluation in found.items()}


@pytest.mark.parametrize("kind", ["exception", "not-finite", "out-of-memory", "time-out", "plugin"])
def test_what_would_fail_again_is_not_tried_again(kind: FailureKind) -> None:
    pool = Scripted({1: [kind]})
    runner = Runner(pool, Fake())
    assert kinds(dict(runner.run(jobs(3)))) == {0: None, 1: kind, 2: None}
    assert (pool.seen.total(), runner.ended) == (3, 3)


def test_a_job_whose_worker_died_is_tried_once_more_and_every_failed_try_is_told() -> None:
    tried: dict[int, list[Evaluation]] = defaultdict(list)
    pool = Scripted({1: ["worker-died"], 2: ["worker-died", "exception"]})
    runner = Runner(pool, Fake(), record=lambda number, evaluation: tried[number].append(evaluation))
    assert kinds(dict(runner.run(jobs(3)))) == {0: None, 1: None, 2: "exception"}
    assert {number: [e.worker for e in them] for number, them in tried.items()} == {1: ["worker 0"], 2: ["worker 0"]}
    assert runner.ended == 3


def test_each_kind_has_its_own_number_of_tries() -> None:
    retries = Retries.model_validate({"exception": 2, "time-out": 1})
    scripts: dict[int, list[FailureKind]] = {
        0: ["exception", "exception", "time-out", "worker-died"],
        1: ["exception", "exception", "exception"],
        2: ["time-out", "exception", "time-out"],
    }
    pool = Scripted(scripts)
    found = dict(Runner(pool, Fake(retries=retries)).run(jobs(3)))
    assert kinds(found) == {0: None, 1: "exception", 2: "time-out"}
    assert pool.seen == {0: 5, 1: 3, 2: 3}


def test_a_number_stands_for_every_kind() -> None:
    retries = Fake.model_validate({"retries": 2}).retries
    assert set(retries.model_dump().values()) == {2}
    assert hash(Fake(retries=retries)) != hash(Fake())


def test_who_took_two_workers_along_is_never_tried_again() -> None:
    pool = Scripted({1: ["worker-died"] * 9})
    retries = Retries.model_validate({"worker-died": 8})
    found = dict(Runner(pool, Fake(retries=retries)).run(jobs(2)))
    assert kinds(found) == {0: None, 1: "worker-died"}
    assert found[1].failure == Failure("worker-died", f"try 1; {NEVER_AGAIN}")
    assert pool.seen[1] == 2


def test_failures_of_earlier_runs_count() -> None:
    pool = Scripted({0: ["worker-died"], 2: ["time-out"]})
    known: dict[int, dict[FailureKind, int]] = {0: {"worker-died": 1}, 1: {"worker-died": 2}, 2: {"time-out": 1}}
    failures = {Genome({"a": number}).hash: counts for number, counts in known.items()}
    retries = Retries.model_validate({"worker-died": 5, "time-out": 1})
    found = dict(Runner(pool, Fake(retries=retries), failures).run(jobs(4)))
    assert kinds(found) == {0: "worker-died", 1: "worker-died", 2: "time-out", 3: None}
    assert found[1].failure == Failure("worker-died", NEVER_AGAIN)
    assert pool.seen == {0: 1, 2: 1, 3: 1}


def test_more_jobs_than_workers_can_take_wait_here() -> None:
    pool = Scripted({})
    run = Runner(pool, Fake(workers=2)).run(jobs(20))
    next(run)
    assert pool.seen.total() == 4
    assert len(dict(run)) == 19
