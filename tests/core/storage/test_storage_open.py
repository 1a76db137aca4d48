"""Opening SQLite files: what is made, what is left alone, and what is refused with which words."""

import hashlib
import os
import sqlite3
import sys
from contextlib import closing
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from spikefront.errors import StorageError
from spikefront.storage import Database, StudyStore, queries, sqlite


@pytest.fixture
def where(path):
    return str(path)


def fingerprint(path):
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns


def pragma(database, name):
    with database.read() as session:
        return session.scalar(text(f"PRAGMA {name}"))


def refusal(where, **options):
    """Return the message of both ways to open, which has to be the same, and the hint of the first."""
    with pytest.raises(StorageError) as caught:
        Database.open(where, **options)
    with pytest.raises(StorageError) as caught_too:
        Database.read_only(where)
    assert caught.value.message == caught_too.value.message
    assert caught.value.hint
    return caught.value.message, caught.value.hint


def test_a_writer_has_the_settings_that_keep_the_record_safe(database):
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "trusted_schema")
    assert [pragma(database, name) for name in names] == ["wal", 2, 1, 30_000, 0]


@pytest.mark.parametrize("name", ["plain.db", "with space.db", "per%20cent?#&.db", "ünï.db", "file:x.db"])
def test_files_of_any_name_are_opened(tmp_path, new_study, name):
    path = tmp_path / name
    with Database.open(path, create=True) as database:
        new_study(database)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    with Database.read_only(path) as database:
        assert len(queries.studies(database)) == 1


def test_a_file_a_path_and_a_url_name_the_same(tmp_path, monkeypatch, new_study):
    monkeypatch.chdir(tmp_path)
    with Database.open("sqlite:///a.db", create=True) as database:
        new_study(database)
    for where in ("a.db", tmp_path / "a.db", f"sqlite:///{tmp_path}/a.db", "sqlite:///./a.db"):
        with Database.read_only(where) as database:
            assert queries.study(database, "first").name == "first"


def test_what_is_there_is_kept(path, new_study):
    for name in ("first", "second"):
        with Database.open(path, create=True) as database:
            new_study(database, name)
    with Database.open(path) as database:
        assert [row.name for row in queries.studies(database)] == ["first", "second"]


def test_a_reader_changes_nothing(path, new_study, evaluated):
    with Database.open(path, create=True) as database:
        new_study(database).record(evaluated(), generation=0)
    before = fingerprint(path)
    with Database.read_only(path) as database:
        assert len(queries.front(database, "first")) == 1
        store = StudyStore.open(database, "first")
        with pytest.raises(StorageError, match="readonly database") as caught:
            store.record(evaluated(2), generation=0)
        assert "for writing" in caught.value.hint
    assert fingerprint(path) == before


def test_a_reader_works_while_a_writer_has_the_lock(path, database, store):
    with Database.read_only(path) as reader, database.write() as session:
        session.execute(text("UPDATE studies SET state = 'failed'"))
        assert queries.study(reader, "first").state == "running"
        with (
            pytest.raises(sqlite3.OperationalError, match="locked"),
            closing(sqlite3.connect(path, timeout=0)) as other,
        ):
            other.execute("BEGIN IMMEDIATE")


def test_who_has_waited_longest_for_the_lock_asks_most_often(path, database, store, monkeypatch):
    pauses = []
    clock = SimpleNamespace(monotonic=lambda: sum(pauses), sleep=pauses.append)
    with Database.open(path) as second, database.write() as session:
        session.execute(text("SELECT 1"))
        monkeypatch.setattr(sqlite, "time", clock)
        monkeypatch.setattr(sqlite, "BUSY_SECONDS", 1.0)
        with pytest.raises(StorageError, match="database is locked"):
            StudyStore.open(second, "first").set_state("failed")
    assert 1.0 <= sum(pauses) < 1.1
    assert 0.01 <= pauses[0] <= 0.02
    assert 0.0005 <= pauses[-1] <= 0.001


