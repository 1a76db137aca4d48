"""A study in Python: run, front, load; plugins that it names; what has changed since it was recorded."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from spikefront import Study
from spikefront.errors import InputError, PluginError, StorageError, StudyFileError
from spikefront.plugins import load
from spikefront.storage import Database, frames, queries

NEURON = '''
from pydantic import Field
from spikefront import ThresholdNeuron, hookimpl

class Eager(ThresholdNeuron):
    """Adds its input to what is left of the last: v = b v + x."""

    name = "eager"
    b: float = Field(0.5, ge=0, le=1, description="what is left of the potential after a step")

    def step(self, x, state, trained, spike):
        (v,) = state
        s, v = self.fire(self.b * v + x, spike)
        return s, (v,)

@hookimpl
def spikefront_neurons():
    return [Eager]
'''


def document(**changes: Any) -> dict[str, Any]:
    return {
        "study": {"name": "tiny", "objectives": ["accuracy", "parameters"], "columns": ["spikes"], "replicates": 2},
        "task": {"use": "digits", "train": 100, "validation": 100},
        "network": {"use": "mlp", "hidden": {"choice": [[8], [16]]}},
        "neuron": {"tau": {"low": 1.5, "high": 3.0}},
        "coder": {"steps": 2},
        "trainer": {"epochs": 1},
        "search": {"population": 3, "generations": 1},
        "execution": {"use": "inline"},
        **changes,
    }


TOML = """
study = { name = "filed", objectives = ["accuracy", "parameters"], plugins = ["mine"] }
task = { use = "digits", train = 100, validation = 100 }
network = { hidden = [8] }
neuron = { use = "eager", b = { low = 0.2, high = 0.9 } }
trainer = { epochs = 1 }
search = { population = 2, generations = 1 }
execution = { workers = 1 }
"""


def test_run_look_and_load(tmp_path: Path) -> None:
    study = Study(document(), db=tmp_path / "s.db")
    seen: list[int] = []
    assert study.run(watch=lambda progress: seen.append(progress.done)) == "finished"
    assert seen[-1] == 3
    table = study.evaluations()
    assert list(table.columns[:4]) == ["id", "generation", "failure", "front"]
    assert {"accuracy", "accuracy s.e.", "parameters", "spikes", "neuron.tau"} <= set(table.columns)
    with Database.read_only(tmp_path / "s.db") as database:
        shown = frames.evaluations(database, "tiny")  # what the app looks at
    shared = [column for column in table.columns if column in shown]
    assert {"accuracy", "accuracy s.e.", "front", "failure"} <= set(shared)
    pd.testing.assert_frame_equal(shown[shared], table[shared].astype({"failure": "str"}), check_dtype=False)
    front = study.front()
    assert list(front["id"]) == list(table[table["front"]].sort_values("accuracy")["id"])
    again = Study.open("tiny", db=tmp_path / "s.db")
    pd.testing.assert_frame_equal(again.front(), front)
    network = again.load(int(front["id"].iloc[-1]))
    assert not network.training
    assert network(torch.rand(2, 1, 8, 8)).shape == (2, 2, 10)
    assert study.run(generations=2) == "finished"
    assert len(study.evaluations()) == 6
    assert study.changes() == []


def test_errors_are_those_of_the_program(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"network.hiden: network 'mlp' has no such parameter"):
        Study(document(network={"hiden": [3]}))
    with pytest.raises(StorageError, match="there is no database"):
        Study.open("tiny", db=tmp_path / "none.db")
    study = Study(document(), db=tmp_path / "s.db")
    study.run()
    with pytest.raises(StorageError, match="no study 'other'"):
        Study.open("other", db=tmp_path / "s.db")
    with pytest.raises(InputError, match="Give one of them"):
        study.run(generations=2, evaluations=9)
    with pytest.raises(InputError, match="fewer than the 3"):
        study.run(evaluations=2)
    with pytest.raises(StorageError, match="no candidate 99"):
        study.load(99)


def test_a_study_file_names_its_plugins_relative_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there" / "mine").mkdir(parents=True)
    (tmp_path / "there" / "mine" / "eager.py").write_text(NEURON)
    (tmp_path / "there" / "study.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    study = Study.from_file("there/study.toml", db=tmp_path / "s.db")
    assert study.run() == "finished"  # in a worker process, which has the same plugins
    assert "plugins" not in study.specification.document["study"]
    assert study.front()["neuron.b"].between(0.2, 0.9).all()
    with pytest.raises(PluginError) as caught:
        Study.open("filed", db=tmp_path / "s.db")
    assert f"needs neuron 'eager' of plugin '{tmp_path}/there/mine/eager.py'" in caught.value.message
    assert caught.value.hint == f"Give its folder: --plugins-dir {tmp_path}/there/mine"
    assert Study.open("filed", db=tmp_path / "s.db", plugins=["there/mine"]).changes() == []
    with pytest.raises(StudyFileError, match=r"nothing: no such folder of plugins"):
        Study.from_file("there/study.toml", ["study.plugins=['nothing']"])


def test_changed_code_is_told(tmp_path: Path) -> None:
    """The file of a plugin may lie elsewhere; its content counts."""
    for folder, text in (("old", NEURON), ("moved", NEURON), ("new", NEURON.replace("self.b * v", "self.b * v * 1.0"))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "eager.py").write_text(text)
    (tmp_path / "study.toml").write_text(TOML)
    changes = ["study.plugins=['old']", "execution.use=inline"]
    Study.from_file(tmp_path / "study.toml", changes, db=tmp_path / "s.db").run()
    with Database.read_only(tmp_path / "s.db") as database:
        row = next(one for one in queries.study(database, "filed").plugins if one.name == "eager")
    assert (row.plugin, row.origin, len(row.source)) == (str(tmp_path / "old" / "eager.py"), str(tmp_path / "old"), 64)
    assert Study.open("filed", db=tmp_path / "s.db", plugins=[tmp_path / "old"]).changes() == []
    (moved,) = Study.open("filed", db=tmp_path / "s.db", plugins=[tmp_path / "moved"]).changes()
    assert moved.startswith("neuron 'eager' was of")
    (tmp_path / "old" / "eager.py").write_text((tmp_path / "new" / "eager.py").read_text())
    load.cache_clear()
    from spikefront import source_hash

    source_hash._hash_of.cache_clear()
    changed = Study.open("filed", db=tmp_path / "s.db", plugins=[tmp_path / "old"]).changes()
    assert changed == [f"the code of neuron 'eager' in plugin '{tmp_path}/old/eager.py' has changed"]


def test_a_module_is_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "eager_module.py").write_text(NEURON)
    monkeypatch.syspath_prepend(tmp_path)
    import eager_module  # type: ignore[import-not-found]

    assert isinstance(eager_module, types.ModuleType)
    study = Study(document(neuron={"use": "eager"}), db=tmp_path / "s.db", plugins=[eager_module])
    assert study.run() == "finished"
    with pytest.raises(PluginError, match="needs neuron 'eager' of plugin 'eager_module'"):
        Study.open("tiny", db=tmp_path / "s.db")
    monkeypatch.delitem(sys.modules, "eager_module")


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        ("SPIKEFRONT_DISABLE", "eager", "Take it out of SPIKEFRONT_DISABLE."),
        ("SPIKEFRONT_NO_PLUGINS", "1", "Leave out --no-plugins."),
    ],
)
def test_a_plugin_that_was_switched_off_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, hint: str
) -> None:
    (tmp_path / "eager.py").write_text(NEURON)
    study = Study(document(neuron={"use": "eager"}), db=tmp_path / "s.db", plugins=[tmp_path])
    study.run()
    monkeypatch.setenv(variable, value)
    with pytest.raises(PluginError, match="needs neuron 'eager'") as caught:
        Study.open("tiny", db=tmp_path / "s.db", plugins=[tmp_path])
    assert hint in caught.value.hint
