"""Whatever is wrong with the database, each page says it in a sentence with the remedy, and shows no traceback."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from app_pages import MAIN, page
from app_studies import document, run_study
from streamlit.testing.v1 import AppTest

from spikefront.cli.options import DATABASE_VARIABLE
from spikefront.storage import Database, sqlite

PAGES = {path.stem: path.read_text() for path in sorted((MAIN.parent / "screens").glob("*.py"))}
NEEDS = [name for name, text in PAGES.items() if re.search(r"choose_stud|require_studies", text)]
"""Pages that are about what the database holds; the others work without one."""
SOME_ALWAYS = [pytest.param(name, marks=[] if name in {"front"} else [pytest.mark.slow]) for name in PAGES]
"""The pages; all of them take too long for every run."""


def told(app: AppTest) -> str:
    """Return what a page says in its boxes."""
    assert not app.exception, [one.value for one in app.exception]
    boxes = (*app.error, *app.warning, *app.info)
    text = "\n".join(box.value for box in boxes)
    assert "Traceback" not in text
    return text


def execute(path: Path, statement: str, *values: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


def ours(path: Path) -> None:
    with Database.open(path, create=True):
        pass


def of_another_program(path: Path) -> None:
    execute(path, "CREATE TABLE songs (title TEXT)")


def newer(path: Path) -> None:
    ours(path)
    execute(path, "UPDATE spikefront_version SET version_num = '9999'")


def older(path: Path) -> None:
    ours(path)
    execute(path, "UPDATE spikefront_version SET version_num = '0001'")


WRONG: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "missing": (lambda path: None, "there is no database", "`spikefront run FILE` makes one"),
    "no bytes": (lambda path: path.touch(), "is empty", "`spikefront run FILE` makes one"),
    "no studies": (ours, "There is no study in", "Run one"),
    "a folder": (lambda path: path.mkdir(), "is a folder", "Give a file in it"),
    "text": (lambda path: path.write_text("hello, this is no database"), "is not a database", "Give another file"),
    "another program's": (of_another_program, "belongs to another program", "Give another file"),
    "newer": (newer, "written by a newer Spikefront", "pip install --upgrade"),
    "older": (older, "written by an older Spikefront", "spikefront db upgrade"),
}


@pytest.mark.parametrize("name", SOME_ALWAYS)
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_database_is_a_sentence_with_the_remedy(database: str, tmp_path: Path, what: str, name: str) -> None:
    make, reason, remedy = WRONG[what]
    make(tmp_path / "app.db")
    text = told(page(name))
    if name in NEEDS:
        assert reason in text
        assert remedy in text


@pytest.mark.parametrize("name", [one for one in SOME_ALWAYS if one.values[0] in NEEDS])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://host/x", "mysql databases are not supported"),
        ("sqlite:///gone/x.db", "the folder gone does not exist"),
    ],
)
def test_a_wrong_address_is_a_sentence(monkeypatch: pytest.MonkeyPatch, url: str, reason: str, name: str) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, url)
    assert reason in told(page(name))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let another process hold a database for itself."""
    code = (
        "import sqlite3, sys\n"
        f"c = sqlite3.connect({str(path)!r}, isolation_level=None)\n"
        "c.execute('PRAGMA locking_mode = EXCLUSIVE')\n"
        "c.execute('BEGIN EXCLUSIVE')\n"
        "c.execute('CREATE TABLE held (x)')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            process.kill()


def test_a_locked_database_is_a_sentence(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_study(database, document())
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with locked(tmp_path / "app.db"):
        for name in NEEDS:
            text = told(page(name))
            assert "database is locked" in text, name
            assert "wait for it or stop it" in text


@pytest.mark.parametrize("name", SOME_ALWAYS)
def test_a_database_that_is_deleted_while_it_is_shown(study: str, tmp_path: Path, name: str) -> None:
    app = page(name)
    told(app)
    for file in tmp_path.glob("app.db*"):
        file.unlink()
    text = told(app.run())
    if name in NEEDS:
        assert "there is no database" in text


@pytest.mark.parametrize("name", SOME_ALWAYS)
def test_a_study_that_is_renamed_or_deleted_while_it_is_shown(study: str, tmp_path: Path, name: str) -> None:
    run_study(f"sqlite:///{tmp_path}/app.db", document("other"))
    app = page(name, study=study)
    told(app)
    execute(tmp_path / "app.db", "UPDATE studies SET name = 'renamed' WHERE name = ?", study)
    told(app.run())
    if name in NEEDS:
        assert f"'{study}', which is not there" in told(page(name, study=study)) or name == "compare"


@pytest.mark.parametrize("name", SOME_ALWAYS)
def test_missing_weights_spoil_no_page(study: str, tmp_path: Path, name: str) -> None:
    execute(tmp_path / "app.db", "DELETE FROM artifacts")
    told(page(name, study=study))
