"""Platform overhead: time per evaluation spent outside of `evaluate`, on a task that costs nothing.

    python -m benchmarks.overhead [--evaluations 2000] [--repeats 3] [--check]

With --check, exits 1 when the aim is missed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.sources import Sources
from spikefront.storage import Database, queries
from spikefront.study import Study

AIM_MS = 5.0
SOURCES = Sources(modules=("benchmarks.trivial",))


def study_document(evaluations: int) -> dict[str, Any]:
    """Return a study of three objectives and three genes, searched by nsga2."""
    gene = {"low": 0.0, "high": 1.0}
    return {
        "study": {"name": "trivial", "seed": 1, "objectives": ["first", "second", "third"]},
        "task": {"use": "trivial", "a": gene, "b": gene, "c": gene},
        "trainer": {"use": "none"},
        "search": {"population": 50, "evaluations": evaluations},
        "execution": {"use": "inline"},
    }


def measure(evaluations: int) -> tuple[float, float]:
    """Return seconds of a whole search, and those of them spent in `evaluate`."""
    registry = load(SOURCES)
    study = Study.from_document(study_document(evaluations), registry)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/overhead.db"
        with Database.open(url, create=True) as database:
            start = time.perf_counter()
            Search(study, database, registry, SOURCES).run()
            total = time.perf_counter() - start
            inside = sum(row.seconds for row in queries.evaluations(database, study.name))
    return total, inside


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="exit 1 when the aim is missed")
    arguments = parser.parse_args()
    measure(100)
    outside = []
    table = Table(title=f"Overhead, {arguments.evaluations} evaluations, pymoo {version('pymoo')}, SQLite")
    for column in ("run", "total s", "in evaluate s", "outside ms per evaluation"):
        table.add_column(column, justify="right")
    for number in range(arguments.repeats):
        total, inside = measure(arguments.evaluations)
        outside.append((total - inside) / arguments.evaluations * 1000)
        table.add_row(str(number + 1), f"{total:.2f}", f"{inside:.2f}", f"{outside[-1]:.2f}")
    console = Console()
    console.print(table)
    median = statistics.median(outside)
    console.print(f"{'reached' if median < AIM_MS else 'MISSED '}  below {AIM_MS} ms per evaluation: {median:.2f}")
    if arguments.check and median >= AIM_MS:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
