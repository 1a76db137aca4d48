"""The table of all that an algorithm asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spikefront.components import Proposal
from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure
from spikefront.storage import Database, StudyStore, frames


def test_a_row_for_each_ask_with_its_candidate_failure_and_tries(
    store: StudyStore, database: Database, evaluated: Callable[..., Evaluation]
) -> None:
    first, second, third = (Genome({"neuron.tau": tau}) for tau in (1, 2, 3))
    store.record_asks(0, [Proposal(first), Proposal(second)])
    store.record_asks(1, [Proposal(third, (first.hash, second.hash), ("sbx", "polynomial"))])
    broken = Evaluation(second, failure=Failure("time-out", "too slow"))
    store.record_attempt(1, broken)
    store.record_attempt(1, broken)
    store.record(evaluated(1), ask=0, generation=0)
    store.record(broken, ask=1, generation=0)
    table = frames.asks(database, "first")
    assert table["ask"].tolist() == [0, 1, 2]
    assert table["generation"].tolist() == [0, 0, 1]
    assert table["genome"].tolist() == [first.hash, second.hash, third.hash]
    assert table["id"].isna().tolist() == [False, False, True]
    assert table["id"].tolist()[:2] == [0, 1]
    assert table["failure"].isna().tolist() == [True, False, True]
    assert table["failure"][1] == "time-out"
    assert table["attempts"].tolist() == [0, 2, 0]
    assert tuple(table["parents"][2]) == (first.hash, second.hash)
    assert list(table["operators"][2]) == ["sbx", "polynomial"]


def test_a_study_without_asks_has_an_empty_table(store: StudyStore, database: Database) -> None:
    assert frames.asks(database, "first").empty


def test_an_unknown_study_is_refused(database: Database) -> None:
    with pytest.raises(StorageError, match="no study"):
        frames.asks(database, "other")
