"""What the documentation shows works: links lead somewhere, its code runs, studies in it are valid, commands exist."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import fenced
import numpy as np
import pytest
import typer.main
from fenced import PAGES, ROOT, Block

from spikefront.cli import build, main
from spikefront.errors import DataError
from spikefront.evaluate import evaluate
from spikefront.exported import candidate_of, write_candidate
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, queries

STUDIES = sorted(ROOT.glob("studies/*.toml"))
TUTORIAL = ROOT / "docs" / "tutorial.md"
BLOCKS = [block for page in PAGES for block in fenced.blocks(page)]
WHOLE = {"study", "task", "search"}
"""Sections that a study file needs: a block that lacks one is a fragment, and laid over the whole study of its page."""


def name_of(path: Any) -> str:
    return str(path.relative_to(ROOT) if isinstance(path, Path) else path)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    generated = re.compile(r"^(\.\./)*(plugins|reference)/[a-z-]+\.md$")  # `website` makes these; the build checks them
    missing = [
        target
        for target in targets
        if "://" not in target and not generated.match(target) and not (page.parent / target).exists()
    ]
    assert missing == []


# Code


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a network in it, `net`, as the command `export` writes it."""
    folder = tmp_path_factory.mktemp("documentation")
    changes = ["trainer.epochs=1", "task.train=100", "network.hidden=[8]", "encoding=direct"]
    study = Specification.from_file(ROOT / "studies" / "quickstart.toml", load(), [*changes, "search.reference={}"])
    rng = np.random.default_rng(0)
    genome = study.space.genome({path: gene.domain.sample(rng) for path, gene in study.space.items()})
    evaluation = evaluate(Job(study.to_json(), genome), load())
    (folder / "net").mkdir()
    candidate = candidate_of(study, 1, genome, {}, evaluation.weights)
    write_candidate(candidate, folder / "net")
    return folder


def run_line(line: str, folder: Path) -> str:
    """Run a line of a console, and return what it prints; `spikefront` runs in this process."""
    words = shlex.split(line, comments=True)
    if words[0] != "spikefront":
        return subprocess.run(["bash", "-ec", line], cwd=folder, capture_output=True, text=True, check=True).stdout
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.chdir(folder)
        patch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as end:
            main()
    assert not end.value.code, f"{line}: {printed.getvalue()}"
    return printed.getvalue()


def headings(text: str) -> set[str]:
    """Return the lines of a listing that have words and no numbers: title and heads of columns."""
    lines = {" ".join(re.sub(r"[^\w'.-]+", " ", line).split()) for line in text.splitlines()}
    return {line for line in lines if line and not any(c.isdigit() for c in line)}


def run_block(block: Block, folder: Path, names: dict[str, Any]) -> None:
    """Do with a block of a page what a reader does."""
    if block.title:
        path = folder / block.title
        path.parent.mkdir(exist_ok=True)
        path.write_text(block.text)
    elif block.language == "python":
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            exec(compile(block.text, str(block), "exec"), names)  # noqa: S102
    elif block.language == "console":
        calls, printed = re.split(r"\n(?!\$ )", block.text, maxsplit=1)
        output = "".join(run_line(line.removeprefix("$ "), folder) for line in calls.splitlines())
        assert headings(printed) <= headings(output)


def run_page(page: Path, folder: Path) -> None:
    names: dict[str, Any] = {"__name__": "documentation"}
    for block in fenced.blocks(page):
        run_block(block, folder, names)


OTHERS = {TUTORIAL, ROOT / "docs" / "exporting.md"}
"""Pages with a test of their own: the tutorial below, exporting in tests/core/cli/test_exporting.py."""

RUN = sorted({block.page for block in BLOCKS if block.language in {"python", "console"}} - OTHERS)


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_the_code_of_a_page_runs(page: Path, exported: Path, tmp_path: Path) -> None:
    (tmp_path / "net").symlink_to(exported / "net")
    run_page(page, tmp_path)
    if any(tmp_path.glob("test_*.py")):
        pytest.importorskip("spikefront.testing", reason="the contract suites are not here yet")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir=."]
        done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.timeout(300)
def test_the_tutorial_ends_with_its_neuron_on_the_front(tmp_path: Path) -> None:
    run_page(TUTORIAL, tmp_path)
    with Database.read_only(f"sqlite:///{tmp_path}/spikefront.db") as database:
        neurons = [row.genes["neuron.use"] for row in queries.front(database, "tutorial")]
    assert "linear-leak" in neurons
    assert (tmp_path / "net" / "weights.safetensors").exists()


PLUGINS = [block for block in BLOCKS if block.language == "python" and "@hookimpl" in block.text]


