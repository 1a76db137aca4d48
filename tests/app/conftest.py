"""Databases for the app: a study that ran, an empty one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database
from spikefront_app.plugin import DATABASE_VARIABLE

TRIVIAL = Sources(modules=("benchmarks.trivial",))
GENE = {"low": 0.0, "high": 1.0}


def document(name: str = "shown", **study: Any) -> dict[str, Any]:
    """Return a study of three objectives whose candidates cost nothing."""
    return {
        "study": {"name": name, "seed": 1, "objectives": ["first", "second", "third"], **study},
        "task": {"use": "trivial", "a": GENE, "b": GENE, "c": {"choice": [0.25, 0.5]}},
        "trainer": {"use": "none"},
        "search": {"population": 10, "generations": 3},
        "execution": {"use": "inline"},
    }


def run_study(url: str, what: dict[str, Any]) -> None:
    """Run a study."""
    with Database.open(url, create=True) as opened:
        Search(Specification.from_document(what, load(TRIVIAL)), opened).run()


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a database that is not there yet, and that the app shows."""
    url = f"sqlite:///{tmp_path}/app.db"
    monkeypatch.setenv(DATABASE_VARIABLE, url)
    return url


@pytest.fixture
def study(database: str) -> str:
    """Return the name of a study that ran."""
    run_study(database, document())
    return "shown"


@pytest.fixture(scope="session")
def digits_database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a database with a study of real networks, direct and genetic, two replicates each; do not write to it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('digits')}/app.db"
    what = {
        "study": {
            "name": "digits",
            "seed": 3,
            "objectives": ["accuracy", {"use": "energy", "model": "horowitz-45nm-int8"}],
            "columns": ["parameters", "gene-entropy"],
            "replicates": 2,
            "keep": "all",
        },
        "task": {"use": "digits"},
        "network": {"use": "mlp", "hidden": [40, 40]},
        "coder": {"steps": {"low": 2, "high": 4}},
        "encoding": {"use": {"choice": ["genetic", "direct"]}, "variant": "unfold", "genes": 6},
        "trainer": {"epochs": 1, "batch": 256},
        "search": {"population": 4, "generations": 2},
        "execution": {"use": "inline"},
    }
    with Database.open(url, create=True) as opened:
        Search(Specification.from_document(what, load()), opened).run()
    return url


@pytest.fixture
def networks(digits_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a study of real networks, whose database the app shows."""
    monkeypatch.setenv(DATABASE_VARIABLE, digits_database)
    return "digits"


@pytest.fixture
def trivial_document() -> Callable[..., dict[str, Any]]:
    """Return what makes a study whose candidates cost nothing: see `document`."""
    return document


@pytest.fixture
def run_trivial(database: str) -> Callable[[dict[str, Any]], None]:
    """Return what runs a study in the database that the app shows."""
    return functools.partial(run_study, database)
