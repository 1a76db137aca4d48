"""Candidate throughput: evaluations a minute of the quickstart study with 1 and 2 workers.

python -m benchmarks.throughput [--repeats 3] [--generations 3]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.search.progress import Progress
from spikefront.sources import Sources
from spikefront.storage import Database
from spikefront.study import Study

QUICKSTART = Path(__file__).parent.parent / "studies" / "quickstart.toml"


def measure(workers: int, generations: int) -> float:
    """Return evaluations a minute, from the first to the last result."""
    changes = [f"execution.workers={workers}", f"search.generations={generations}"]
    study = Study.from_file(QUICKSTART, load(), changes)
    moments: list[tuple[float, int]] = []

    def watch(progress: Progress) -> None:
        moments.append((time.perf_counter(), progress.done))

    with tempfile.TemporaryDirectory() as folder, Database.open(f"sqlite:///{folder}/t.db", create=True) as database:
        Search(study, database, load(), Sources(), watch).run()
    first = next(moment for moment in moments if moment[1])
    last = moments[-1]
    return (last[1] - first[1]) / (last[0] - first[0]) * 60


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--generations", type=int, default=3)
    arguments = parser.parse_args()
    table = Table(title=f"Throughput of the quickstart, torch {version('torch')}")
    for column in ("workers", "evaluations a minute, median", "smallest", "largest"):
        table.add_column(column, justify="right")
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(arguments.repeats):
        for workers, found in rates.items():
            found.append(measure(workers, arguments.generations))
    for workers, found in rates.items():
        table.add_row(str(workers), f"{statistics.median(found):.1f}", f"{min(found):.1f}", f"{max(found):.1f}")
    console = Console()
    console.print(table)
    pairs = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
    console.print(f"2 workers against 1: median {statistics.median(pairs):.2f} times, pairwise")


if __name__ == "__main__":
    main()
