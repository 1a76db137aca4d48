"""The program from the outside: commands, formats, exit codes, messages."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from spikefront.cli import main
from spikefront.exported import load_network

STUDY = """
[study]
name = "tiny"
seed = 3
objectives = ["accuracy", "parameters", "energy"]
columns = ["spikes"]

[task]
use = "digits"
train = 300
validation = 200

[network]
use = "mlp"
hidden = { choice = [[16], [32]] }

[neuron]
tau = { low = 1.5, high = 3.0 }

[coder]
steps = 2

[encoding]
use = { choice = ["genetic", "direct"] }
variant = "unfold"
genes = { low = 2, high = 8, step = 2 }

[trainer]
epochs = 2

[search]
population = 4
generations = 2

[execution]
use = "inline"
"""

Program = Callable[..., tuple[int, str, str]]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Run the program in an empty working folder: arguments to exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["spikefront", *arguments])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def study(tmp_path: Path) -> str:
    path = tmp_path / "tiny.toml"
    path.write_text(STUDY)
    return str(path)


@pytest.fixture
def finished(program: Program, study: str) -> Program:
    code, out, err = program("run", study)
    assert (code, err) == (0, "")
    assert "Front of 'tiny'" in out
    return program


def front(program: Program) -> list[dict[str, object]]:
    code, out, _ = program("front", "tiny", "--format", "json")
    assert code == 0
    rows: list[dict[str, object]] = json.loads(out)
    return rows


def test_run_front_and_listings(finished: Program) -> None:
    rows = front(finished)
    assert rows
    for row in rows:
        assert {"id", "objectives", "genome", "measurements", "seed", "generation"} <= set(row)
        assert set(row["objectives"]) == {"accuracy", "parameters", "energy"}
        assert row["seed"] == 3
    code, out, _ = finished("studies", "--format", "json")
    assert code == 0
    assert [(s["name"], s["state"], s["evaluations"]) for s in json.loads(out)] == [("tiny", "finished", 8)]
    code, out, _ = finished("front", "tiny", "--format", "csv")
    assert [int(row["id"]) for row in csv.DictReader(io.StringIO(out))] == [row["id"] for row in rows]


def test_the_weights_of_the_front_are_kept_and_no_others(finished: Program, tmp_path: Path) -> None:
    from spikefront.storage import Database, queries

    with Database.read_only(tmp_path / "spikefront.db") as database:
        kept = {row.number for row in queries.evaluations(database, "tiny") if row.has_weights}
    assert kept == {row["id"] for row in front(finished)}
    assert len(kept) < 8


def test_show_tells_the_specification_and_the_plugins(finished: Program) -> None:
    code, out, _ = finished("show", "tiny", "--format", "json")
    facts = json.loads(out)
    assert code == 0
    assert facts["specification"]["trainer"] == {"epochs": 2}
    assert any(line.startswith("encoding genetic: spikefront.encodings.genetic") for line in facts["plugins"])
    code, out, _ = finished("show", "tiny")
    assert "[encoding]" in out


def test_a_screened_study_tells_how_its_score_stands(program: Program, study: str) -> None:
    screening = ["--set", "search.screening={ use = 'synflow', after = 2 }"]
    code, out, err = program("run", study, *screening)
    assert (code, err) == (0, "")
    (line,) = [line for line in out.splitlines() if line.startswith("screening synflow: Kendall tau ")]
    code, out, _ = program("show", "tiny", "--format", "json")
    assert "screening " + json.loads(out)["screening"] == line
    code, out, _ = program("show", "tiny")
    assert line.removeprefix("screening ") in out


def test_running_again_only_shows_the_front(finished: Program, study: str) -> None:
    before = front(finished)
    assert finished("run", study)[0] == 0
    assert front(finished) == before


def test_set_changes_the_study(program: Program, study: str) -> None:
    code, _, _ = program("run", study, "--set", "study.name=other", "--set", "search.generations=1", "--workers", "1")
    assert code == 0
    code, out, _ = program("studies", "--format", "json")
    assert [(s["name"], s["evaluations"]) for s in json.loads(out)] == [("other", 4)]


def test_retrain_test_and_export(finished: Program, tmp_path: Path) -> None:
    best = str(front(finished)[0]["id"])
    code, out, _ = finished("retrain", "tiny", best, "--seeds", "2", "--format", "json")
    (retrained,) = json.loads(out)
    assert (code, retrained["seeds"]) == (0, 2)
    assert retrained["parameters"] == retrained["parameters in search"]
    code, out, _ = finished("test", "tiny", best, "--format", "json")
    (tested,) = json.loads(out)
    assert (code, tested["seeds"]) == (0, 2)
    assert 0 < tested["accuracy"] <= 1
    code, out, _ = finished("export", "tiny", best, "--to", "net")
    assert code == 0
    network = load_network(tmp_path / "net")
    assert network(torch.rand(5, 1, 8, 8)).shape == (2, 5, 10)
    (tmp_path / "tiny.db").unlink(missing_ok=True)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_the_test_split_is_touched_by_the_test_command_only(
    program: Program, study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spikefront_plugins.tasks.digits import Digits

    asked: list[str] = []
    original = Digits.data

    def spy(self: Digits, split: str) -> object:
        asked.append(split)
        return original(self, split)  # type: ignore[arg-type]

    monkeypatch.setattr(Digits, "data", spy)
    assert program("run", study, "--set", "search.generations=1")[0] == 0
    best = str(front(program)[0]["id"])
    assert "test" not in asked
    assert program("test", "tiny", best)[0] == 0
    assert "test" in asked


SIMULATION = """
trainer = "none"

