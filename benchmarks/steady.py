"""Candidates that take 1 to 10 times as long: how busy workers are when nobody waits for the slowest.

    python -m benchmarks.steady [--workers 8] [--generations 8] [--check]

Candidates sleep, so that eight workers need no eight cores. Busy is the share of all workers' time, from the first
result to the last, in which a candidate sleeps. With --check, exits 1 when the aim is missed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from itertools import pairwise
from typing import Any

from rich.console import Console
from rich.table import Table

from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, EvaluationRow, queries

AIM = 0.95
SOURCES = Sources(modules=("benchmarks.sleeping",))


def study_document(wait: float, workers: int, generations: int) -> dict[str, Any]:
    """Return a study whose candidates sleep for 0.2 to 2 seconds."""
    gene = {"low": 0.0, "high": 1.0}
    return {
        "study": {"name": "steady", "seed": 1, "objectives": ["first", "second"]},
        "task": {"use": "sleeping", "a": gene, "seconds": {"low": 0.2, "high": 2.0, "log": True}},
        "trainer": {"use": "none"},
        "search": {"population": 3 * workers, "generations": generations, "wait": wait, "algorithm": "random"},
        "execution": {"workers": workers},
    }


def busy(rows: list[EvaluationRow], workers: int) -> float:
    """Return the share of the workers' time in which a candidate was evaluated.

    The last generation is left out: at the end there is nothing more to do.
    """
    ends = sorted((row.finished_at.timestamp(), row.seconds) for row in rows)
    first, last = ends[workers][0], ends[-2 * workers][0]
    inside = sum(max(0.0, min(end, last) - max(end - seconds, first)) for end, seconds in ends)
    return inside / (workers * (last - first))


def measure(wait: float, workers: int, generations: int) -> tuple[float, float]:
    """Return how busy the workers were, and the longest pause between two results, in seconds."""
    registry = load(SOURCES)
    study = Specification.from_document(study_document(wait, workers, generations), registry)
    with tempfile.TemporaryDirectory() as folder, Database.open(f"{folder}/steady.db", create=True) as database:
        Search(study, database).run()
        rows = queries.evaluations(database, study.name)
    moments = sorted(row.finished_at.timestamp() for row in rows)
    return busy(rows, workers), max(after - before for before, after in pairwise(moments))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--generations", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="exit 1 when the aim is missed")
    arguments = parser.parse_args()
    table = Table(
        title=f"{arguments.workers} workers, candidates of 0.2 to 2 s, generations of {3 * arguments.workers}"
    )
    for column in ("wait", "busy, median", "lowest", "highest"):
        table.add_column(column, justify="right")
    medians = {}
    for wait in (1.0, 0.5):
        shares = [measure(wait, arguments.workers, arguments.generations)[0] for _ in range(arguments.repeats)]
        medians[wait] = statistics.median(shares)
        table.add_row(f"{wait}", f"{medians[wait]:.1%}", f"{min(shares):.1%}", f"{max(shares):.1%}")
    console = Console(width=120)
    console.print(table)
    console.print(f"{'reached' if medians[0.5] >= AIM else 'MISSED '}  at least {AIM:.0%} with wait = 0.5")
    if arguments.check and medians[0.5] < AIM:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
