"""The cache across studies: what is the same is not trained again, what differs in anything is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from spikefront.components import Data
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.search.cache import Cache
from spikefront.search.coordinator import Search
from spikefront.specification import Specification
from spikefront.storage import Database, queries
from spikefront_plugins.tasks.digits import Digits

Change = Callable[[dict[str, Any]], None]


def document(name: str) -> dict[str, Any]:
    return {
        "study": {"name": name, "seed": 1, "objectives": ["accuracy", "parameters"], "keep": "all"},
        "task": {"use": "digits", "train": 60, "validation": 40},
        "network": {"use": "mlp", "hidden": {"choice": [[4], [6], [8], [10], [12]]}},
        "neuron": {"use": "lif", "tau": 2.0},
        "trainer": {"epochs": 1},
        "search": {"population": 3, "generations": 1, "cache": True},
        "execution": {"use": "inline"},
    }


def run(database: Database, whole: dict[str, Any]) -> int:
    """Run a study and return how many of its candidates came from the cache."""
    Search(Specification.from_document(whole, load()), database).run()
    return queries.study(database, whole["study"]["name"]).reused


def change(section: str, key: str, value: Any) -> Change:
    def apply(whole: dict[str, Any]) -> None:
        whole[section] = {**whole.get(section, {}), key: value}

    return apply


def test_the_same_candidates_are_not_trained_again(database: Database) -> None:
    assert run(database, document("first")) == 0
    assert run(database, document("second")) == 3
    first, second = (queries.evaluations(database, name) for name in ("first", "second"))
    for a, b in zip(first, second, strict=True):
        assert a.measurements == b.measurements
        assert (b.samples, b.reused) == (0, True)
        details = [queries.evaluation(database, row, b.number) for row in ("first", "second")]
        assert details[0].history == details[1].history
        assert details[0].recording == details[1].recording
        weights = [queries.weights(database, name, a.number) for name in ("first", "second")]
        assert weights[0] == weights[1] != b""


@pytest.mark.parametrize(
    "harmless",
    [
        change("search", "generations", 2),
        change("search", "reference", {"accuracy": [1.0, 0.2]}),
        change("execution", "workers", 1),
    ],
)
def test_what_decides_nothing_does_not_matter(database: Database, harmless: Change) -> None:
    run(database, document("first"))
    whole = document("second")
    harmless(whole)
    assert run(database, whole) >= 3


@pytest.mark.parametrize(
    "different",
    [
        change("study", "seed", 2),
        change("study", "replicates", 2),
        change("study", "objectives", ["accuracy", "energy"]),
        change("study", "columns", ["spikes"]),
        change("task", "train", 61),
        change("neuron", "tau", 2.5),
        change("surrogate", "use", "sigmoid"),
        change("trainer", "epochs", 2),
        change("execution", "threads", 2),
        change("search", "cache", False),
    ],
)
def test_what_differs_is_trained(database: Database, different: Change) -> None:
    run(database, document("first"))
    whole = document("second")
    different(whole)
    assert run(database, whole) == 0


def test_without_the_key_nothing_is_left_for_others(database: Database) -> None:
    whole = document("first")
    whole["search"]["cache"] = False
    run(database, whole)
    assert run(database, document("second")) == 0


def test_other_data_or_another_source_is_something_else(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from spikefront.search import cache

    run(database, document("first"))
    with monkeypatch.context() as patched:
        patched.setattr(cache, "source_hash", lambda component: "changed")
        assert run(database, document("second")) == 0
    original = Digits.data

    def brighter(self: Digits, split: Any) -> Data:
        data = original(self, split)
        return Data(data.inputs * 0.5, data.targets)

    cache._fingerprint.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(Digits, "data", brighter)
        assert run(database, document("third")) == 0
    cache._fingerprint.cache_clear()
    assert run(database, document("fourth")) == 3


def test_a_key_depends_on_the_tensors_that_are_inherited(database: Database) -> None:
    study = Specification.from_document(document("first"), load())
    job = Job(study.to_json(), study.space.genome({"network.hidden": [4]}))
    cache = Cache(study, database)
    keys = [cache.key(dataclasses.replace(job, parent=parent)) for parent in (b"", b"one", b"one", b"other")]
    assert keys[0] == cache.key(job)
    assert keys[1] == keys[2]
    assert len(set(keys)) == 3


def test_a_failure_is_not_taken_from_the_cache(database: Database) -> None:
    whole = document("first")
    whole["trainer"] = {"epochs": 4, "learning_rate": 1e30}
    run(database, whole)
    assert queries.study(database, "first").failed == 3
    whole["study"]["name"] = "second"
    assert run(database, whole) == 0


def test_early_stopping_takes_whole_trainings_from_the_cache(database: Database) -> None:
    run(database, document("first"))
    whole = document("second")
    whole["search"]["early_stop"] = {"rungs": [0.5], "keep": 0.9}
    assert run(database, whole) == 3