def test_a_writer_that_only_reads_takes_no_lock(path, database, store):
    with database.read() as session, closing(sqlite3.connect(path, timeout=0)) as other:
        session.scalar(text("SELECT 1"))
        other.execute("BEGIN IMMEDIATE")
        assert other.in_transaction


def test_a_reader_of_a_folder_that_it_cannot_write_sees_all(path, database, store, monkeypatch):
    """With files of a writer beside the database they are read; without, the database is taken as it is."""
    monkeypatch.setattr(os, "access", lambda place, mode: mode != os.W_OK)
    with Database.read_only(path) as reader:
        assert queries.study(reader, "first").state == "running"
        database.close()
        assert not path.with_name(f"{path.name}-wal").exists()
        assert queries.study(reader, "first").state == "running"
        assert {file.name for file in path.parent.iterdir()} == {path.name}


def test_a_missing_file_is_not_made(path):
    message, hint = refusal(path)
    assert message == f"there is no database {path}"
    assert "`spikefront run" in hint
    assert not path.exists()


def test_an_empty_file_has_no_studies(path):
    path.touch()
    message, hint = refusal(path)
    assert message == f"{path} is empty: it has no studies"
    assert "`spikefront run" in hint
    assert path.read_bytes() == b""
    with Database.open(path, create=True) as database:
        assert queries.studies(database) == []


def test_a_missing_folder_is_named(tmp_path):
    message, _ = refusal(tmp_path / "no" / "a.db", create=True)
    assert message == f"the folder {tmp_path / 'no'} does not exist"


def test_a_folder_is_no_database(tmp_path):
    message, hint = refusal(tmp_path, create=True)
    assert message == f"{tmp_path} is a folder"
    assert "spikefront.db" in hint


@pytest.mark.parametrize("content", [b"name,accuracy\n", b"x", b"SQLite format 2\0" + bytes(100)])
def test_other_files_are_no_databases(path, content):
    path.write_bytes(content)
    message, _ = refusal(path, create=True)
    assert message == f"{path} is not a database"
    assert path.read_bytes() == content


def test_a_damaged_database_is_named(path):
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    message, hint = refusal(path)
    assert message.startswith(f"{path}: ")
    assert "damaged" in hint


def test_another_programs_database_is_left_alone(path):
    with closing(sqlite3.connect(path)) as other:
        other.executescript("CREATE TABLE trials (id); CREATE TABLE alembic_version (version_num)")
    before = fingerprint(path)
    message, _ = refusal(path, create=True)
    assert message == f"{path} belongs to another program: it has tables like alembic_version, trials"
    assert fingerprint(path) == before
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_places_that_cannot_be_written_or_read_are_named(path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda place, mode: mode != os.W_OK)
    with pytest.raises(StorageError, match=f"the folder {path.parent} is not writable"):
        Database.open(path, create=True)
    path.touch()
    with pytest.raises(StorageError, match="or its folder is not writable"):
        Database.open(path)
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    with pytest.raises(StorageError, match="is not readable"):
        Database.read_only(path)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "the name of the database is empty"),
        ("://x", "the address of the database is not a database URL"),
        ("postgresql://host:port/x", "the address of the database is not a database URL"),
        ("sqlite://", "sqlite:// does not name a file only"),
        ("sqlite:///:memory:", "sqlite:///:memory: does not name a file only"),
        ("sqlite:///a.db?mode=memory", "sqlite:///a.db?mode=memory does not name a file only"),
        ("sqlite://host/a.db", "sqlite://host/a.db does not name a file only"),
        ("mysql://me:secret@host/a", "mysql databases are not supported: mysql://me:***@host/a"),
        (
            "postgresql+nothing://me:secret@host/a",
            "there is no driver 'postgresql+nothing': postgresql+nothing://me:***@host/a",
        ),
    ],
)
def test_addresses_that_cannot_be_are_refused(url, message):
    found, hint = refusal(url, create=True)
    assert found == message
    assert hint == "Give a file, sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME."


def test_a_driver_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    message, hint = refusal("postgresql+psycopg://me:secret@host/a")
    assert message == "postgresql+psycopg://me:***@host/a needs the package 'psycopg'"
    assert hint == "pip install 'psycopg[binary]'"
