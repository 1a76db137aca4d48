"""When workers were busy, as a table."""

import pytest

from spikefront.components import Proposal
from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.job import Failure
from spikefront.storage import frames


def proposals(number):
    return [Proposal(Genome({"neuron.tau": gene})) for gene in range(number)]


def test_rungs_count_once_and_tries_that_failed_too(database, store, evaluated):
    store.record_asks(0, proposals(3))
    lost = {"worker": "w:1", "failure": Failure("exception", "no")}
    store.record(evaluated(0, worker="w:1", seconds=2.0), purpose="rung", candidate=0, generation=0, budget=0.25)
    store.record(evaluated(1, worker="w:2", seconds=3.0), purpose="rung", candidate=1, generation=0, budget=0.25)
    store.record_attempt(2, evaluated(2, seconds=0.5, **lost))
    store.record(evaluated(0, worker="w:2", seconds=9.0), number=0, ask=0, generation=0)
    store.record(evaluated(1, worker="w:2", seconds=3.0), number=1, ask=1, generation=0, budget=0.25)
    store.record(evaluated(2, seconds=0.0), number=2, ask=2, generation=0, reused=True)
    store.record(evaluated(0, worker="w:3", seconds=5.0), purpose="retrain", candidate=0, generation=0)
    work = frames.work(database, store.name, frames.evaluations(database, store.name))
    assert work[["candidate", "kind", "worker", "seconds"]].values.tolist() == [
        [0, "rung", "w:1", 2.0],
        [1, "rung", "w:2", 3.0],
        [2, "attempt", "w:1", 0.5],
        [0, "search", "w:2", 7.0],
    ]
    assert work["finished_at"].is_monotonic_increasing


def test_nothing_done_is_an_empty_table(database, store):
    work = frames.work(database, store.name, frames.evaluations(database, store.name))
    assert len(work) == 0
    assert list(work.columns) == ["candidate", "kind", "worker", "seconds", "finished_at"]


def test_a_study_that_is_not_there_is_refused(database, store):
    with pytest.raises(StorageError, match="no study 'other'"):
        frames.work(database, "other", frames.evaluations(database, store.name))
