"""What the documentation shows works: links lead somewhere, examples run, studies in it are valid."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from spikefront.evaluate import evaluate
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront.specification import Specification

ROOT = Path(__file__).parent.parent
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("studies/*.md")))
STUDIES = sorted(ROOT.glob("studies/*.toml"))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []


def test_the_readme_has_a_valid_study() -> None:
    (text,) = blocks(ROOT / "README.md", "toml")
    study = Specification.from_document(tomllib.loads(text), load())
    assert {"network.channels", "neuron.tau", "encoding.use", "encoding.genes"} <= set(study.space)


def test_the_plugin_of_the_readme_works(tmp_path: Path) -> None:
    text = next(block for block in blocks(ROOT / "README.md", "python") if "hookimpl" in block)
    (tmp_path / "quadratic.py").write_text(text)
    registry = load(Sources(folders=(str(tmp_path),)))
    assert [plugin.reason for plugin in registry.plugins if plugin.name.endswith("quadratic.py")] == [""]
    changes = ["neuron.use=quadratic", "neuron.a={low=0.0, high=1.0}", "trainer.epochs=1", "task.train=100"]
    study = Specification.from_file(ROOT / "studies" / "quickstart.toml", registry, changes)
    rng = np.random.default_rng(0)
    point = {path: gene.domain.sample(rng) for path, gene in study.space.items()}
    evaluation = evaluate(Job(study.to_json(), study.space.genome(point)), registry)
    assert evaluation.failure is None
    assert "neuron.a" in evaluation.genome


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_study_is_valid_and_says_what_it_shows(path: Path) -> None:
    Specification.from_file(path, load())
    head = path.read_text().split("\n\n")[0]
    assert all(word in head for word in ("# Shows:", "# Takes:", "Data:"))
    assert f"]({path.name})" in (ROOT / "studies" / "README.md").read_text()


def test_every_command_is_in_the_readme_or_the_changelog() -> None:
    import typer.main

    from spikefront.cli import build

    commands = typer.main.get_command(build()).commands  # type: ignore[attr-defined]
    text = (ROOT / "README.md").read_text() + (ROOT / "CHANGELOG.md").read_text()
    assert [name for name in commands if name not in text] == []
    assert all(command.help for command in commands.values())
    undocumented = [f"{c.name} {p.name}" for c in commands.values() for p in c.params if not getattr(p, "help", None)]
    assert undocumented == []
