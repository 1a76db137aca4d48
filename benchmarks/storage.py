"""Many studies at once: local processes that write evaluations through the storage into one database.

    python -m benchmarks.storage [--processes 40] [--evaluations 8] [--check]

Each process is the coordinator of a study of its own: it holds the lease, records a generation of asks, then each
evaluation with three objectives, a history, a recording and weights, then what it told. "every second": an evaluation
takes each process one second on average. "without a pause": nothing is evaluated, and all wait for each other all the
time. The aim is for both. The last column is the time that the disk takes to keep 8 KB, in the same run: no database
commits faster. With --check, exits 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg
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
PACES = {"every second": 1.0, "without a pause": 0.0}
"""Seconds that an evaluation takes on average."""

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


def write(where: str, number: int, evaluations: int, pace: str, start: Barrier) -> Writer:
    """Record a study of so many evaluations at a pace, once all processes are there."""
    commits: list[float] = []
    errors: list[str] = []
    rng = random.Random(number)  # noqa: S311

    def timed(step: Callable[..., object], *arguments: Any, **options: Any) -> None:
        begun = time.perf_counter()
        try:
            step(*arguments, **options)
        except StorageError as error:
            errors.append(error.message)
        commits.append(time.perf_counter() - begun)

    with Database.open(where) as database:
        store = StudyStore.create(
            database,
            f"{pace}, {number}",
            specification='{"study":{}}',
            specification_hash="",
            seed=number,
            objectives=[StudyObjective(name, "minimize") for name in OBJECTIVES],
            plugins=[Provenance("task", "none", "benchmarks", "0")],
        )
        store.acquire("benchmark", os.getpid(), seconds=600)
        start.wait()
        time.sleep(PACES[pace] * rng.random())
        for generation, first in enumerate(range(0, evaluations, GENERATION)):
            genomes = [Genome({"a": n, "study": number}) for n in range(first, min(first + GENERATION, evaluations))]
            timed(store.record_asks, generation, [Proposal(genome) for genome in genomes])
            for ask, genome in enumerate(genomes, first):
                time.sleep(PACES[pace] * 2 * rng.random())
                timed(store.record, evaluation(genome), generation=generation, ask=ask, number=ask)
            timed(store.record_tell, generation, range(first, first + len(genomes)))
        store.set_state("finished")
        store.release()
    return Writer(commits, errors)


def together(where: str, processes: int, evaluations: int, pace: str) -> tuple[list[Writer], float]:
    """Return what each process saw, and the seconds from the first write to the last."""
    with Database.open(where, create=True):
        pass
    context = multiprocessing.get_context("fork")  # the others need minutes to start so many on two cores
    start, results = context.Barrier(processes + 1), context.SimpleQueue()

    def run(number: int) -> None:
        results.put(write(where, number, evaluations, pace, start))

    running = [context.Process(target=run, args=(number,)) for number in range(processes)]
    for process in running:
        process.start()
    start.wait()
    begun = time.perf_counter()
    writers = [results.get() for _ in running]
    seconds = time.perf_counter() - begun
    for process in running:
        process.join()
    return writers, seconds


def findings(where: str, processes: int, evaluations: int) -> list[str]:
    """Return what is wrong with the record: it has to be whole."""
    with Database.read_only(where) as database:
        rows = queries.studies(database)
        found = [f"{row.name}: {row.evaluations} evaluations" for row in rows if row.evaluations != evaluations]
        found += [f"{len(rows)} studies"] if len(rows) != processes * len(PACES) else []
        found += integrity.check_file(database)
        return found + [line for row in rows for line in integrity.check_study(database, row.name)]


def sync_ms(folder: Path) -> float:
    """Return the median time that the disk takes to keep 8 KB, in milliseconds."""
    times = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(bytes(8192))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """Give the address of a new database of each kind that can be had here."""
    path = folder / "studies.db"
    if postgresql.programs() is None:
        print(f"PostgreSQL is left out: {postgresql.MISSING}")
        yield {f"SQLite {sqlite3.sqlite_version}": str(path)}
        return
    with postgresql.server() as url:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            name = f"PostgreSQL {connection.info.parameter_status('server_version')}"
        yield {f"SQLite {sqlite3.sqlite_version}": str(path), name.partition(" (")[0]: url}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=40)
    parser.add_argument("--evaluations", type=int, default=8, help="of each process")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    versions = ", ".join(f"{name} {version(name)}" for name in ("sqlalchemy", "psycopg"))
    table = Table(title=f"{arguments.processes} processes, {arguments.evaluations} evaluations each; {versions}")
    for column in ("database", "evaluations", "a second", "median ms", "p99 ms", "longest ms", "errors", "disk ms"):
        table.add_column(column, justify="left" if column in {"database", "evaluations"} else "right")
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as name, databases(Path(name)) as found:
        for kind, where in found.items():
            for pace in PACES:
                writers, seconds = together(where, arguments.processes, arguments.evaluations, pace)
                commits = sorted(commit * 1000 for writer in writers for commit in writer.commits)
                errors = [error for writer in writers for error in writer.errors]
                p99 = statistics.quantiles(commits, n=100)[98]
                done = arguments.processes * arguments.evaluations / seconds
                shown = [f"{number:.1f}" for number in (done, statistics.median(commits), p99, commits[-1])]
                table.add_row(kind, pace, *shown, str(len(errors)), f"{sync_ms(Path(name)):.1f}")
                missed += [f"{kind}, {pace}: {error}" for error in set(errors)]
                if p99 >= AIM_MS:
                    missed.append(f"{kind}, {pace}: 99 of 100 commits end within {p99:.0f} ms, the aim is {AIM_MS:.0f}")
            missed += findings(where, arguments.processes, arguments.evaluations)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for line in missed:
        console.print(line, markup=False, highlight=False)
    if arguments.check and missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
