"""`spikefront plugins` from the outside, and a program that works beside broken plugins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import spikefront_plugins
from spikefront import plugins
from spikefront.cli import main
from spikefront.plugins import load

ROOT = Path(__file__).parents[3]
BROKEN = ROOT / "tests" / "broken_plugins"

REASONS = {
    "bad_name": ("the name 'My Coder!' of Silence is not lower-case words", "Name it like 'ce-lif'."),
    "doubled_name": ("coder 'direct' is provided by plugin 'spikefront.coders.direct' already", "Rename it"),
    "hangs": ("it did not come back within 1 s", "SPIKEFRONT_DISABLE"),
    "incomplete": ("coder 'incomplete' lacks encode", "Coder"),
    "leaves_the_program": ("SystemExit: 3 (leaves_the_program.py:5)", "Mend that line"),
    "missing_import": ("ModuleNotFoundError: No module named 'no_such_library'", "Install no_such_library"),
    "misspelled_hook": ("there is no hook 'spikefront_codres'", "Did you mean 'spikefront_coders'?"),
    "no_contract": ("is not a subclass of Coder", "Derive it"),
    "no_hook": ("no function that is marked with @spikefront.hookimpl", "Mark its hooks"),
    "raises_at_import": ("IndexError: list index out of range (raises_at_import.py:4)", "Mend that line"),
    "raises_in_hook": ("RuntimeError: no licence found (raises_in_hook.py:17)", "Mend that line"),
    "returns_nothing": ("hook 'spikefront_coders' returned None", "a list of classes"),
    "syntax": ("SyntaxError", "Mend that line"),
    "wrong_arguments": ("spikefront_coders", "arguments of the hook"),
}

GOOD = '''
from pydantic import Field
from spikefront import Surrogate, hookimpl

class Tent(Surrogate):
    """A tent of some width: 1 - |v| / w, and 0 outside of it."""

    name = "tent"
    width: float = Field(1.0, gt=0, le=10, description="half of its width, in units of the threshold")

    def derivative(self, v):
        return (1 - v.abs() / self.width).clamp(min=0)

    def primitive(self, v):
        w = v.clamp(-self.width, self.width)
        return w - w * w.abs() / (2 * self.width)

@hookimpl
def spikefront_surrogates():
    return [Tent]
'''

Program = Callable[..., tuple[int, str, str]]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["spikefront", *arguments])
        code: Any = 0
        try:
            main()
        except SystemExit as ending:
            code = ending.code or 0
        return code, *capsys.readouterr()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    return run


@pytest.fixture
def beside_broken_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "PATIENCE", 1.0)
    monkeypatch.setenv("SPIKEFRONT_PLUGINS", str(BROKEN))
    load.cache_clear()


def test_every_broken_plugin_is_listed_with_its_reason(program: Program, beside_broken_ones: None) -> None:
    code, out, _ = program("plugins", "--format", "json")
    rows = {Path(row["plugin"]).stem: row for row in json.loads(out) if row["origin"] == str(BROKEN)}
    assert code == 0
    assert set(rows) == set(REASONS) == {path.stem for path in BROKEN.glob("*.py")}
    assert {row["state"] for row in rows.values()} == {"set aside"}
    for name, (reason, _) in REASONS.items():
        assert reason in rows[name]["reason"], name
    assert "lif" in {name for row in json.loads(out) for name in row["components"].split()}


def test_the_doctor_says_what_to_do(program: Program, beside_broken_ones: None) -> None:
    code, out, _ = program("plugins", "doctor", "--format", "json")
    findings = {Path(row["where"]).stem: row for row in json.loads(out)}
    assert code == 1
    for name, (reason, remedy) in REASONS.items():
        assert reason in findings[name]["reason"], name
        assert remedy in findings[name]["remedy"], name
    code, out, _ = program("plugins", "doctor")
    assert code == 1
    assert f"{len(REASONS)} set aside, 0 disabled; {len(REASONS)} findings." in out


def test_a_study_runs_beside_broken_plugins(program: Program, beside_broken_ones: None) -> None:
    small = [
        "task.train=100",
        "trainer.epochs=1",
        "search.population=2",
        "search.generations=1",
        "execution.use=inline",
    ]
    quickstart = str(ROOT / "studies" / "quickstart.toml")
    code, out, err = program("run", quickstart, *(part for change in small for part in ("--set", change)))
    assert code == 0
    assert err.count("\n") == 1  # what one of them prints
    assert "Silence" in err
    assert "Front of 'quickstart'" in out


def test_no_plugins_imports_none_of_them(program: Program, beside_broken_ones: None, monkeypatch: Any) -> None:
    monkeypatch.setenv("SPIKEFRONT_NO_PLUGINS", "")
    _, out, _ = program("--no-plugins", "plugins", "--format", "json")
    assert {row["origin"] for row in json.loads(out)} == {"spikefront"}
    monkeypatch.setenv("SPIKEFRONT_NO_PLUGINS", "")
    monkeypatch.setenv("SPIKEFRONT_DISABLE", ",".join(REASONS))
    _, out, _ = program("plugins", "doctor")
    assert f"0 set aside, {len(REASONS)} disabled; 0 findings." in out


def test_show_a_plugin_and_a_component(program: Program, tmp_path: Path) -> None:
    (tmp_path / "tent.py").write_text(GOOD)
    for name in ("tent", "surrogate tent", str(tmp_path / "tent.py")):
        code, out, _ = program("plugins", "show", name, "--plugins-dir", str(tmp_path))
        assert code == 0
        assert "hooks: spikefront_surrogates" in out
        assert all(
            word in out for word in ("width", "above 0, at most 10", "in units of the threshold", "A tent of some")
        )
    _, out, _ = program("plugins", "show", "neuron lif", "--format", "json")
    (shown,) = json.loads(out)
    assert shown["name"] == "spikefront.neurons.lif"
    tau = next(one for one in shown["components"][0]["parameters"] if one["name"] == "tau")
    assert (tau["default"], tau["range"], tau["searchable"]) == ("2.0", "above 1", True)
    code, _, err = program("plugins", "show", "liff")
    assert code == 2
    assert "Did you mean 'lif'?" in err


def test_check_a_file_a_folder_and_a_package(program: Program, tmp_path: Path) -> None:
    places = [tmp_path / "one" / "tent.py", tmp_path / "two" / "tent.py", tmp_path / "three" / "tents" / "tent.py"]
    for number, place in enumerate(places):
        place.parent.mkdir(parents=True)
        place.write_text(GOOD.replace('"tent"', f'"tent-{number}"'))
    (places[2].parent / "__init__.py").write_text("")
    for number, path in enumerate((places[0], places[1].parent, places[2].parent)):
        code, out, err = program("plugins", "check", str(path), "--format", "json")
        rows = json.loads(out)
        assert (code, err) == (0, "")
        assert {row["component"] for row in rows} == {f"surrogate tent-{number}"}
        assert {row["state"] for row in rows} <= {"passed", "skipped"}
        assert len(rows) > 8


def test_check_finds_a_broken_contract(program: Program, tmp_path: Path) -> None:
    (tmp_path / "crooked.py").write_text(GOOD.replace('"tent"', '"crooked"').replace("v.abs() / self", "v / self"))
    code, out, _ = program("plugins", "check", str(tmp_path / "crooked.py"))
    assert code == 1
    assert "surrogate crooked" in out
    code, out, _ = program("plugins", "check", str(BROKEN / "syntax.py"), "--format", "json")
    assert code == 1
    assert json.loads(out)[0]["check"] == "loads"
    code, out, err = program("plugins", "check", str(BROKEN / "no_contract.py"))
    assert (code, "is not a subclass of Coder" in " ".join(out.split())) == (1, True)
    (tmp_path / "empty").mkdir()
    code, out, err = program("plugins", "check", str(tmp_path / "empty"))
    assert (code, out) == (2, "")
    assert "there is no component to check: no plugin is there" in err
    code, out, err = program("plugins", "check", "nowhere.py")
    assert (code, out) == (2, "")
    assert "nowhere.py: no such file or folder" in err


@pytest.mark.parametrize("path", ["spikefront.surrogates.atan", "surrogate atan", "{folder}/surrogates/atan.py"])
def test_check_of_a_plugin_that_is_loaded(program: Program, path: str) -> None:
    folder = Path(spikefront_plugins.__file__).parent
    code, out, _ = program("plugins", "check", path.format(folder=folder))
    assert code == 0
    assert "surrogate atan: " in out
    assert "Failed or skipped" not in out


def test_check_of_a_disabled_plugin(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tent.py").write_text(GOOD)
    monkeypatch.setenv("SPIKEFRONT_DISABLE", "tent")
    code, _, err = program("plugins", "check", str(tmp_path / "tent.py"), "--plugins-dir", str(tmp_path))
    assert code == 2
    assert "is disabled" in err


def test_checks_that_say_the_same_stand_once(program: Program, tmp_path: Path) -> None:
    dull = GOOD.replace("        return (1 - v.abs()", "        raise ValueError('dull')\n        return (1 - v.abs()")
    (tmp_path / "dull.py").write_text(dull)
    code, out, _ = program("plugins", "check", str(tmp_path / "dull.py"))
    assert code == 1
    assert " more " in out
    assert out.count("ValueError: dull") == 1


def test_the_list_puts_ones_own_plugins_first(program: Program, tmp_path: Path) -> None:
    (tmp_path / "tent.py").write_text(GOOD)
    _, out, _ = program("plugins", "--plugins-dir", str(tmp_path))
    assert "surrogate tent" in out
    assert "spikefront.neurons.lif" not in out
    assert "plugins come with Spikefront and are in use; --all lists them." in out
    _, out, _ = program("plugins", "--all")
    assert "spikefront.neurons.lif" in out
