"""Databases that each revision of the tables left: all of them open, upgrade, and answer as they did."""

import json
import shutil
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, text

from spikefront.components import Proposal
from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.specification import Specification
from spikefront.storage import Database, StudyStore, maintenance, migration, queries, sqlite

KEPT = sorted((Path(__file__).parent / "revisions").glob("*.sqlite"))
"""Each was made by its own program: it ran `revisions/digits.toml`, then retrained and tested candidate 7."""

HEAD = ScriptDirectory(migration.MIGRATIONS).get_current_head()


def fill(url, kept, revision):
    """Put what an SQLite database of some revision holds into a PostgreSQL database of the same."""
    target, source = create_engine(url), sqlite.reader(kept)
    tables = MetaData()
    with source.connect() as old, target.begin() as new:
        command.upgrade(migration.configuration(new), revision)
        tables.reflect(new)
        for table in tables.sorted_tables:
            rows = [dict(row) for row in old.execute(table.select()).mappings()]
            if rows and table.name != migration.VERSION_TABLE:
                new.execute(table.insert(), rows)
        for name in ("studies", "evaluations"):
            new.execute(text(f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))"))  # noqa: S608
    for engine in (source, target):
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, path):
    """Return a function that puts a kept database where it can be changed."""

    def put(kept):
        shutil.copy(kept, path)
        if request.param == "sqlite":
            return path
        url = request.getfixturevalue("postgresql_url")
        fill(url, path, kept.stem)
        return url

    return put


def test_a_database_of_every_revision_is_kept():
    revisions = {script.revision for script in ScriptDirectory(migration.MIGRATIONS).walk_revisions()}
    assert {path.stem for path in KEPT} == revisions


def test_the_page_on_storage_has_every_revision():
    page = (Path(__file__).parents[3] / "docs" / "storage.md").read_text()
    assert [path.stem for path in KEPT if f"| {path.stem} |" not in page] == []


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.stem)
def test_it_is_upgraded_with_a_copy_and_keeps_what_it_holds(place, kept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    where = place(kept)
    if kept.stem != HEAD:
        for opened in (Database.open, Database.read_only):
            with pytest.raises(StorageError, match=rf"older Spikefront \(revision {kept.stem}\)"):
                opened(where)
    done = maintenance.upgrade(where)
    assert (done.before, done.after) == (kept.stem, HEAD)
    assert (done.copy is None) == (kept.stem == HEAD)
    with Database.read_only(where) as database:
        row = queries.study(database, "digits")
        assert (row.state, row.evaluations, row.failed) == ("finished", 12, 0)
        assert [ask.number for ask in queries.asks(database, "digits")] == list(range(12))
        assert [ask.told for ask in queries.asks(database, "digits")] == [0] * 4 + [1] * 4 + [None] * 4
        front = queries.front(database, "digits")
        assert [one.number for one in front] == [7, 3, 9, 0, 1, 4, 11]
        assert front[0].mean("accuracy") == pytest.approx(0.41)
        for one in front:
            assert queries.weights(database, "digits", one.number)
            assert queries.evaluation(database, "digits", one.number).genome.hash == one.genome_hash
        assert len(queries.retrainings(database, "digits", 7)) == 1
        assert len(queries.evaluations(database, "digits", "test")) == 1
        assert Specification.from_document(json.loads(row.specification), load()).name == "digits"


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.stem)
def test_it_can_be_written_to(place, kept, evaluated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    where = place(kept)
    maintenance.upgrade(where)
    with Database.open(where) as database:
        store = StudyStore.open(database, "digits")
        assert store.acquire("host", 1) >= 1
        assert store.record_asks(3, [Proposal(Genome({"new": 1}))]) == [12]
        store.record_tell(2, range(8, 12))
        assert store.record(evaluated(), generation=3, ask=12) == 12
        store.extend({"generations": 4})
        store.record_restart(12, 1, "tried")
        store.release()
