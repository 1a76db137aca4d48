"""A disk that is full: what the message says, what is kept, and that all goes on when there is space."""

import os
import resource
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from spikefront.components import Proposal
from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, integrity, leases, maintenance, queries, sqlite

TRIVIAL = Sources(modules=("benchmarks.trivial",))


@pytest.fixture
def where(path):
    return str(path)


@contextmanager
def largest_file(size):
    """Let the system refuse to write beyond `size` bytes of a file, as it does when a quota is used up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def largest_database(size):
    """Let SQLite find no space for more than `size` bytes, in connections made from here on."""
    connect = sqlite._connect

    def limited(path, mode):
        connection = connect(path, mode)
        connection.execute(f"PRAGMA max_page_count = {size // 4096}")
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "_connect", limited)
        yield


def fill(store, evaluated):
    """Record evaluations until no more fit."""
    for number in range(1000):
        (ask,) = store.record_asks(number, [Proposal(Genome({"neuron.tau": number}))])
        store.record(evaluated(number, weights=os.urandom(10_000)), generation=number, ask=ask, number=number)


@pytest.mark.parametrize(
    ("limit", "reason"), [(largest_file, "disk I/O error"), (largest_database, "database or disk is full")]
)
def test_the_record_is_whole_and_goes_on_when_there_is_space(path, new_study, evaluated, limit, reason):
    with Database.open(path, create=True) as database:
        new_study(database)
    with limit(400_000), Database.open(path) as database:
        store = new_study(database, "second")
        with pytest.raises(StorageError, match=reason) as caught:
            fill(store, evaluated)
        assert caught.value.message.startswith(f"{path}: ")
        assert "What was recorded before is whole; free some space" in caught.value.hint
        kept = len(queries.evaluations(database, "second"))
        assert kept >= 5
        assert integrity.check_file(database) == integrity.check_study(database, "second") == []
    with Database.open(path) as database:
        assert len(queries.evaluations(database, "second")) == kept
        store = type(store).open(database, "second")
        for number in range(len(queries.asks(database, "second")), 40):
            store.record_asks(number, [Proposal(Genome({"neuron.tau": number}))])
        for number in range(kept, 40):
            store.record(evaluated(number, weights=b"w"), generation=number, ask=number, number=number)
        assert integrity.check_file(database) == integrity.check_study(database, "second") == []


def test_an_open_store_goes_on_by_itself_when_there_is_space(path, database, store, evaluated):
    with largest_file(200_000), pytest.raises(StorageError):
        fill(store, evaluated)
    asks, kept = len(queries.asks(database, "first")), len(queries.evaluations(database, "first"))
    if asks > kept:
        store.record(evaluated(kept, weights=os.urandom(10_000)), generation=kept, ask=kept, number=kept)
    store.set_state("finished")
    assert integrity.check_study(database, "first") == []


def test_a_copy_for_which_there_is_no_space_is_none(path, database, store, tmp_path):
    with largest_file(8192), pytest.raises(StorageError, match="cannot be copied to") as caught:
        maintenance.back_up(path, tmp_path / "copy.db")
    assert "Free some space" in caught.value.hint
    assert not [file for file in tmp_path.iterdir() if file.name.startswith("copy")]


def test_a_search_goes_on_as_if_nothing_had_happened(tmp_path, monkeypatch):
    gene = {"low": 0.0, "high": 1.0}
    registry = load(TRIVIAL)
    study = Specification.from_document(
        {
            "study": {"name": "trivial", "seed": 1, "objectives": ["first", "second", "third"]},
            "task": {"use": "trivial", "a": gene, "b": gene, "c": gene},
            "trainer": {"use": "none"},
            "search": {"population": 10, "generations": 8},
            "execution": {"use": "inline"},
        },
        registry,
    )

    def run(path):
        with Database.open(path, create=True) as database:
            return Search(study, database).run()

    def outcome(path):
        with Database.read_only(path) as database:
            assert integrity.check_study(database, "trivial") == []
            rows = queries.evaluations(database, "trivial")
            return [(row.number, row.genome_hash, row.measurements) for row in rows]

    assert run(tmp_path / "whole.db") == "finished"
    with largest_file(300_000), pytest.raises(StorageError):
        run(tmp_path / "parts.db")
    assert 0 < len(outcome(tmp_path / "parts.db")) < 80
    monkeypatch.setattr(leases, "now", lambda session: datetime.now(UTC) + timedelta(minutes=1))  # a lease has run out
    assert run(tmp_path / "parts.db") == "finished"
    assert outcome(tmp_path / "parts.db") == outcome(tmp_path / "whole.db")
