"""Going on with a search: a longer budget, a fresh algorithm, one process at a time, and parts of generations."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest
from test_coordinator import TRIVIAL, document, interrupt_at, run, told

from spikefront import Executor, hookimpl
from spikefront.components import Pool
from spikefront.errors import LeaseError, StudyFileError
from spikefront.evaluate import evaluate
from spikefront.job import Evaluation, Job
from spikefront.plugins import Registry, load
from spikefront.search.coordinator import ReplayError, Search
from spikefront.search.lease import Lease
from spikefront.settings import Budget
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, StudyStore, queries

PARTIAL = ("nsga2", "nsga3", "age-moea2", "sms-emoa", "random", "tpe")


class Uneven(Executor):
    """Threads; every third job, by its genes, takes a while."""

    name: ClassVar[str] = "uneven"

    def open(self, sources: Sources) -> Pool:
        return UnevenPool(self.workers)


class UnevenPool(Pool):
    def __init__(self, workers: int) -> None:
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, job: Job) -> Future[Evaluation]:
        return self._threads.submit(self._run, job)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _run(self, job: Job) -> Evaluation:
        if int(job.genome.hash[:4], 16) % 3 == 0:
            threading.Event().wait(0.05)
        return evaluate(job, with_uneven())


def search(database: Database, whole: dict[str, Any], **arguments: Any) -> str:
    registry = with_uneven()
    return Search(Specification.from_document(whole, registry), database, **arguments).run()


def with_uneven() -> Registry:
    return load(Sources(modules=("benchmarks.trivial", "test_resume")))


@hookimpl
def spikefront_executors() -> list[type[Executor]]:
    return [Uneven]


def uneven(**changes: Any) -> dict[str, Any]:
    """Return a study that asks for more when half of a generation has ended."""
    return document(search__wait=0.5, execution={"use": "uneven", "workers": 4}, **changes)


@pytest.mark.parametrize("algorithm", ["nsga2", "tpe"])
def test_a_longer_budget_goes_on_where_the_shorter_one_ended(tmp_path: Path, algorithm: str) -> None:
    whole = document(search__algorithm=algorithm)
    with Database.open(tmp_path / "whole.db", create=True) as database:
        run(database, document(search__algorithm=algorithm, search__generations=6))
        expected = told(database)
    with Database.open(tmp_path / "parts.db", create=True) as database:
        run(database, whole)
        assert search(database, whole, extension={"generations": 6}) == "finished"
        assert told(database) == expected
        assert queries.study(database, "trivial").extension == {"generations": 6}
        assert search(database, whole) == "finished"  # it is remembered
        assert told(database) == expected


def test_a_budget_that_ended_within_a_generation_is_extended(tmp_path: Path) -> None:
    with Database.open(tmp_path / "whole.db", create=True) as database:
        run(database, document(search__generations=None, search__evaluations=38))
        expected = told(database)
    with Database.open(tmp_path / "parts.db", create=True) as database:
        short = document(search__generations=None, search__evaluations=23)
        run(database, short)
        assert search(database, short, extension={"evaluations": 38}) == "finished"
        assert told(database) == expected


@pytest.mark.parametrize("algorithm", ["nsga2", "nsga3", "age-moea2", "sms-emoa", "random", "tpe", "sep-cma-es"])
@pytest.mark.parametrize("done", [13, 20])
def test_a_fresh_algorithm_goes_on_from_what_was_found(database: Database, algorithm: str, done: int) -> None:
    weights = {"first": 1.0, "second": 1.0, "third": 1.0} if algorithm == "sep-cma-es" else None
    whole = document(search__algorithm=algorithm, search__weights=weights)
    run(database, whole, watch=interrupt_at(done))
    before, asked = told(database), len(queries.asks(database, "trivial"))
    assert search(database, whole, fresh_algorithm=True) == "finished"
    after = told(database)
    assert set(before) <= set(after)
    assert len(after) == 40
    (restart,) = queries.study(database, "trivial").restarts
    assert restart.ask == asked
    assert restart.reason == "no plugin has changed since, so a library has"
    if algorithm in {"nsga2", "tpe"}:
        front = {row.genome_hash for row in queries.evaluations(database, "trivial")[:asked]}
        assert queries.asks(database, "trivial")[asked].genome_hash in front
    assert search(database, whole) == "finished"
    assert told(database) == after


def test_a_record_that_does_not_agree_says_what_has_changed(database: Database, tmp_path: Path) -> None:
    run(database, document(), watch=interrupt_at(20))
    with sqlite3.connect(tmp_path / "test.db") as connection:
        hashes = [row[0] for row in connection.execute("select genome_hash from asks order by number")]
        connection.execute("update asks set genome_hash = ? where number = 5", (hashes[6],))
        connection.execute(
            "update studies set plugins = replace(plugins, 'nsga2', 'nsga2'), spikefront_version = '0.0.1'"
        )
    with pytest.raises(ReplayError, match=r"candidate 5 .* Spikefront was 0\.0\.1, now "):
        run(database, document())
    assert search(database, document(), fresh_algorithm=True) == "finished"
    assert len(told(database)) == 40


@pytest.mark.parametrize("algorithm", PARTIAL)
def test_parts_of_generations_are_told_and_replayed(database: Database, algorithm: str) -> None:
    whole = uneven(search__algorithm=algorithm)
    assert search(database, whole) == "finished"
    rows = queries.asks(database, "trivial")
    assert [row.number for row in queries.evaluations(database, "trivial")] == list(range(40))
    assert len(rows) == 40
    early = [row for row in rows if row.told is not None]
    assert {row.told for row in early} == {0, 1, 2}
    assert all((row.told or 0) >= row.generation for row in early)
    assert any((row.told or 0) > row.generation for row in early)  # those that took longer than half of the others
    assert sum(row.told == 0 for row in rows) >= 5
    before = told(database)
    assert search(database, whole) == "finished"
    assert told(database) == before


@pytest.mark.parametrize("done", [4, 17, 33])
def test_an_interrupted_search_of_parts_goes_on(database: Database, done: int) -> None:
    assert search(database, uneven(), watch=interrupt_at(done)) == "interrupted"
    before = told(database)
    assert search(database, uneven()) == "finished"
    assert len(told(database)) == 40
    assert set(before) <= set(told(database))


def test_no_more_than_the_rest_of_a_generation_is_open_when_more_is_asked_for(database: Database) -> None:
    open_then: list[int] = []
    done = 0

    def watch(progress: Any) -> None:
        nonlocal done
        if progress.generation > len(open_then):
            open_then.append(progress.generation * 10 - done)
        done = progress.done

    search(database, uneven(), watch=watch)
    assert open_then
    assert max(open_then) <= 5


def test_algorithms_of_whole_generations_and_early_stopping_refuse_parts() -> None:
    numbers = {"algorithm": "sep-cma-es", "wait": 0.5, "generations": 2, "weights": {"first": 1.0}}
    with pytest.raises(StudyFileError, match=r"search.wait = 0.5: algorithm 'sep-cma-es' can only be told of whole"):
        Specification.from_document(document(search=numbers), load(TRIVIAL))
    with pytest.raises(ValueError, match=r"wait = 0.5 does not go with early_stop or screening"):
        Budget(generations=2, wait=0.5, early_stop={})
    with pytest.raises(ValueError, match="greater than 0"):
        Budget(generations=2, wait=0.0)


def test_a_second_process_is_refused_while_the_first_one_lives(database: Database) -> None:
    run(database, document(), watch=interrupt_at(10))
    store = StudyStore.open(database, "trivial")
    with Lease(store), pytest.raises(LeaseError, match="process"):
        run(database, document())
    assert run(database, document()) == "finished"


def test_a_search_whose_study_was_taken_over_writes_nothing_more(database: Database) -> None:
    def steal(progress: Any) -> None:
        if progress.done == 15:
            with database.write() as session:
                session.connection().exec_driver_sql("update leases set fence = fence + 1, host = 'other'")

    with pytest.raises(LeaseError):
        run(database, document(), watch=steal)
    assert queries.study(database, "trivial").state == "running"
    assert len(told(database)) <= 16


def test_a_lease_is_renewed_and_given_back(database: Database) -> None:
    run(database, document(), watch=interrupt_at(10))
    store, second = (StudyStore.open(database, "trivial") for _ in range(2))
    with Lease(store, seconds=0.3) as lease:
        threading.Event().wait(0.9)
        assert not lease.lost
        with pytest.raises(LeaseError):
            second.acquire("here", 1)
    assert second.acquire("here", 1) > 1


def test_a_lease_that_is_lost_is_noticed(database: Database) -> None:
    run(database, document(), watch=interrupt_at(10))
    store = StudyStore.open(database, "trivial")
    with Lease(store, seconds=0.3) as lease:
        with database.write() as session:
            session.connection().exec_driver_sql("update leases set fence = fence + 1")
        lease._thread.join(5)
        assert lease.lost


def test_who_asks_to_stop_gets_what_has_ended(database: Database) -> None:
    stop = threading.Event()

    def watch(progress: Any) -> None:
        if progress.done == 12:
            stop.set()

    assert search(database, document(), watch=watch, stop=stop) == "interrupted"
    study = queries.study(database, "trivial")
    assert study.state == "interrupted"
    assert 12 <= study.evaluations <= 16
    assert search(database, document()) == "finished"
