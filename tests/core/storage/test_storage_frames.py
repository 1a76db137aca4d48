"""Studies as tables, tags on candidates, and who searches: as the app reads them."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from spikefront.errors import InputError, StorageError
from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure, Measurement
from spikefront.storage import StudyObjective, StudyStore, frames, queries, tags


@pytest.fixture
def store(database):
    made = StudyStore.create(
        database,
        "s",
        specification="{}",
        specification_hash="0" * 64,
        seed=1,
        objectives=[StudyObjective("accuracy", "maximize"), StudyObjective("energy", "minimize", "pJ")],
    )
    made.acquire("here", 1)
    return made


def record(store, genome, failure=None, generation=0, **measured):
    values = {name: Measurement(value if isinstance(value, tuple) else (value,)) for name, value in measured.items()}
    known = Failure(failure, "why") if failure else None
    evaluation = Evaluation(Genome(genome), measurements=values, failure=known, seconds=2.0, worker="here:7")
    return store.record(evaluation, generation=generation)


def test_evaluations_as_a_table(database, store):
    record(store, {"a": 1}, accuracy=(0.5, 0.7), energy=(10.0, 12.0), spikes=3.0)
    record(store, {"a": 2, "b": "x"}, failure="time-out")
    record(store, {"a": 3}, generation=1, accuracy=0.4, energy=20.0, spikes=1.0)
    record(store, {"a": 4}, generation=1, accuracy=0.9, energy=30.0, spikes=None)
    table = frames.evaluations(database, "s")
    assert list(table.columns) == [
        *frames.FACTS,
        "accuracy",
        "accuracy s.e.",
        "energy",
        "energy s.e.",
        "spikes",
    ]
    assert list(table["id"]) == [0, 1, 2, 3]
    assert list(table["front"]) == [True, False, False, True]
    assert set(table[table["front"]]["id"]) == {row.number for row in queries.front(database, "s")}
    assert table["failure"].isna().tolist() == [True, False, True, True]
    assert table["failure"][1] == "time-out"
    assert table["accuracy"].tolist()[0] == pytest.approx(0.6)
    assert table["accuracy s.e."].tolist()[0] == pytest.approx(0.1)
    assert table["accuracy"].isna().tolist() == [False, True, False, False]
    assert table["generation"].tolist() == [0, 0, 1, 1]
    assert set(table["worker"]) == {"here:7"}
    assert all(moment.tzinfo for moment in table["finished_at"])


def test_of_equal_genomes_the_first_is_on_the_front(database, store):
    for _ in range(2):
        record(store, {"a": 1}, accuracy=0.5, energy=1.0)
    assert list(frames.evaluations(database, "s")["front"]) == [True, False]


def test_a_table_that_grows_is_that_of_a_fresh_look(database, store):
    rng = np.random.default_rng(1)
    numbers = rng.permutation(60)
    known = frames.evaluations(database, "s")
    for place, number in enumerate(numbers.tolist()):
        measured = {"accuracy": round(rng.random(), 1), "energy": float(rng.integers(1, 9))}
        if place > 20:  # terms and standard errors may come late
            measured |= {"spikes": 3.0, "extra": (1.0, float(place))}
        values = {name: Measurement(v if isinstance(v, tuple) else (v,)) for name, v in measured.items()}
        failure = Failure("time-out", "late") if number % 9 == 0 else None
        found = Evaluation(Genome({"a": number % 13}), measurements={} if failure else values, failure=failure)
        store.record(found, generation=number // 10, number=number, budget=0.0 if number % 11 == 0 else 1.0)
        if place % 7 == 0:
            before = known.copy(deep=True)
            grown = frames.evaluations(database, "s", known)
            pd.testing.assert_frame_equal(known, before)
            known = grown
            pd.testing.assert_frame_equal(known, frames.evaluations(database, "s"))
            assert known["id"].tolist() == sorted(numbers[: place + 1].tolist())
            assert known.sort_values("key")["id"].tolist() == numbers[: place + 1].tolist()


def test_where_nothing_is_new_the_same_table_comes_back(database, store):
    record(store, {"a": 1}, accuracy=0.5, energy=1.0)
    known = frames.evaluations(database, "s")
    store.set_state("finished")
    assert frames.evaluations(database, "s", known) is known


def test_genes_of_some_candidates(database, store):
    for number in range(12):
        record(store, {"a": number} | ({"b": "x"} if number == 7 else {}))
    table = frames.genes(database, "s", [3, 9, 1, 99])
    assert (table.index.tolist(), table["a"].tolist(), list(table.columns)) == ([1, 3, 9], [1, 3, 9], ["a"])
    assert frames.genes(database, "s", [7])["b"].tolist() == ["x"]
    assert frames.genes(database, "s", []).empty


def test_genes_as_a_table(database, store):
    record(store, {"a": 1, "c": [1, 2]})
    record(store, {"a": 2, "b": "x"})
    table = frames.genes(database, "s")
    assert table.index.tolist() == [0, 1]
    assert table.columns.tolist() == ["a", "c", "b"]
    assert table["c"].tolist() == [[1, 2], None]
    assert table["b"].isna().tolist() == [True, False]
    assert table["b"][1] == "x"


def test_an_empty_study_is_an_empty_table(database, store):
    table = frames.evaluations(database, "s")
    assert list(table.columns) == [*frames.FACTS, "accuracy", "energy"]
    assert table.empty
    assert frames.genes(database, "s").empty
    with pytest.raises(StorageError, match="no study 'other'"):
        frames.evaluations(database, "other")


def test_tags_last_and_are_of_one_study(database, store):
    record(store, {"a": 1})
    record(store, {"a": 2})
    assert tags.tagged(database, "s") == []
    tags.set_tagged(database, "s", [1, 0, 1])
    assert tags.tagged(database, "s") == [0, 1]
    tags.set_tagged(database, "s", [1])
    tags.set_tagged(database, "s", [0], "odd")
    assert (tags.tagged(database, "s"), tags.tagged(database, "s", "odd")) == ([1], [0])
    with pytest.raises(InputError, match="study 's' has no candidate 7"):
        tags.set_tagged(database, "s", [0, 7])
    assert tags.tagged(database, "s") == [1]


def test_who_searches(database, store):
    holder = queries.holder(database, "s")
    assert (holder.host, holder.process, holder.alive) == ("here", 1, True)
    assert (datetime.now(UTC) - holder.since).total_seconds() < 60
    store.release()
    assert not queries.holder(database, "s").alive
    StudyStore.create(database, "other", specification="{}", specification_hash="1" * 64, seed=1, objectives=[])
    assert queries.holder(database, "other") is None
