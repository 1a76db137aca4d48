"""Studies to look at: one that runs at no cost, one that is recorded by hand."""

from __future__ import annotations

import json
from typing import Any

from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure, Measurement
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, StudyObjective, StudyStore

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


def make_study(url: str, rows: list[tuple[Any, ...]], objectives: tuple[str, ...] = ("first", "second")) -> None:
    """Record a study by hand: (generation, values of the objectives, or a failure's kind)."""
    specification = document("made", objectives=list(objectives))
    with Database.open(url, create=True) as opened:
        store = StudyStore.create(
            opened,
            "made",
            specification=json.dumps(specification),
            specification_hash="h",
            seed=1,
            objectives=[StudyObjective(name, "minimize") for name in objectives],
            plugins=[],
        )
        for number, (generation, values) in enumerate(rows):
            genome = Genome({"task.a": number / 100})
            if isinstance(values, str):
                store.record(Evaluation(genome, failure=Failure(values, "no")), generation=generation)
                continue
            measured = {
                n: Measurement(v if isinstance(v, tuple) else (v,)) for n, v in zip(objectives, values, strict=True)
            }
            store.record(Evaluation(genome, measured), generation=generation, replicates=range(3))
