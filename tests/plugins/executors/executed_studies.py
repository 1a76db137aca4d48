"""Studies to run with every executor: jobs in which candidates behave oddly, and a study in which some do."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spikefront.genome import Genome
from spikefront.job import Evaluation, Job
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, queries

ODD = Sources(folders=(str(Path(__file__).parents[2] / "core" / "odd_plugins"),))
START = 60  # seconds that a worker may take to start on a busy machine
KINDS = {
    "raise": "exception",
    "nan": "not-finite",
    "text": "plugin",
    "sleep": "time-out",
    "hoard": "out-of-memory",
    "abort": "worker-died",
}


def job(behaviour: str = "well", place: tuple[float, ...] = (0.0, 0.5, 1.0)) -> Job:
    """Return a job whose candidate behaves in a way of `odd_tasks`."""
    study = {
        "study": {"name": "target", "seed": 3, "objectives": ["distance", "noise"]},
        "task": {"use": "target", "behaviour": behaviour},
        "trainer": {"use": "none"},
        "search": {"generations": 1},
    }
    return Job(json.dumps(study), Genome({"task.place": np.array(place)}))


def digits(steps: int) -> Job:
    """Return a job that trains a small network."""
    study = {
        "study": {"name": "digits", "seed": 3, "objectives": ["accuracy", "energy"]},
        "task": {"use": "digits", "train": 64, "validation": 30},
        "network": {"use": "mlp", "hidden": [12]},
        "coder": {"use": "poisson", "steps": steps},
        "trainer": {"epochs": 1},
        "search": {"generations": 1},
    }
    return Job(json.dumps(study), Genome({}))


def found(evaluation: Evaluation) -> Evaluation:
    """Return what an evaluation found, without when and where."""
    return replace(evaluation, seconds=0.0, peak_memory=0, worker="")


def lottery(execution: dict[str, Any], seed: int = 9) -> dict[str, Any]:
    """Return a study of 20 candidates, of which six are odd, each in another way (with seed 9)."""
    return {
        "study": {"name": "lottery", "seed": seed, "objectives": ["distance", "noise"]},
        "task": {"use": "lottery", "draw": {"low": 0.0, "high": 0.999}, "a": {"low": 0.0, "high": 1.0}},
        "trainer": {"use": "none"},
        "search": {"algorithm": "random", "population": 20, "generations": 1},
        "execution": execution,
    }


def searched(database: Database, document: dict[str, Any]) -> str:
    """Run a study to its end."""
    registry = load(ODD)
    return Search(Specification.from_document(document, registry), database).run()


def _kind(draw: float) -> str | None:
    """Return the kind of failure that a draw of the lottery leads to; the task has the same order."""
    return None if draw < 0.7 else list(KINDS.values())[min(int((draw - 0.7) / 0.05), 5)]


def check_lottery(database: Database) -> None:
    """Make sure that each odd candidate was recorded with the kind of its failure, and that none is on the front."""
    rows = queries.evaluations(database, "lottery")
    assert len(rows) == 20
    for row in rows:
        assert (row.failure and row.failure.kind) == _kind(row.genes["task.draw"]), (row.number, row.failure)
    failed = {row.number: row for row in rows if row.failure}
    assert Counter(row.failure.kind for row in failed.values() if row.failure) == Counter(KINDS.values())
    assert not {row.number for row in queries.front(database, "lottery")} & set(failed)
    attempts = queries.attempts(database, "lottery")
    assert len(attempts) == 1, attempts
    attempt = attempts[0]
    assert attempt.failure.kind == "worker-died"
    twice = failed[attempt.number]
    assert twice.failure is not None
    assert "not tried again" in twice.failure.message
    assert all(":" in row.worker and row.seconds > 0 for row in failed.values())
