"""The page that launches studies: files, text, form; checked, saved, started, watched, stopped."""

from __future__ import annotations

import shutil
import time
import tomllib
from pathlib import Path

import pytest
from app_pages import page
from benchmarks import trivial
from streamlit.testing.v1 import AppTest

from spikefront.sources import FOLDERS_VARIABLE
from spikefront_app import launching

STUDY = """
[study]
name = "mine"
objectives = ["first", "second"]

[task]
use = "trivial"
a = { low = 0.0, high = 1.0 }

[trainer]
use = "none"

[search]
population = 4
generations = 2

[execution]
use = "inline"
"""


@pytest.fixture
def folder(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with a study file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins").mkdir()
    shutil.copy(str(trivial.__file__), tmp_path / "plugins" / "trivial_task.py")
    monkeypatch.setenv(FOLDERS_VARIABLE, str(tmp_path / "plugins"))
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.toml").write_text(STUDY)
    return tmp_path


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str, str]]:
    """Return what would have been started."""
    calls: list[tuple[Path, str, str]] = []

    def start(file: Path, study: str, url: str) -> launching.Launched:
        calls.append((file, study, url))
        process = launching.subprocess.Popen(["true"])
        process.wait()
        return launching.Launched(process, file.with_suffix(".log"))

    monkeypatch.setattr(launching, "start", start)
    return calls


def press(app: AppTest, label: str) -> AppTest:
    app = next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, app.exception
    return app


def test_a_file_is_checked_and_started(folder: Path, started: list[tuple[Path, str, str]], database: str) -> None:
    app = page("launch", file="mine.toml")
    assert not app.exception
    assert app.success[0].value == ("'mine': 8 candidates in 2 generations by nsga2, 1 gene, for first, second.")
    assert "The data are there" in press(app, "Check data").success[1].value
    app = press(app, "Start")
    assert started == [(folder / "studies" / "mine.toml", "mine", database)]
    assert "It goes on when this page is closed" in app.success[1].value


def test_what_is_wrong_is_said_as_the_program_says_it(folder: Path) -> None:
    (folder / "studies" / "mine.toml").write_text(STUDY.replace("population", "popluation"))
    app = page("launch")
    assert not app.exception
    assert app.error[0].value == "search.popluation: algorithm 'nsga2' has no such parameter"
    assert "Did you mean 'population'?" in app.info[0].value
    assert app.subheader[0].value == "Watch"
    (folder / "studies" / "mine.toml").write_text("[study")
    assert "not valid TOML" in page("launch").error[0].value
    (folder / "studies" / "mine.toml").write_bytes(b"\xff\xfe\x00")
    assert "the file is no text" in page("launch").error[0].value


def test_text_is_saved_and_never_overwrites_in_silence(folder: Path, started: list[tuple[Path, str, str]]) -> None:
    app = page("launch", source="Text")
    app = app.text_area(key="text").set_value(STUDY.replace("= 4", "= 6")).run()
    app = press(app, "Save and start")
    assert "a file studies/mine.toml already" in app.error[0].value
    assert started == []
    app = next(field for field in app.text_input if field.label == "Save as").set_value("../other").run()
    assert "is no name for a study file" in press(app, "Save").error[0].value
    app = next(field for field in app.text_input if field.label == "Save as").set_value("other").run()
    press(app, "Save")
    assert tomllib.loads((folder / "studies" / "other.toml").read_text())["search"]["population"] == 6
    assert (folder / "studies" / "mine.toml").read_text() == STUDY
    press(app, "Save and start")
    assert [file.name for file, _, _ in started] == ["other.toml"]


def test_the_form_makes_a_study_and_stands_in_the_address(folder: Path) -> None:
    query = {"study.name": "from-form", "study.set": "seed", "neuron.search": "tau", "neuron.tau.high": "6.5"}
    app = page("launch", source="Form", **query)
    assert not app.exception
    assert tomllib.loads(app.code[0].value) == {
        "study": {"name": "from-form", "objectives": ["accuracy", "energy"], "seed": 0},
        "task": {"use": "digits"},
        "neuron": {"use": "lif", "tau": {"low": 2.0, "high": 6.5}},
        "search": {"algorithm": "nsga2", "population": 24, "generations": 10},
    }
    assert "240 candidates" in app.success[0].value
    app = app.multiselect(key="encoding.use").set_value(["direct", "genetic"]).run()
    app = app.multiselect(key="encoding.search").set_value(["genes"]).run()
    assert tomllib.loads(app.code[0].value)["encoding"] == {
        "use": {"choice": ["direct", "genetic"]},
        "genes": {"low": 32, "high": 64},
    }
    app = app.multiselect(key="network.search").set_value(["hidden"]).run()
    app = app.text_input(key="network.hidden.choice").set_value("[64], [32").run()
    assert "network.hidden = [[64], [32]: no value" in app.error[0].value
    app = app.text_input(key="network.hidden.choice").set_value("[64], [32, 32]").run()
    app = press(app, "Edit as text")
    assert "hidden = { choice = [[64], [32, 32]] }" in app.text_area(key="text").value


def test_the_form_knows_a_neuron_for_each_layer_and_weights_that_change(folder: Path) -> None:
    query = {"neurons": "2", "regularisers": "spikes", "regularisers.spikes.end": "0.1", "neuron.0.use": "plif"}
    app = page("launch", source="Form", **query)
    assert not app.exception
    said = tomllib.loads(app.code[0].value)
    assert said["neuron"] == [{"use": "plif"}, {"use": "lif"}]
    assert said["regularisers"] == [{"use": "spikes", "on": "accuracy", "weight": {"start": 0.02, "end": 0.1}}]
    assert "240 candidates" in app.success[0].value
    assert any("study.plugins" in caption.value for caption in app.caption)


def test_a_folder_without_studies_says_what_to_do(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = page("launch")
    assert not app.exception
    assert "There is no study file in" in app.info[0].value
    app = page("launch", source="Form")
    assert not app.exception


@pytest.mark.slow
def test_a_study_runs_in_the_background_to_its_end(folder: Path, database: str) -> None:
    app = press(page("launch"), "Start")
    launched = launching.launched(database, "mine")
    assert launched is not None
    assert launched.process.wait(120) == 0, launching.last_lines(launched.log)
    time.sleep(0.1)
    app = app.run()
    assert not app.exception
    assert "Finished: 8 of 8 candidates, 0 failed." in str(app.get("progress")[0].proto)
    assert "Front of 'mine'" in app.code[-1].value
