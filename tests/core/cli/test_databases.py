"""The commands about a database as a whole, from the outside."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from spikefront.cli import main

KEPT = Path(__file__).parent.parent / "storage" / "revisions"

Program = Callable[..., tuple[int, str, str]]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Run the program in an empty working folder: arguments to exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["spikefront", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Put a database of the first revision into the working folder, under the name that commands look for."""
    return Path(shutil.copy(KEPT / "0001.sqlite", tmp_path / "spikefront.db"))


def test_an_old_database_is_upgraded_by_the_command_that_every_other_one_names(program: Program, old: Path) -> None:
    commands = (["studies"], ["front", "digits"], ["test", "digits", "7"], ["db", "check"])
    for command in commands:
        code, _, errors = program(*command)
        assert code == 2
        assert "spikefront.db was written by an older Spikefront (revision 0001)" in errors
        assert "`spikefront db upgrade --db spikefront.db`" in errors
    code, output, _ = program("db", "upgrade", "--db", "spikefront.db")
    assert code == 0
    (copy,) = old.parent.glob("*.bak")
    assert output == f"Copied it to {copy.name}\nUpgraded from revision 0001 to 0003\n"
    code, output, _ = program("db", "upgrade")
    assert (code, output) == (0, "Nothing to do: it has revision 0003 already\n")
    assert program("front", "digits")[0] == 0


def test_an_upgrade_may_do_without_a_copy(program: Program, old: Path) -> None:
    assert program("db", "upgrade", "--no-backup") == (0, "Upgraded from revision 0001 to 0003\n", "")
    assert list(old.parent.glob("*.bak")) == []


def test_a_backup_is_a_database(program: Program, old: Path) -> None:
    assert program("db", "backup", "--to", "copy.db") == (0, "Copied it to copy.db\n", "")
    assert program("db", "upgrade", "--db", "copy.db")[0] == 0
    assert program("db", "check", "--db", "copy.db")[0] == 0
    code, _, errors = program("db", "backup", "--to", "copy.db")
    assert (code, "copy.db is there already" in errors) == (2, True)


def test_a_check_prints_a_line_for_each_study_or_finding(program: Program, old: Path) -> None:
    program("db", "upgrade", "--no-backup")
    line = "study 'digits': in order, 12 evaluations, 0 failed\n"
    assert program("db", "check") == program("db", "check", "digits") == (0, line, "")
    with closing(sqlite3.connect(old)) as raw:
        raw.execute(
            "UPDATE artifacts SET content = zeroblob(size)"
            " WHERE evaluation_id = (SELECT id FROM evaluations WHERE purpose = 'search' AND number = 1)"
        )
        raw.execute("UPDATE evaluations SET ask = 4 WHERE purpose = 'search' AND number = 5")
        raw.commit()
    code, output, _ = program("db", "check", "digits")
    assert code == 1
    assert output.splitlines() == [
        "study 'digits': evaluations answer another ask than their own: 5",
        "study 'digits': asks are counted twice: 4",
        "study 'digits': evaluations are of another genome or generation than what was asked: 5",
        "study 'digits': asks of the finished study have no evaluation: 5",
        "study 'digits': asks were told that have no evaluation: 5",
        "study 'digits': search evaluation 1: the weights are damaged: their checksum does not match",
    ]
    assert program("db", "check", "digit")[0] == 2
