"""Databases for the app: a study that ran, an empty one."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_studies import document, run_study

from spikefront.cli.options import DATABASE_VARIABLE


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
    run_study(url, what)
    return url


@pytest.fixture
def networks(digits_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a study of real networks, whose database the app shows."""
    monkeypatch.setenv(DATABASE_VARIABLE, digits_database)
    return "digits"
