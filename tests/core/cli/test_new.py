"""`spikefront new`: what it writes works as it is, and what it refuses leaves nothing behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from throwaway import ROOT, Environment
from typer.testing import CliRunner

from spikefront.cli import build
from spikefront.components import KINDS
from spikefront.errors import InputError
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.templates import package, single_file

NAMES = ("ab", "fresh-thing", "the-longest-name-that-is-still-allowed")


def new(*arguments: str) -> str:
    """Run the command and return what it printed; an error of ours is raised."""
    result = CliRunner().invoke(build(), ["new", *arguments])
    if result.exception:
        raise result.exception
    return result.output


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_passes_its_tests_and_its_study_is_valid(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / f"spikefront-fresh-{kind}"
    assert f"Wrote the {kind} 'fresh-{kind}' to {folder.name}: " in new(kind, f"fresh-{kind}")
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "README.md",
        "pyproject.toml",
        f"spikefront_fresh_{kind}.py",
        "study.toml",
        f"tests/test_fresh_{kind}.py",
    ]
    settings = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert settings["name"] == folder.name
    assert settings["entry-points"]["spikefront"] == {f"fresh-{kind}": f"spikefront_fresh_{kind}"}
    registry = load(Sources(folders=(str(folder),)))
    (plugin,) = [plugin for plugin in registry.plugins if plugin.origin == str(folder)]
    assert (plugin.reason, plugin.components) == ("", ((kind, f"fresh-{kind}"),))
    study = Specification.from_file(folder / "study.toml", registry)
    study.check()
    used = [component.name for component in study.components()]
    assert f"fresh-{kind}" in used or kind in {"analysis", "exporter"} or study.screening
    monkeypatch.syspath_prepend(folder)
    plugins = ["-p", "no:cacheprovider", "-p", "no:timeout", "-p", "no:cov", "-p", "no:xdist"]
    assert pytest.main(["-q", *plugins, "--rootdir", str(folder), str(folder / "tests")]) == pytest.ExitCode.OK


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_file_is_loaded_from_its_folder(kind: str, tmp_path: Path) -> None:
    printed = new(kind, "my-own", "--single-file", "--to", "some/plugins")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["my_own.py"]
    assert "--plugins-dir some/plugins" in printed
    registry = load(Sources(folders=(str(tmp_path / "some" / "plugins"),)))
    assert registry.provider(kind, "my-own").reason == ""


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_formatted_and_clean_whatever_the_name(name: str, tmp_path: Path) -> None:
    for kind in KINDS:
        for path, text in package(kind, name).items():
            (tmp_path / kind / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / kind / path).write_text(text)
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or "ruff"
    settings = ["--config", str(ROOT / "pyproject.toml"), str(tmp_path)]
    subprocess.run([ruff, "format", "--check", *settings], check=True)
    own = "I001,S101,D1"  # which packages are one's own, and what tests may do, depends on where the files are
    subprocess.run([ruff, "check", "--ignore", own, *settings], check=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_never_takes_the_name_of_something_else(kind: str) -> None:
    for name in ("field", "tensor", "exception", "neuron-model", "mutation", "engine", "mapping", "true", "none"):
        text = single_file(kind, name)
        compile(text, name, "exec")
        (line,) = [line for line in text.splitlines() if line.startswith("    return [")]
        imported = {word for part in text.splitlines() if " import " in part for word in part.replace(",", " ").split()}
        assert line.strip().removeprefix("return [").removesuffix("]") not in imported | {"True", "None", "Exception"}


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["neurone", "mine"], "KIND 'neurone': there is no such kind", "Did you mean 'neuron'? Allowed: algorithm, "),
        (["neuron", "My Neuron"], "NAME 'My Neuron': should be lower-case words joined by hyphens", "'my-neuron'"),
        (["neuron", "a_b"], "NAME 'a_b'", "'a-b'"),
        (["neuron", "2-lif"], "NAME '2-lif'", "'lif'"),
        (["neuron", "../up"], "NAME '../up'", "'up'"),
        (["neuron", "x" * 41], "NAME 'xxx", "For example 'xxx"),
        (["neuron", "ö"], "NAME 'ö'", "'my-own'"),
        (["neuron", "lambda"], "NAME 'lambda': is a word of Python", "'my-lambda'"),
        (["neuron", "lif"], "NAME 'lif': there is such a neuron already, from spikefront ", "'my-lif'"),
        (["task", "plugins"], "NAME 'plugins': there is a module spikefront_plugins already", "another name"),
    ],
)
def test_a_wrong_kind_or_name_is_refused(arguments: list[str], message: str, hint: str, tmp_path: Path) -> None:
    for option in ([], ["--single-file"]) if arguments[1] != "plugins" else ([],):
        with pytest.raises(InputError) as error:
            new(*arguments, *option)
        assert message in error.value.message
        assert hint in error.value.hint
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_component_of_another_kind_is_free() -> None:
    assert "Wrote the coder 'lif'" in new("coder", "lif")


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "mine.py").write_text("mine")
    with pytest.raises(InputError, match="--to full: is there already and not an empty folder"):
        new("neuron", "mine", "--to", "full")
    with pytest.raises(InputError, match=r"mine\.py: is there already"):
        new("neuron", "mine", "--single-file")
    with pytest.raises(InputError, match=r"--to mine\.py: is there already"):
        new("neuron", "mine", "--to", "mine.py")
    with pytest.raises(InputError, match=r"--to \.: is the working folder"):
        new("neuron", "mine", "--to", ".")
    with pytest.raises(InputError, match=r"mine\.py/there: cannot be written"):
        new("neuron", "mine", "--to", "mine.py/there")
    (tmp_path / "empty").mkdir()
    new("neuron", "mine", "--to", "empty")
    assert {path.name for path in tmp_path.iterdir()} == {"full", "mine.py", "empty"}
    assert (tmp_path / "full" / "notes.txt").read_text() == "mine"


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []

    def full(path: Path, text: str, encoding: str) -> None:
        if written:
            raise OSError(28, "No space left on device")
        written.append(path)
        path.write_bytes(text.encode())

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="spikefront-mine: cannot be written: No space left on device"):
        new("neuron", "mine")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_a_package_installs_passes_its_tests_and_runs_its_study(kind: str, tmp_path: Path) -> None:
    folder, environment = tmp_path / f"spikefront-fresh-{kind}", Environment(tmp_path / "environment")
    new(kind, f"fresh-{kind}")
    environment.install("-e", str(folder))
    assert " passed" in environment.run("-m", "pytest", folder=folder)
    assert f"Front of 'fresh-{kind}'" in environment.run("-m", "spikefront", "run", "study.toml", folder=folder)
    if kind in {"analysis", "exporter"}:  # a study needs none
        assert f"{kind} fresh-{kind}" in environment.run("-m", "spikefront", "plugins", folder=folder)
