"""Many studies at once: processes that write evaluations through the storage into one database.

    python -m benchmarks.storage [--processes 40] [--evaluations 25] [--check]

Each process is the coordinator of a study of its own, as fast as it can: it holds the lease, records a generation of
asks, then each evaluation with three objectives, a history and weights, and what it told. So all of them wait for each
other all the time. With --check, exits 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing.synchronize import Barrier
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from benchmarks import postgresql
from spikefront.components import Proposal
from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.job import Evaluation, Measurement
from spikefront.storage import Database, Provenance, StudyObjective, StudyStore, integrity, queries

AIM_MS = 200.0
GENERATION = 5
OBJECTIVES = ("accuracy", "parameters", "energy")
WEIGHTS = 4096


@dataclass(frozen=True)
class Writer:
    """What one process saw.

    Attributes:
        commits: Seconds of each transaction, waiting for others included.
        errors: Messages of transactions that failed.
    """

    commits: list[float]
    errors: list[str]


def evaluation(genome: Genome) -> Evaluation:
    """Return an evaluation of the size that a small study records."""
    return Evaluation(
        genome,
        {name: Measurement((0.5, 0.25, 0.125)) for name in OBJECTIVES},
        history=tuple({"replicate": 0.0, "epoch": float(n), "loss": 1 / (n + 1)} for n in range(8)),
        recording={"synapses": [{"name": str(n), "effective": 0.5} for n in range(4)], "steps": 4},
        samples=8000,
        seconds=1.0,
        weights=os.urandom(WEIGHTS),
    )


def write(where: str, number: int, evaluations: int, start: Barrier) -> Writer:
    """Record a study of so many evaluations, once all processes are there."""
    commits: list[float] = []
    errors: list[str] = []

    def timed(step: Callable[[], object]) -> None:
        begun = time.perf_counter()
        try:
            step()
        except StorageError as error:
            errors.append(error.message)
        commits.append(time.perf_counter() - begun)

    with Database.open(where) as database:
        store = StudyStore.create(
            database,
            f"study {number}",
            specification='{"study":{}}',
            specification_hash="",
            seed=number,
            objectives=[StudyObjective(name, "minimize") for name in OBJECTIVES],
            plugins=[Provenance("task", "none", "benchmarks", "0")],
        )
        store.acquire("benchmark", os.getpid(), seconds=600)
        start.wait()
        for generation, first in enumerate(range(0, evaluations, GENERATION)):
            genomes = {n: Genome({"a": n, "study": number}) for n in range(first, min(first + GENERATION, evaluations))}
            timed(lambda: store.record_asks(generation, [Proposal(genome) for genome in genomes.values()]))
            for ask, genome in genomes.items():
                new = evaluation(genome)
                timed(lambda: store.record(new, generation=generation, ask=ask, number=ask))
            timed(lambda: store.record_tell(generation, list(genomes)))
        store.release()
    return Writer(commits, errors)