@pytest.mark.parametrize("block", PLUGINS, ids=str)
def test_plugins_are_taken_in(block: Block, tmp_path: Path) -> None:
    (tmp_path / "plugin.py").write_text(block.text)
    registry = load(Sources(folders=(str(tmp_path),)))
    (plugin,) = (one for one in registry.plugins if one.origin == str(tmp_path))
    assert (plugin.reason, len(plugin.components) + len(registry.views)) == ("", 1)


def test_the_plugin_of_the_readme_works(tmp_path: Path) -> None:
    (block,) = (block for block in PLUGINS if block.page.name == "README.md")
    (tmp_path / "quadratic.py").write_text(block.text)
    registry = load(Sources(folders=(str(tmp_path),)))
    changes = ["neuron.use=quadratic", "neuron.a={low=0.0, high=1.0}", "trainer.epochs=1", "task.train=100"]
    study = Specification.from_file(ROOT / "studies" / "quickstart.toml", registry, changes)
    rng = np.random.default_rng(0)
    point = {path: gene.domain.sample(rng) for path, gene in study.space.items()}
    evaluation = evaluate(Job(study.to_json(), study.space.genome(point)), registry)
    assert evaluation.failure is None
    assert "neuron.a" in evaluation.genome


# Studies


TABLES = [block for block in BLOCKS if block.language == "toml"]


def whole_study(page: Path) -> dict[str, Any]:
    """Return the first whole study of a page, or of the page on study files."""
    for one in (page, ROOT / "docs" / "study-files.md"):
        for block in fenced.blocks(one):
            if block.language == "toml" and set(document := tomllib.loads(block.text)) >= WHOLE:
                return document
    raise AssertionError("no page has a whole study")


@pytest.mark.parametrize("block", TABLES, ids=str)
def test_studies_are_valid(block: Block, tmp_path: Path) -> None:
    document = tomllib.loads(block.text)
    if block.title == "pyproject.toml":
        assert set(document["project"]["entry-points"]) == {"spikefront"}
        return
    assert set(document) >= WHOLE or not block.title, "a file is a whole study"
    files = [one for one in fenced.blocks(block.page) if one.title.startswith("plugins/")]
    for one in files:
        (tmp_path / Path(one.title).name).write_text(one.text)
    study = Specification.from_document(
        {**whole_study(block.page), **document}, load(Sources(folders=(str(tmp_path),)))
    )
    with contextlib.suppress(DataError):
        study.check()


def test_the_study_of_the_readme_searches_what_it_says() -> None:
    (block,) = (block for block in TABLES if block.page.name == "README.md")
    study = Specification.from_document(tomllib.loads(block.text), load())
    assert {"network.channels", "neuron.tau", "encoding.use", "encoding.genes"} <= set(study.space)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_study_is_valid_and_says_what_it_shows(path: Path) -> None:
    Specification.from_file(path, load())
    head = path.read_text().split("\n\n")[0]
    assert all(word in head for word in ("# Shows:", "# Takes:", "Data:"))
    assert f"]({path.name})" in (ROOT / "studies" / "README.md").read_text()


# Commands


def command_of(words: list[str]) -> tuple[str, Any, list[str]]:
    """Return the command that words behind `spikefront` name, its name and the words that are left."""
    group, name = typer.main.get_command(build()), ""
    while words and hasattr(group, "commands") and words[0] in group.commands:
        name, group, words = f"{name} {words[0]}".strip(), group.commands[words[0]], words[1:]
    return name, group, words


CALLS = sorted({(name_of(page), call) for page in PAGES for call in fenced.commands(page)})


@pytest.mark.parametrize(("page", "call"), CALLS, ids=lambda value: value)
def test_commands_and_their_options_exist(page: str, call: str) -> None:
    name, command, words = command_of(shlex.split(call, comments=True)[1:])
    assert name, f"{page}: there is no such command: {call}"
    command.make_context(name, ["1" if word == "ID" else word for word in words])


def test_commands_in_sentences_exist() -> None:
    wrong = []
    for page in PAGES:
        for call in fenced.mentions(page):
            words = [word for word in shlex.split(call)[1:] if word not in {"...", "|", "--no-plugins"}]
            name, command, left = command_of(words)
            options = {option for one in command.params for option in one.opts} | {"--help"}
            known = words[:1] == ["COMMAND"] or (name and not (hasattr(command, "commands") and left))
            if not (known and all(w in options for w in left if w.startswith("--"))):
                wrong.append(f"{name_of(page)}: {call}")
    assert wrong == []


def test_every_command_is_in_the_readme_or_the_changelog() -> None:
    names = typer.main.get_command(build()).commands  # type: ignore[attr-defined]
    text = (ROOT / "README.md").read_text() + (ROOT / "CHANGELOG.md").read_text()
    assert [name for name in names if name not in text] == []
