"""Opening PostgreSQL databases: what is made, what is left alone, and what is refused with which words."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from benchmarks.postgresql import programs
from sqlalchemy import URL, create_engine, make_url, text

from spikefront.components.algorithm import Proposal
from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.storage import Database, StudyStore, integrity, maintenance, postgresql, queries
from spikefront.storage import store as store_module
from spikefront.storage.inserts import add_genomes


@pytest.fixture
def where(postgresql_url):
    return postgresql_url


@pytest.fixture
def run(postgresql_url):
    """Return a function that runs statements as another program does."""
    engine = create_engine(postgresql_url, isolation_level="AUTOCOMMIT")

    def execute(*statements):
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    yield execute
    engine.dispose()


def refusal(where, **options):
    """Return the message of both ways to open, which has to be the same, and the hint of the first."""
    with pytest.raises(StorageError) as caught:
        Database.open(where, **options)
    with pytest.raises(StorageError) as caught_too:
        Database.read_only(where)
    assert caught.value.message == caught_too.value.message
    assert str(make_url(where).password) not in str(caught.value)
    return caught.value.message, caught.value.hint


def test_an_address_without_a_driver_takes_ours(where, database):
    with Database.read_only(where.replace("postgresql+psycopg", "postgresql")) as reader:
        assert queries.studies(reader) == []


def test_an_empty_database_has_no_studies(where):
    message, hint = refusal(where)
    assert message.endswith("is empty: it has no studies")
    assert "`spikefront run" in hint


def test_a_reader_changes_nothing(where, database, store, evaluated):
    with Database.read_only(where) as reader:
        with pytest.raises(StorageError, match="read-only transaction") as caught:
            StudyStore.open(reader, "first").record(evaluated(), generation=0)
        assert "for writing" in caught.value.hint
        assert queries.evaluations(reader, "first") == []


def test_programs_make_the_tables_together(where):
    def make(number):
        with Database.open(where, create=True) as database:
            return len(queries.studies(database))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(make, range(4))) == [0] * 4


def test_studies_that_add_the_same_genomes_in_another_order_do_not_wait_in_a_ring(database, store, run):
    low, high = sorted((Genome({"gene": number}) for number in range(2)), key=lambda genome: genome.hash)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as pool:
        with database.write() as other:
            add_genomes(other, [low])
            asked = pool.submit(store.record_asks, 0, [Proposal(high), Proposal(low)])
            while not asked.done() and not other.scalar(waiting):
                time.sleep(0.01)
            add_genomes(other, [high])
        assert asked.result() == [0, 1]


def test_a_program_that_sleeps_in_a_transaction_loses_its_locks(database):
    with database.write() as session:
        settings = ("lock_timeout", "idle_in_transaction_session_timeout", "transaction_isolation")
        assert [session.scalar(text(f"SHOW {name}")) for name in settings] == ["30s", "1min", "read committed"]


def test_a_server_that_was_started_anew_is_found_again(database, store, run):
    run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    store.set_state("failed")
    assert queries.study(database, "first").state == "failed"


def test_a_copy_is_an_archive_that_pg_restore_reads(where, database, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for copy in (maintenance.back_up(where), maintenance.back_up(where, tmp_path / "named")):
        assert copy.read_bytes()[:5] == b"PGDMP"
    assert sorted(file.name for file in tmp_path.iterdir())[0] == "named"
    with pytest.raises(StorageError, match="named is there already"):
        maintenance.back_up(where, tmp_path / "named")


def test_a_copy_brings_back_what_was_there(where, database, store, evaluated, run, tmp_path):
    store.record(evaluated(weights=b"w"), generation=0)
    copy = maintenance.back_up(where, tmp_path / "copy")
    store.record(evaluated(2), generation=0)
    database.close()
    url = make_url(where)
    place = URL.create("postgresql", url.username, None, url.host, url.port, url.database).render_as_string()
    command = [str(programs() / "pg_restore"), "--clean", "--if-exists", "--dbname", place, str(copy)]
    subprocess.run(command, env={**os.environ, "PGPASSWORD": url.password}, check=True)
    with Database.read_only(where) as restored:
        assert integrity.check_study(restored, "first")  # made without asks; it can be read
        assert len(queries.evaluations(restored, "first")) == 1
        assert queries.weights(restored, "first", 0) == b"w"


def test_a_server_without_pg_dump_is_copied_by_its_operator(where, database, tmp_path, monkeypatch):
    monkeypatch.setattr(postgresql, "_pg_dump", lambda: None)
    with pytest.raises(StorageError, match="there is no program pg_dump") as caught:
        maintenance.back_up(where, tmp_path / "copy")
    assert "--no-backup" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_pg_dump_cannot_make_is_none(where, database, tmp_path, monkeypatch):
    monkeypatch.setattr(postgresql, "_pg_dump", lambda: "/bin/false")
    with pytest.raises(StorageError, match="cannot be copied"):
        maintenance.back_up(where, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_stops_in_a_transaction_keeps_nothing_of_it(database, store, evaluated, run, monkeypatch):
    def stop(session, genomes):
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        run(f"SELECT pg_terminate_backend({pid})")
        add_genomes(session, genomes)

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "add_genomes", stop)
        with pytest.raises(StorageError, match=r"terminating connection|closed the connection") as caught:
            store.record(evaluated(), generation=0)
    assert "What was recorded before is whole" in caught.value.hint
    assert queries.evaluations(database, "first") == []
    assert store.record(evaluated(), generation=0) == 0


def test_another_programs_tables_are_left_alone(where, run):
    run("CREATE TABLE trials (id integer)")
    message, _ = refusal(where, create=True)
    assert message.endswith("belongs to another program: it has tables like trials")


def test_a_missing_database_a_wrong_password_and_a_missing_server_are_named(where):
    for change, part, advice in (
        ({"database": "nothing"}, 'database "nothing" does not exist', "createdb"),
        ({"password": "wrong-one"}, "password authentication failed", "password"),
        ({"port": 1}, "onnection refused", "database is there"),
    ):
        message, hint = refusal(make_url(where).set(**change).render_as_string(hide_password=False), create=True)
        assert part in message
        assert advice in hint


def test_a_user_without_the_right_to_make_tables_is_told(where, run):
    run("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    try:
        url = make_url(where).set(**dict.fromkeys(("username", "password"), "guest"))
        with pytest.raises(StorageError, match="permission denied") as caught:
            Database.open(url.render_as_string(hide_password=False), create=True)
        assert "GRANT CREATE" in caught.value.hint
    finally:
        run("DROP ROLE guest")
