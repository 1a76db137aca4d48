"""The course of a search: tries that failed, what the algorithm was told, longer budgets and fresh starts."""

from datetime import UTC, datetime, timedelta

import pytest

from spikefront.components.algorithm import Proposal
from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure
from spikefront.storage import Restart, queries

GENOMES = [Genome({"tau": value}) for value in range(4)]


@pytest.fixture
def asked(store):
    store.record_asks(0, [Proposal(genome) for genome in GENOMES])
    return store


def told(database):
    return [row.told for row in queries.asks(database, "first")]


def test_asks_are_told_once_with_the_number_of_the_tell(database, asked):
    assert told(database) == [None] * 4
    asked.record_tell(0, [2, 0])
    asked.record_tell(1, [])
    asked.record_tell(2, [3])
    assert told(database) == [0, None, 0, 2]
    for numbers in ([1, 2], [1, 4], [-1]):
        with pytest.raises(StorageError, match="was never recorded, or its result has been told already"):
            asked.record_tell(3, numbers)
    assert told(database) == [0, None, 0, 2]


def test_tells_of_one_study_are_none_of_another(database, asked, new_study):
    other = new_study(database, "second")
    other.record_asks(0, [Proposal(genome) for genome in GENOMES])
    other.record_tell(0, [0, 1])
    assert told(database) == [None] * 4


def test_attempts_come_back_in_order(database, asked):
    died = Failure("worker-died", "killed \udcff\0", "Traceback\n  äöü")
    asked.record_attempt(3, Evaluation(GENOMES[3], failure=died, worker="host:12", peak_memory=2**35, seconds=1.5))
    asked.record_attempt(1, Evaluation(GENOMES[1], failure=Failure("time-out", "20 min")))
    asked.record_attempt(3, Evaluation(GENOMES[3], failure=died))
    asked.record_attempt(2, Evaluation(GENOMES[2]))  # it did not fail
    first, second, third = queries.attempts(database, "first")
    assert (first.number, first.genome_hash) == (3, GENOMES[3].hash)
    assert first.failure == Failure("worker-died", "killed ??", "Traceback\n  äöü") == third.failure
    assert (first.worker, first.peak_memory, first.seconds) == ("host:12", 2**35, 1.5)
    assert abs(datetime.now(UTC) - first.at) < timedelta(minutes=1)
    assert (second.number, second.failure, second.worker) == (1, Failure("time-out", "20 min"), "")
    assert queries.failures(database, "first") == []


def test_an_attempt_is_one_of_an_ask(database, asked):
    with pytest.raises(StorageError):
        asked.record_attempt(4, Evaluation(GENOMES[0], failure=Failure("exception", "no")))
    assert queries.attempts(database, "first") == []


def test_a_budget_is_extended_again_and_again(database, store):
    assert queries.study(database, "first").extension is None
    for extension in ({"generations": 40}, {"evaluations": 900}):
        store.extend(extension)
        assert queries.study(database, "first").extension == extension


def test_fresh_starts_are_kept_in_order(database, store):
    assert queries.study(database, "first").restarts == ()
    store.record_restart(8, 2**62 + 1, "pymoo 0.6.2 became 0.6.3")
    store.record_restart(16, 7, "plugin 'x' changed")
    assert queries.study(database, "first").restarts == (
        Restart(8, 2**62 + 1, "pymoo 0.6.2 became 0.6.3"),
        Restart(16, 7, "plugin 'x' changed"),
    )
