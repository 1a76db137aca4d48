"""The published systems: each has all its parts, and the table of docs/systems.md is what the stored runs say."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest
from benchmarks import results
from benchmarks.systems import Finding
from benchmarks.systems.__main__ import markdown, modules, stored, times
from fenced import ROOT

from spikefront.plugins import load
from spikefront.specification import Specification

MODULES = modules()
PAGE = ROOT / "docs" / "systems.md"


@pytest.fixture(params=MODULES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def module(name: str) -> ModuleType:
    return MODULES[name]


def test_a_system_has_a_study_a_page_and_a_docstring(name: str, module: ModuleType) -> None:
    assert Specification.from_file(ROOT / "studies" / f"{name}.toml", load()).name == name
    assert (ROOT / "docs" / "systems" / f"{name}.md").read_text().startswith("# ")
    assert inspect.getdoc(module)
    assert all(callable(getattr(module, part, None)) for part in ("short", "jobs", "run", "findings"))


def test_stored_runs_are_those_of_the_jobs(name: str, module: ModuleType) -> None:
    rows = results.rows(results.FOLDER / "systems" / f"{name}.jsonl")
    jobs = {tuple(job) for job in module.jobs()}
    keys = [next((job for job in jobs if tuple(row.values())[: len(job)] == job), None) for row in rows]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    assert all(row["seconds"] > 0 for row in rows)


def test_findings_are_sentences_with_numbers(name: str, module: ModuleType) -> None:
    for finding in stored(module, name):
        assert isinstance(finding, Finding)
        assert finding.holds in {True, False, None}
        assert any(letter.isdigit() for letter in finding.figure)
        assert "|" not in finding.claim + finding.figure


def test_the_page_has_the_tables_of_the_stored_runs() -> None:
    found = [(name, finding) for name, module in MODULES.items() for finding in stored(module, name)]
    for table in (markdown(found), times(MODULES)):
        assert table in PAGE.read_text(), "python -m benchmarks.systems --markdown prints the tables of today"
