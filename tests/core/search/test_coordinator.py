"""A search as a whole, on a task that costs nothing: record, replay, failures, regularisers, reuse."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure
from spikefront.plugins import load
from spikefront.search.coordinator import ReplayError, Search
from spikefront.search.progress import Progress
from spikefront.search.runner import NEVER_AGAIN
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, StudyStore, queries

TRIVIAL = Sources(modules=("benchmarks.trivial",))
GENE = {"low": 0.0, "high": 1.0}

FAULTY = '''
from typing import Any, ClassVar
from pydantic import Field
from spikefront import Fitness, hookimpl
from benchmarks.trivial import Trivial

SEEN = []

class Faulty(Trivial):
    """Raises in half of the space, the first time or always."""
    name: ClassVar[str] = "faulty"
    always: bool = Field(True, description="whether a second try fails too")

    def score(self, phenotype, split, streams):
        if self.a > 0.5 and (self.always or self.a not in SEEN):
            SEEN.append(self.a)
            raise ValueError(f"no luck with {self.a}")
        return super().score(phenotype, split, streams)

class Nearness(Fitness):
    """Distance of the gene `a` to that of the elite."""
    name: ClassVar[str] = "nearness"
    direction: ClassVar[str] = "minimize"
    uses_elite: ClassVar[bool] = True

    def measure(self, context):
        if context.elite is None:
            return None
        return abs(context.genome["task.a"] - context.elite["task.a"])

class Constant(Fitness):
    """One."""
    name: ClassVar[str] = "constant"
    direction: ClassVar[str] = "maximize"

    def measure(self, context):
        return 1.0

@hookimpl
def spikefront_tasks():
    return [Faulty]

@hookimpl
def spikefront_fitness():
    return [Nearness, Constant]
'''


def document(**changes: Any) -> dict[str, Any]:
    """Return a study of three objectives; `search__population=4` changes one key of one section."""
    whole: dict[str, Any] = {
        "study": {"name": "trivial", "seed": 1, "objectives": ["first", "second", "third"]},
        "task": {"use": "trivial", "a": GENE, "b": GENE, "c": GENE},
        "trainer": {"use": "none"},
        "search": {"population": 10, "generations": 4},
        "execution": {"use": "inline"},
    }
    for path, value in changes.items():
        section, _, key = path.partition("__")
        if key:
            whole[section] = {name: v for name, v in {**whole[section], key: value}.items() if v is not None}
        else:
            whole[section] = value
    return whole


@pytest.fixture
def faulty(tmp_path: Path) -> Sources:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "faulty.py").write_text(FAULTY)
    return Sources(folders=(str(folder),), modules=("benchmarks.trivial",))


def run(
    database: Database,
    whole: dict[str, Any],
    sources: Sources = TRIVIAL,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> str:
    registry = load(sources)
    return Search(Specification.from_document(whole, registry), database, watch).run()


def told(database: Database) -> list[tuple[int, int, str, tuple[float | None, ...]]]:
    rows = queries.evaluations(database, "trivial")
    return [(r.number, r.generation, r.genome_hash, tuple(r.mean(n) for n in sorted(r.measurements))) for r in rows]


def interrupt_at(done: int) -> Callable[[Progress], None]:
    def watch(progress: Progress) -> None:
        if progress.done == done:
            raise KeyboardInterrupt

    return watch


def test_a_search_asks_and_records_its_whole_budget(database: Database) -> None:
    assert run(database, document()) == "finished"
    study, rows = queries.study(database, "trivial"), queries.evaluations(database, "trivial")
    assert (study.state, study.evaluations, study.failed, study.reused) == ("finished", 40, 0, 0)
    assert [row.number for row in rows] == list(range(40)) == [ask.number for ask in queries.asks(database, "trivial")]
    assert [row.generation for row in rows] == [n // 10 for n in range(40)]
    assert len({row.genome_hash for row in rows}) == 40


@pytest.mark.parametrize(
    ("changes", "evaluations"), [({"search__generations": 2}, 20), ({"search__population": 7}, 28)]
)
def test_the_budget_in_generations(database: Database, changes: dict[str, Any], evaluations: int) -> None:
    run(database, document(**changes))
    assert queries.study(database, "trivial").evaluations == evaluations


def test_the_budget_in_evaluations_may_end_within_a_generation(database: Database) -> None:
    run(database, document(search__generations=None, search__evaluations=23))
    assert [row.generation for row in queries.evaluations(database, "trivial")] == [n // 10 for n in range(23)]


def test_the_same_seed_gives_the_same_search_and_another_gives_another(tmp_path: Path) -> None:
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        with Database.open(tmp_path / f"{name}.db", create=True) as database:
            run(database, document(study__seed=seed))
            found.append(told(database))
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("algorithm", ["nsga2", "nsga3", "age-moea2", "sms-emoa", "random", "tpe"])
@pytest.mark.parametrize("done", [3, 10, 25])
def test_an_interrupted_search_goes_on_as_if_nothing_had_happened(tmp_path: Path, algorithm: str, done: int) -> None:
    whole = document(search__algorithm=algorithm)
    with Database.open(tmp_path / "whole.db", create=True) as database:
        run(database, whole)
        expected = told(database)
    with Database.open(tmp_path / "parts.db", create=True) as database:
        assert run(database, whole, watch=interrupt_at(done)) == "interrupted"
        assert queries.study(database, "trivial").state == "interrupted"
        assert done <= len(told(database)) < 40
        assert run(database, whole) == "finished"
        assert told(database) == expected


def test_a_finished_study_is_not_run_again(database: Database) -> None:
    run(database, document())
    before = queries.evaluations(database, "trivial")
    assert run(database, document()) == "finished"
    assert queries.evaluations(database, "trivial") == before


def test_where_a_study_runs_is_no_part_of_what_it_is(database: Database) -> None:
    run(database, document(), watch=interrupt_at(10))
    assert run(database, document(execution={"use": "inline", "workers": 3})) == "finished"


def test_a_name_cannot_be_used_for_another_study(database: Database) -> None:
    run(database, document())
    with pytest.raises(StorageError, match="another specification") as error:
        run(database, document(study__seed=2))
    assert "study.name" in error.value.hint


def test_an_algorithm_that_asks_for_something_else_is_found_out(database: Database, tmp_path: Path) -> None:
    run(database, document(), watch=interrupt_at(20))
    with sqlite3.connect(tmp_path / "test.db") as connection:
        hashes = [row[0] for row in connection.execute("select genome_hash from asks order by number")]
        connection.execute("update asks set genome_hash = ? where number = 5", (hashes[6],))
    with pytest.raises(ReplayError, match="candidate 5") as error:
        run(database, document())
    assert "spikefront resume trivial --fresh-algorithm" in error.value.hint


def test_a_failing_candidate_is_recorded_and_the_study_goes_on(database: Database, faulty: Sources) -> None:
    states: list[Progress] = []
    assert run(database, document(task__use="faulty"), faulty, states.append) == "finished"
    failures = queries.failures(database, "trivial")
    assert failures
    assert all(row.failure and row.failure.kind == "exception" for row in failures)
    assert all("no luck" in row.failure.traceback for row in failures if row.failure)
    assert not {row.number for row in failures} & {row.number for row in queries.front(database, "trivial")}
    assert states[-1].failed == len(failures)
    assert queries.study(database, "trivial").evaluations == 40


def test_a_study_in_which_all_fail_has_failed(database: Database, faulty: Sources) -> None:
    whole = document(task__use="faulty", task__a={"low": 0.6, "high": 1.0}, search__generations=2)
    assert run(database, whole, faulty) == "failed"
    assert queries.study(database, "trivial").state == "failed"
    assert queries.front(database, "trivial") == []


def test_a_failure_is_tried_again_as_often_as_the_study_says(database: Database, faulty: Sources) -> None:
    whole = document(task__use="faulty", task__always=False, execution={"use": "inline", "retries": {"exception": 1}})
    run(database, whole, faulty)
    assert queries.failures(database, "trivial") == []
    asks, attempts = queries.asks(database, "trivial"), queries.attempts(database, "trivial")
    assert attempts
    assert all(attempt.genome_hash == asks[attempt.number].genome_hash for attempt in attempts)
    assert {attempt.failure.kind for attempt in attempts} == {"exception"}
    assert all("no luck" in attempt.failure.traceback and attempt.worker for attempt in attempts)


def test_what_failed_in_an_earlier_run_counts(database: Database, faulty: Sources) -> None:
    whole = document(task__use="faulty", execution={"use": "inline", "retries": {"worker-died": 9, "exception": 1}})
    assert run(database, whole, faulty, interrupt_at(0)) == "interrupted"
    failing = [ask for ask in queries.asks(database, "trivial") if genes(database, ask.genome_hash)["task.a"] > 0.5]
    store, died, raised = StudyStore.open(database, "trivial"), failing[0], failing[1]
    for ask, failure in (
        *[(died, Failure("worker-died", "the worker ended"))] * 2,
        (raised, Failure("exception", "no luck")),
    ):
        store.record_attempt(ask.number, Evaluation(genes(database, ask.genome_hash), failure=failure))
    run(database, whole, faulty)
    failures = {row.number: row.failure for row in queries.failures(database, "trivial")}
    assert failures[died.number] == Failure("worker-died", NEVER_AGAIN)
    tries = Counter(attempt.number for attempt in queries.attempts(database, "trivial"))
    assert (tries[died.number], tries[raised.number], tries[failing[2].number]) == (2, 1, 1)


def genes(database: Database, genome: str) -> Genome:
    return queries.genomes(database, [genome])[genome]


def test_regularisers_move_what_the_search_sees_and_nothing_else(database: Database, faulty: Sources) -> None:
    weight = {"start": 0.4, "end": 0.0, "until": 1.0}
    run(database, document(regularisers=[{"use": "constant", "on": "first", "weight": weight}]), faulty)
    for row in queries.evaluations(database, "trivial"):
        pure = row.mean("first")
        assert pure is not None
        expected = 0.4 * (1 - row.generation / 3)
        assert row.regularised["first"] == pytest.approx(pure - expected)
        assert row.regularised["second"] == row.mean("second")
        assert row.roles["constant"] == "regulariser"


def test_a_regulariser_may_look_at_the_elite_of_the_generation_before(database: Database, faulty: Sources) -> None:
    run(database, document(regularisers=[{"use": "nearness", "on": "second", "weight": 0.1}]), faulty)
    rows = queries.evaluations(database, "trivial")
    for row in rows:
        if row.generation == 0:
            assert row.mean("nearness") is None
            continue
        before = [other for other in rows if other.generation == row.generation - 1]
        elite = min(before, key=lambda other: other.regularised["second"] or 0.0)
        nearness, pure = abs(row.genes["task.a"] - elite.genes["task.a"]), row.mean("second")
        assert row.mean("nearness") == pytest.approx(nearness)
        assert pure is not None
        assert row.regularised["second"] == pytest.approx(pure + 0.1 * nearness)  # less is better for both


def test_what_was_tried_before_is_answered_from_the_record(database: Database) -> None:
    choice = {"choice": [0.25, 0.75]}
    task = {"use": "trivial", "a": choice, "b": choice, "c": 0.5}
    assert run(database, document(task=task, search__algorithm="tpe")) == "finished"
    study, rows = queries.study(database, "trivial"), queries.evaluations(database, "trivial")
    assert (study.evaluations, study.reused) == (40, 36)
    first = {row.genome_hash: row for row in reversed(rows)}
    assert all(row.measurements == first[row.genome_hash].measurements for row in rows)
    assert all(not row.reused for row in first.values())


def test_a_space_that_is_exhausted_ends_the_search(database: Database) -> None:
    choice = {"choice": [0.25, 0.75]}
    task = {"use": "trivial", "a": choice, "b": choice, "c": 0.5}
    assert run(database, document(task=task)) == "finished"
    assert queries.study(database, "trivial").evaluations == 4


def test_replicates_are_recorded_with_mean_and_standard_error(database: Database) -> None:
    run(database, document(study__replicates=3, search__generations=1))
    row = queries.evaluations(database, "trivial")[0]
    assert row.replicates == (0, 1, 2)
    assert len(row.measurements["first"].values) == 3
    assert row.measurements["first"].standard_error == 0.0


def test_the_reference_point_is_fixed_with_the_first_generation_or_by_the_file(database: Database) -> None:
    states: list[Progress] = []
    whole = document(search__reference={"first": [0.0, 2.0]})
    run(database, whole, watch=states.append)
    reference = queries.study(database, "trivial").reference
    first = [row for row in queries.evaluations(database, "trivial") if row.generation == 0]
    values = [row.mean("second") or 0.0 for row in first]
    assert reference is not None
    assert reference["first"] == (0.0, 2.0)
    assert reference["second"] == pytest.approx((min(values), max(values)))
    volumes = [state.hypervolume for state in states if state.hypervolume is not None]
    assert volumes == sorted(volumes)
    assert 0 < volumes[0] <= volumes[-1] <= 1


def test_the_watcher_is_told_of_everything(database: Database) -> None:
    states: list[Progress] = []
    run(database, document(), watch=states.append)
    assert (states[0].done, states[-1].done, states[-1].total) == (0, 40, 40)
    assert [state.done for state in states] == sorted(state.done for state in states)
    best = min(row.mean("first") or 0.0 for row in queries.evaluations(database, "trivial"))
    assert states[-1].best["first"] == best
    assert states[-1].remaining == 0
