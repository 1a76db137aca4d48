"""Databases, studies and evaluations to test the storage with."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spikefront.genome import Genome
from spikefront.job import Evaluation, Measurement
from spikefront.storage import Database, Provenance, StudyObjective, StudyStore

OBJECTIVES = (StudyObjective("accuracy", "maximize"), StudyObjective("energy", "minimize", "pJ"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "studies.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, path: Path) -> str:
    """Return the address of a database that has no tables yet, on each backend."""
    if request.param == "sqlite":
        return str(path)
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def database(where: str) -> Iterator[Database]:
    with Database.open(where, create=True) as opened:
        yield opened


@pytest.fixture
def new_study() -> Callable[..., StudyStore]:
    def make(database: Database, name: str = "first", **changes: Any) -> StudyStore:
        values: dict[str, Any] = {
            "specification": '{"study":{"name":"first"}}',
            "specification_hash": "5" * 64,
            "seed": 2**63 - 1,
            "objectives": OBJECTIVES,
            "plugins": (Provenance("neuron", "lif", "spikefront", "0.1.0"),),
        }
        return StudyStore.create(database, name, **values | changes)

    return make


@pytest.fixture
def store(database: Database, new_study: Callable[..., StudyStore]) -> StudyStore:
    return new_study(database)


@pytest.fixture
def evaluated() -> Callable[..., Evaluation]:
    def make(gene: Any = 1, accuracy: float | None = 0.5, energy: float | None = 10.0, **values: Any) -> Evaluation:
        measured = {"accuracy": Measurement((accuracy,)), "energy": Measurement((energy,))}
        return Evaluation(Genome({"neuron.tau": gene}), measured, **values)

    return make
