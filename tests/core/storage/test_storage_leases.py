"""One process at a time: who holds a lease, who is refused, and who may not write any more."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from spikefront.components.algorithm import Proposal
from spikefront.errors import LeaseError, StorageError
from spikefront.genome import Genome
from spikefront.job import Failure
from spikefront.storage import Database, StudyStore, leases, queries, schema


@pytest.fixture
def clock(monkeypatch):
    """Let the time of leases stand still, and return a function that moves it by seconds."""
    moment = [datetime(2026, 11, 21, tzinfo=UTC)]
    monkeypatch.setattr(leases, "now", lambda session: moment[0])

    def move(seconds):
        moment[0] += timedelta(seconds=seconds)

    return move


@pytest.fixture
def other(database, store):
    return StudyStore.open(database, "first")


def lease(database):
    with database.read() as session:
        return session.execute(select(*schema.Lease.__table__.columns)).one()


def test_a_second_process_is_told_who_holds_the_lease(database, store, other, clock):
    assert store.acquire("node1", 12) == 1
    clock(100)
    store.renew()
    clock(4.5)
    with pytest.raises(LeaseError) as caught:
        other.acquire("node2", 13)
    assert caught.value.message == (
        "study 'first' is being searched already, by process 12 on node1, for 104 s, last heard of 4 s ago"
    )
    assert caught.value.hint == "Stop that process, or wait 26 s if it is dead: its lease runs out then."
    assert isinstance(caught.value, StorageError)
    row = lease(database)
    assert (row.fence, row.host, row.process, row.released) == (1, "node1", 12, False)
    assert row.expires_at - row.renewed_at == timedelta(seconds=30)
    assert row.renewed_at - row.acquired_at == timedelta(seconds=100)


def test_a_lease_that_ran_out_is_taken_over(store, other, clock):
    store.acquire("node1", 12, seconds=10)
    clock(9.9)
    with pytest.raises(LeaseError, match="process 12 on node1"):
        other.acquire("node2", 13)
    clock(0.1)
    assert other.acquire("node2", 13) == 2


def test_a_released_lease_is_free_at_once_and_its_number_is_never_given_again(database, store, other, clock):
    for fence in (1, 3):
        assert store.acquire("node1", 12) == fence
        store.release()
        assert other.acquire("node2", 13) == fence + 1
        other.release()
    assert lease(database).released
    with pytest.raises(LeaseError, match="has released its lease"):
        other.set_state("failed")


def test_nobody_writes_who_was_taken_over(database, store, other, clock, evaluated):
    (ask,) = store.record_asks(0, [Proposal(Genome({"tau": 1}))])
    store.acquire("node1", 12)
    clock(31)
    other.acquire("node2", 13)
    before = queries.study(database, "first")
    for write in (
        lambda: store.record_asks(1, [Proposal(Genome({"tau": 2}))]),
        lambda: store.record(evaluated(), generation=0, ask=ask),
        lambda: store.record_tell(0, [ask]),
        lambda: store.record_attempt(ask, evaluated(failure=Failure("exception", "no"))),
        lambda: store.record_restart(1, 5, "no"),
        lambda: store.extend({"generations": 3}),
        lambda: store.set_state("failed"),
        lambda: store.set_reference({"accuracy": (1, 0)}),
        lambda: store.prune_weights([], before=1),
        lambda: store.prune_rungs(0),
        store.renew,
    ):
        with pytest.raises(LeaseError, match="another process has taken over: process 13 on node2"):
            write()
    store.release()
    assert not lease(database).released
    assert queries.study(database, "first") == before
    assert len(queries.asks(database, "first")) == 1
    assert queries.attempts(database, "first") == queries.evaluations(database, "first") == []
    other.record(evaluated(), generation=0, ask=ask)


def test_a_holder_that_nobody_took_over_from_goes_on(store, other, clock):
    store.acquire("node1", 12)
    clock(1000)
    store.set_state("running")
    store.renew(20)
    with pytest.raises(LeaseError, match=r"for 1000 s, last heard of 0 s ago"):
        other.acquire("node2", 13)


def test_who_never_acquired_writes_beside_a_holder(database, store, other, evaluated):
    store.acquire("node1", 12)
    other.record(evaluated(), generation=0, purpose="retrain")
    assert len(queries.evaluations(database, "first", "retrain")) == 1
    for step in (other.renew, other.release):
        with pytest.raises(LeaseError, match="holds no lease"):
            step()


def test_each_study_has_its_own_lease(database, store, new_study):
    assert store.acquire("node1", 12) == 1
    assert new_study(database, "second").acquire("node2", 13) == 1


def test_of_many_that_ask_at_once_one_gets_the_lease(where, store):
    def acquire(process):
        with Database.open(where) as database:
            try:
                return StudyStore.open(database, "first").acquire("node", process)
            except LeaseError:
                return None

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(acquire, range(8)))
    assert sorted(fence for fence in got if fence) == [1]


def test_the_clock_is_in_utc(database):
    with database.read() as session:
        moment = leases.now(session)
    assert moment.utcoffset() == timedelta(0)
    assert abs(moment - datetime.now(UTC)) < timedelta(seconds=5)
