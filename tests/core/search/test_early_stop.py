"""Pareto early stopping: ranking on a rung, the climb of a generation, record and replay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymoo.operators.survival.rank_and_crowding.metrics import get_crowding_function
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from spikefront.errors import InputError
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.search.early_stop import Ladder, crowding_distance, order
from spikefront.search.progress import Progress
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, queries

GENE = {"low": 0.0, "high": 1.0}

PLUGIN = '''
from typing import ClassVar
import torch
from spikefront import Trainer, hookimpl
from spikefront.components import Fitted
from benchmarks.trivial import Trivial

class Slow(Trivial):
    """A task whose metrics get better with training; it fails on a rung where a is above 0.9."""
    name: ClassVar[str] = "slow"

    def build(self, parts, streams):
        return {"trained": 0.0}

    def score(self, phenotype, split, streams):
        if self.a > 0.9:
            raise ValueError("no luck")
        return {name: value / phenotype["trained"] for name, value in super().score(None, split, streams).items()}

class Steps(Trainer):
    """Counts what it was asked to do."""
    name: ClassVar[str] = "steps"

    def fit(self, phenotype, task, session):
        start = float(session.checkpoint["done"]) if session.checkpoint else 0.0
        phenotype["trained"] = session.budget
        samples = round(1000 * (session.budget - start))
        row = {"from": start, "to": session.budget}
        return Fitted(phenotype, [row], samples, {"done": torch.tensor(session.budget, dtype=torch.float64)})

@hookimpl
def spikefront_tasks():
    return [Slow]

@hookimpl
def spikefront_trainers():
    return [Steps]
'''


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "slow.py").write_text(PLUGIN)
    return Sources(folders=(str(folder),), modules=("benchmarks.trivial",))


def document(**search: Any) -> dict[str, Any]:
    return {
        "study": {"name": "slow", "seed": 1, "objectives": ["first", "second", "third"], "replicates": 2},
        "task": {"use": "slow", "a": {"low": 0.0, "high": 0.8}, "b": GENE, "c": GENE},
        "trainer": {"use": "steps"},
        "search": {"population": 8, "generations": 4, "early_stop": {"rungs": [0.25, 0.5], "keep": 0.5}, **search},
        "execution": {"use": "inline"},
    }


def run(
    database: Database, whole: dict[str, Any], sources: Sources, watch: Callable[[Progress], None] = lambda _: None
) -> str:
    registry = load(sources)
    return Search(Specification.from_document(whole, registry), database, watch).run()


def told(database: Database) -> list[tuple[Any, ...]]:
    rows = queries.evaluations(database, "slow")
    return [(r.number, r.genome_hash, r.budget, r.samples, tuple(r.measurements.items())) for r in rows]


points = st.integers(1, 4).flatmap(
    lambda m: st.lists(st.lists(st.integers(0, 5), min_size=m, max_size=m), min_size=1, max_size=25)
)


@given(points)
@settings(deadline=None, max_examples=50)
def test_ranks_come_before_crowding(rows: list[list[int]]) -> None:
    losses = np.array(rows, dtype=np.float64)
    fronts = NonDominatedSorting().do(losses)
    rank = {int(place): number for number, front in enumerate(fronts) for place in front}
    found = [rank[int(place)] for place in order(losses)]
    assert found == sorted(found)
    assert sorted(order(losses)) == list(range(len(losses)))


def test_crowding_distances_are_those_of_the_paper() -> None:
    losses = np.array([[0.0, 9.0], [1.0, 4.0], [3.0, 3.0], [6.0, 0.5], [10.0, 0.0]])
    by_hand = [np.inf, 3 / 10 + 6 / 9, 5 / 10 + 3.5 / 9, 7 / 10 + 3 / 9, np.inf]
    assert crowding_distance(losses) == pytest.approx(by_hand)
    theirs = get_crowding_function("cd").do(losses)  # pymoo's is the mean over the objectives
    assert crowding_distance(losses)[1:-1] == pytest.approx(2 * np.array(theirs)[1:-1])


def test_equal_points_do_not_divide_by_zero() -> None:
    assert list(order(np.ones((4, 2)))) == [0, 3, 1, 2]


def test_a_ladder_compares_with_all_that_was_seen() -> None:
    ladder = Ladder((0.5,), 0.5)
    assert ladder.promoted(0.5, {0: (1.0,), 1: (2.0,), 2: (3.0,), 3: (4.0,)}) == {0, 1}
    assert ladder.promoted(0.5, {4: (5.0,), 5: (6.0,)}) == set()
    assert ladder.promoted(0.5, {6: (0.5,), 7: (0.6,)}) == {6, 7}


def test_a_rung_with_one_candidate_lets_it_pass() -> None:
    assert Ladder((0.5,), 0.1).promoted(0.5, {0: (1.0,)}) == {0}


@pytest.mark.parametrize("rungs", [[], [0.5, 0.25], [0.0, 0.5], [0.5, 1.0], [0.5, 0.5]])
def test_rungs_have_to_increase_between_0_and_1(rungs: list[float], sources: Sources) -> None:
    with pytest.raises(InputError, match="early_stop"):
        Specification.from_document(document(early_stop={"rungs": rungs}), load(sources))


def test_most_candidates_are_stopped_and_none_is_trained_twice(database: Database, sources: Sources) -> None:
    assert run(database, document(), sources) == "finished"
    rows = queries.evaluations(database, "slow")
    assert [row.number for row in rows] == list(range(32))
    first = [row.budget for row in rows if row.generation == 0]
    assert sorted(first) == [0.25] * 4 + [0.5] * 2 + [1.0] * 2
    for row in rows:
        assert row.samples == round(2 * 1000 * row.budget)
        history = queries.evaluation(database, "slow", row.number).history
        climbed = [(line["from"], line["to"]) for line in history if line["replicate"] == 0]
        steps = [step for step in (0.25, 0.5, 1.0) if step <= row.budget]
        assert climbed == list(zip([0.0, *steps], steps, strict=False))
    assert sum(row.samples for row in rows) < 0.6 * 2 * 1000 * len(rows)


def test_what_was_measured_on_a_rung_is_recorded_and_its_checkpoint_dropped(
    database: Database, sources: Sources
) -> None:
    run(database, document(), sources)
    rungs = queries.evaluations(database, "slow", "rung")
    finals = {row.number: row for row in queries.evaluations(database, "slow")}
    assert {row.budget for row in rungs} == {0.25, 0.5}
    assert all(row.budget <= finals[row.candidate].budget for row in rungs)
    assert len([row for row in rungs if row.budget == 0.25]) == 32
    assert not any(row.has_weights or queries.checkpoint(database, "slow", row.number) for row in rungs)
    assert queries.study(database, "slow").evaluations == 32


def test_a_stopped_candidate_is_told_with_what_it_measured(database: Database, sources: Sources) -> None:
    run(database, document(), sources)
    rungs = {(row.candidate, row.budget): row for row in queries.evaluations(database, "slow", "rung")}
    for row in queries.evaluations(database, "slow"):
        if row.budget < 1:
            assert row.measurements == rungs[row.number, row.budget].measurements


@pytest.mark.parametrize("algorithm", ["nsga2", "sms-emoa", "tpe", "random"])
@pytest.mark.parametrize("done", [1, 5, 8, 11, 20])
def test_an_interrupted_climb_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, sources: Sources, algorithm: str, done: int
) -> None:
    whole = document(algorithm=algorithm)
    with Database.open(tmp_path / "whole.db", create=True) as database:
        run(database, whole, sources)
        expected = told(database)

    def interrupt(progress: Progress) -> None:
        if progress.done == done:
            raise KeyboardInterrupt

    with Database.open(tmp_path / "parts.db", create=True) as database:
        assert run(database, whole, sources, interrupt) == "interrupted"
        assert run(database, whole, sources) == "finished"
        assert told(database) == expected


def test_a_failure_on_a_rung_is_the_end_of_a_candidate(database: Database, sources: Sources) -> None:
    whole = document()
    whole["task"]["a"] = GENE
    assert run(database, whole, sources) == "finished"
    failures = queries.failures(database, "slow")
    assert failures
    assert {(row.purpose, row.budget) for row in failures} == {("search", 0.25)}
    assert len(queries.evaluations(database, "slow")) == 32


def test_a_promoted_network_is_the_one_that_was_never_stopped(tmp_path: Path) -> None:
    found: list[dict[int, Any]] = []
    for name, early_stop in (("with", {"early_stop": {"rungs": [0.34]}}), ("without", {})):
        whole = {
            "study": {"name": "digits", "seed": 1, "objectives": ["accuracy", "energy"], "keep": "all"},
            "task": {"use": "digits", "train": 200, "validation": 100},
            "network": {"use": "mlp", "hidden": {"choice": [[8], [16], [32]]}},
            "neuron": {"use": "plif"},
            "trainer": {"epochs": 3, "learning_rate": {"low": 1e-3, "high": 1e-2}},
            "search": {"population": 4, "generations": 1, **early_stop},
            "execution": {"use": "inline"},
        }
        with Database.open(tmp_path / f"{name}.db", create=True) as database:
            run(database, whole, Sources())
            rows = {row.number: row for row in queries.evaluations(database, "digits")}
            weights = {number: queries.weights(database, "digits", number) for number in rows}
            found.append({n: (row.measurements, weights[n]) for n, row in rows.items() if row.budget == 1})
    stopped, trained = found
    assert len(stopped) == 2
    assert all(trained[number] == stopped[number] for number in stopped)
