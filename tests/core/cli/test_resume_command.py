"""Going on with a study from the command line, and processes that end in the middle of it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmarks import crash
from test_cli import STUDY, Program, _evaluations, finished, program, study  # noqa: F401  fixtures

from spikefront.storage import Database, queries


def test_a_finished_study_is_given_more_generations(finished: Program, tmp_path: Path) -> None:  # noqa: F811
    with Database.read_only(tmp_path / "spikefront.db") as database:
        before = queries.evaluations(database, "tiny")
    code, out, err = finished("resume", "tiny", "--generations", "3")
    assert (code, err) == (0, "")
    assert "Front of 'tiny'" in out
    with Database.read_only(tmp_path / "spikefront.db") as database:
        rows = queries.evaluations(database, "tiny")
        assert rows[: len(before)] == [*before]
        assert [row.number for row in rows] == list(range(12))
        assert queries.study(database, "tiny").extension == {"generations": 3}
    assert finished("resume", "tiny")[0] == 0
    assert _evaluations(tmp_path / "spikefront.db") == 12


@pytest.mark.parametrize(("arguments", "message", "hint"), [
    (["tiny", "--generations", "1"], "4 candidates are fewer than the 8 that the study asks for by now", "Give more"),
    (["tiny", "--generations", "3", "--evaluations", "9"], "two ways to say one thing", "Give one of them"),
    (["tinny", "--generations", "3"], "no study 'tinny'", "'tiny'"),
])  # fmt: skip
def test_wrong_budgets_and_names_are_refused(
    finished: Program, tmp_path: Path, arguments: list[str], message: str, hint: str  # noqa: F811
) -> None:  # fmt: skip
    code, _, err = finished("resume", *arguments)
    assert code == 2
    assert message in err
    assert hint in err
    assert _evaluations(tmp_path / "spikefront.db") == 8


def test_a_fresh_algorithm_from_the_command_line(finished: Program, tmp_path: Path) -> None:  # noqa: F811
    assert finished("resume", "tiny", "--fresh-algorithm", "--evaluations", "11")[0] == 0
    with Database.read_only(tmp_path / "spikefront.db") as database:
        assert [one.ask for one in queries.study(database, "tiny").restarts] == [8]
        assert len(queries.asks(database, "tiny")) == 11


def started(tmp_path: Path, study: str) -> subprocess.Popen[str]:  # noqa: F811
    """Return a run of a long study, when its first candidates are recorded."""
    command = [sys.executable, "-m", "spikefront", "run", study]
    command += ["--set", "search.generations=500", "--set", "trainer.epochs=1"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    database, deadline = tmp_path / "spikefront.db", time.monotonic() + 60
    while time.monotonic() < deadline and not (database.exists() and _evaluations(database) > 3):
        time.sleep(0.2)
    return process


def test_a_second_process_is_refused_and_goes_on_when_the_first_was_killed(
    tmp_path: Path, study: str, program: Program  # noqa: F811
) -> None:  # fmt: skip
    process = started(tmp_path, study)
    try:
        code, _, err = program("resume", "tiny")
        assert code == 2
        assert f"is being searched already, by process {process.pid} on" in err
        with Database.read_only(tmp_path / "spikefront.db") as database:
            assert queries.study(database, "tiny").state == "running"
    finally:
        process.kill()
        process.communicate(timeout=30)
    done = _evaluations(tmp_path / "spikefront.db")
    code, _, err = program("resume", "tiny", "--evaluations", "1")
    assert (
        "fewer than the 2,000" in err or "fewer than the 2000" in err
    )  # the lease is free, and the budget is looked at
    assert _evaluations(tmp_path / "spikefront.db") == done


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once(tmp_path: Path, study: str, number: signal.Signals) -> None:  # noqa: F811
    process = started(tmp_path, study)
    process.send_signal(number)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 130
    with Database.read_only(tmp_path / "spikefront.db") as database:
        rows = queries.evaluations(database, "tiny")
        assert [row.number for row in rows] == list(range(len(rows)))


def test_killed_processes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = crash.STUDY.replace("generations = 6", "generations = 2").replace("epochs = 2", "epochs = 1")
    monkeypatch.setattr(crash, "STUDY", short)
    studies, tally = crash.Studies(tmp_path, None, []), crash.Tally()
    database, begin = studies.new(), time.monotonic()
    assert studies.start(database, resume=False).wait(100) == 0
    seconds = time.monotonic() - begin
    crash.crash(studies, crash.front(database), 2, random.Random(1), seconds, tally)
    assert tally.sound