[study]
name = "column"
objectives = ["rate-error"]

[task]
use = "cortical-column"
excitatory_current = { low = 0.0, high = 2.0 }
duration = 50
settling = 10

[search]
algorithm = "ga"
population = 4
generations = 2

[execution]
use = "inline"
"""


def test_a_simulation_is_tested_without_weights(program: Program, tmp_path: Path) -> None:
    (tmp_path / "column.toml").write_text(SIMULATION)
    assert program("run", "column.toml")[0] == 0
    code, out, err = program("test", "column", "0", "--format", "json")
    assert (code, err) == (0, "")
    (row,) = json.loads(out)
    assert row["rate_error"] >= 0


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("run", "nowhere.toml"), ("nowhere.toml", "no such study file")),
        (("run", "tiny.toml", "--set", "coder.steps=0"), ("coder.steps = 0", "greater than or equal to 1")),
        (("run", "tiny.toml", "--set", "search.population=1"), ("search.population = 1", "greater than or equal to 2")),
        (("run", "tiny.toml", "--set", "neuron.use=lfi"), ("unknown neuron 'lfi'", "'lif'")),
        (("run", "tiny.toml", "--set", "search.algorithm=nsga9"), ("unknown algorithm 'nsga9'", "nsga2")),
        (("run", "tiny.toml", "--set", "network.hiden=[3]"), ("network.hiden", "'hidden'")),
        (("run", "tiny.toml", "--set", "task.use=mnist"), ("mnist", "SPIKEFRONT_DATA", "download")),
        (("front", "tiny"), ("spikefront.db", "spikefront run")),
        (("export", "tiny", "0", "--to", "tiny.toml"), ("--to tiny.toml",)),
        (("export", "tiny", "0", "--to", "net", "--as", "onnx"), ("unknown exporter 'onnx'", "safetensors")),
        (("studies", "--db", "nonsense"), ("nonsense",)),
    ],
)
def test_wrong_input_is_one_message_and_nothing_is_written(
    program: Program, study: str, tmp_path: Path, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    code, out, err = program(*arguments)
    assert (code, out) == (2, "")
    assert all(part in err for part in parts), err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"]


def test_unknown_study_and_candidate(finished: Program) -> None:
    code, _, err = finished("front", "tinny")
    assert code == 2
    assert "'tiny'" in err
    code, _, err = finished("retrain", "tiny", "999")
    assert code == 2
    assert "999" in err


def test_a_study_in_which_nothing_works_exits_with_1(program: Program, study: str, tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "broken.py").write_text(
        "from spikefront import NeuronModel, hookimpl\n"
        "class Broken(NeuronModel):\n"
        '    """Raises."""\n'
        '    name = "broken"\n'
        "    def step(self, x, state, trained, spike):\n"
        '        raise ValueError("broken on purpose")\n'
        "@hookimpl\n"
        "def spikefront_neurons():\n"
        "    return [Broken]\n"
    )
    changed = study.replace("tiny", "broken")
    Path(changed).write_text(STUDY.replace("tau = { low = 1.5, high = 3.0 }", 'use = "broken"'))
    code, out, _ = program("run", changed, "--plugins-dir", str(folder))
    assert code == 1
    assert "none" in out
    assert "8 failed, exception: ValueError: broken on purpose" in out
    assert "spikefront failures tiny --db spikefront.db" in out
    _, out, _ = program("failures", "tiny")
    assert "broken.py:6 step" in out
    assert "0 1 2 3 4 5 6 7" in out
    assert "Traceback" not in out
    assert 'raise ValueError("broken on purpose")' in program("failures", "tiny", "--traceback")[1]
    (group,) = json.loads(program("failures", "tiny", "--format", "json")[1])
    assert (group["kind"], group["times"], group["tried_again"]) == ("exception", 8, 0)
    assert group["candidates"] == list(range(8))
    assert "traceback" not in group
    (group,) = json.loads(program("failures", "tiny", "--format", "json", "--traceback")[1])
    assert "broken on purpose" in group["traceback"]


def test_where_a_study_runs_is_an_option(program: Program, study: str) -> None:
    code, _, err = program("run", study, "--executor", "lcal")
    assert code == 2
    assert "execution.use: unknown executor 'lcal'" in err
    code, _, err = program("run", study, "--executor", "inline", "--ray", "head:6379")
    assert code == 2
    assert "execution.address: executor 'inline' has no such parameter" in err
    code, _, err = program("run", study, "--ray", "ray://head:10001")
    assert code == 2
    assert "execution.address = 'ray://head:10001'" in err


def test_plugins_and_version(program: Program) -> None:
    code, out, _ = program("plugins", "--format", "json")
    rows = {row["plugin"]: row for row in json.loads(out)}
    assert code == 0
    assert "neuron lif" in rows["spikefront.neurons.lif"]["components"]
    assert all(row["state"] == "in use" for row in rows.values())
    assert program("version")[1].strip().count(".") == 2


def test_interrupting_keeps_what_is_done(tmp_path: Path, study: str) -> None:
    command = [sys.executable, "-m", "spikefront", "run", study]
    command += ["--set", "search.generations=500", "--set", "trainer.epochs=1"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env={**os.environ})
    database = tmp_path / "spikefront.db"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (database.exists() and _evaluations(database) > 5):
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "go on with" in out
    assert _evaluations(database) > 5


def _evaluations(path: Path) -> int:
    from spikefront.errors import StorageError
    from spikefront.storage import Database, queries

    try:
        with Database.read_only(path) as database:
            return sum(study.evaluations for study in queries.studies(database))
    except StorageError:  # the program is making its tables at this moment
        return 0
