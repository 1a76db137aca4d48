"""The command `export`: candidates and studies, the right format for each, and all or nothing."""

from __future__ import annotations

import csv
import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from spikefront.cli import main

STUDY = """
[study]
name = "tiny"
seed = 3
objectives = ["accuracy", "parameters"]
columns = ["spikes"]
keep = "all"

[task]
use = "digits"
train = 60
validation = 30

[network]
use = "mlp"
hidden = { choice = [[8], [12]] }

[neuron]
tau = { low = 1.5, high = 3.0 }
v_threshold = 0.2

[coder]
steps = 2

[trainer]
epochs = 1

[search]
population = 3
generations = 2

[execution]
use = "inline"
"""
BROKEN = '''
"""A format that does not work."""
from spikefront import CandidateExporter, StudyExporter, hookimpl

class Half(StudyExporter):
    """Writes a part and fails."""
    name = "half"

    def export(self, study, folder):
        (folder / "part.txt").write_text("a part")
        raise OSError("no space left on device")

@hookimpl
def spikefront_exporters():
    return [Half]
'''

Program = Callable[..., tuple[int, str, str]]


PAGE = Path(__file__).parents[3] / "docs" / "exporting.md"


def files(folder: Path) -> list[str]:
    """Return what is in a folder, without what SQLite keeps beside its database."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("spikefront.db"))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Run the program in a folder with a finished study."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["spikefront", *arguments])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, " ".join(err.split())

    (tmp_path / "tiny.toml").write_text(STUDY)
    assert run("run", "tiny.toml")[0] == 0
    return run


def test_a_study_goes_to_a_table_by_default(program: Program, tmp_path: Path) -> None:
    assert program("export", "tiny", "--to", "table")[:2] == (0, "Wrote study 'tiny' to table\n")
    with (tmp_path / "table" / "evaluations.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    code, out, _ = program("front", "tiny", "--format", "json")
    front = json.loads(out)
    assert code == 0
    assert [int(row["id"]) for row in rows] == list(range(6))
    assert {int(row["id"]) for row in rows if row["on_front"] == "True"} == {row["id"] for row in front}
    for best in front:
        row = rows[best["id"]]
        assert float(row["objectives.accuracy"]) == best["objectives"]["accuracy"]
        assert float(row["measurements.spikes"]) == best["measurements"]["spikes"]
        assert float(row["genome.neuron.tau"]) == best["genome"]["neuron.tau"]
        assert json.loads(row["genome.network.hidden"]) == best["genome"]["network.hidden"]


def test_a_study_goes_to_optuna(program: Program) -> None:
    assert program("export", "tiny", "--to", "out", "--as", "optuna")[0] == 0
    storage = optuna.storages.RDBStorage("sqlite:///out/optuna.db")
    study = optuna.load_study(study_name="tiny", storage=storage)
    front = {row["id"] for row in json.loads(program("front", "tiny", "--format", "json")[1])}
    assert len(study.get_trials()) == 6
    assert {trial.number for trial in study.get_trials() if trial.user_attrs["on_front"]} == front
    assert front <= {trial.number for trial in study.best_trials}
    assert study.user_attrs["spikefront"]["task"]["use"] == "digits"
    storage.remove_session()
    storage.engine.dispose()


def test_a_candidate_goes_to_nir_with_parameters_of_the_exporter(program: Program, tmp_path: Path) -> None:
    arguments = ("export", "tiny", "4", "--to", "graph", "--as", "nir", "--set", "dt=0.001")
    assert program(*arguments)[:2] == (0, "Wrote candidate 4 of 'tiny' to graph\n")
    report = json.loads((tmp_path / "graph" / "report.json").read_text())
    assert (report["id"], report["study"], report["dt"]) == (4, "tiny", 0.001)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("0", "--as", "csv"), ("--as csv: is a format for a whole study", "one candidate: nir, safetensors.")),
        (("--as", "nir"), ("--as nir: is a format for one candidate", "whole study: csv, optuna.", "Give the ID")),
        (("--as", "cvs"), ("unknown exporter 'cvs'", "Did you mean 'csv'?")),
        (("0", "--as", "nir", "--set", "dt=0"), ("nir.dt = 0: should be greater than 0",)),
        (("0", "--as", "nir", "--set", "td=1"), ("nir.td: no such key", "Did you mean 'dt'?")),
        (("0", "--as", "nir", "--set", "dt"), ("--set dt: not an assignment",)),
        (("9",), ("there is no candidate 9",)),
        (("--db", "sqlite:///other.db"), ("other.db",)),
    ],
)
def test_wrong_pairings_and_parameters_are_one_message(
    program: Program, tmp_path: Path, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    before = files(tmp_path)
    code, out, err = program("export", "tiny", *arguments, "--to", "out")
    assert (code, out) == (2, "")
    assert all(part in err for part in parts), err
    assert files(tmp_path) == before


def test_an_exporter_that_fails_half_way_leaves_nothing(program: Program, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "half.py").write_text(BROKEN)
    before = files(tmp_path)
    code, _, err = program("export", "tiny", "--to", "new/folder/out", "--as", "half", "--plugins-dir", "plugins")
    assert code == 2
    assert "cannot be written: no space left" in err
    assert files(tmp_path) == before


def test_a_network_that_the_format_cannot_hold_leaves_nothing(program: Program, tmp_path: Path) -> None:
    assert program("run", "tiny.toml", "--set", "study.name=adaptive", "--set", "neuron={ use = 'alif' }")[0] == 0
    before = files(tmp_path)
    code, _, err = program("export", "adaptive", "0", "--to", "new/out", "--as", "nir")
    assert code == 2
    assert "candidate 0 of 'adaptive' cannot be written as NIR: body.2 (alif)" in err
    assert files(tmp_path) == before


def test_a_folder_that_holds_something_is_left_alone(program: Program, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    code, _, err = program("export", "tiny", "--to", "out")
    assert code == 2
    assert "--to out" in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_what_the_page_shows_works(program: Program, tmp_path: Path) -> None:
    assert program("run", "tiny.toml", "--set", "study.name=quickstart")[0] == 0
    page = PAGE.read_text()
    (commands,) = re.findall(r"```bash\n(.*?)```", page, flags=re.DOTALL)
    for line in commands.splitlines():
        _, *arguments = shlex.split(line.replace(" ID ", " 3 "), comments=True)
        assert program(*arguments)[0] == 0
    assert files(tmp_path) == ["graph", "net", "table", "tiny.toml", "trials"]
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(block, {})  # noqa: S102
