"""Memory of a worker: resident size after 50 and after 500 different candidates of the quickstart's space.

python -m benchmarks.memory [--candidates 500]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from spikefront.evaluate import evaluate
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.specification import Specification

QUICKSTART = Path(__file__).parent.parent / "studies" / "quickstart.toml"
AIM = 0.05


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=500)
    arguments = parser.parse_args()
    registry = load()
    changes = ["trainer.epochs=1", "task.train=200", "network.use={choice=['mlp','conv']}"]
    study = Specification.from_file(QUICKSTART, registry, changes)
    rng = np.random.default_rng(0)
    table = Table(title="Memory of one worker")
    for column in ("candidates", "peak MiB"):
        table.add_column(column, justify="right")
    peaks: dict[int, float] = {}
    for number in range(1, arguments.candidates + 1):
        point = {path: gene.domain.sample(rng) for path, gene in study.space.items()}
        evaluation = evaluate(Job(study.to_json(), study.space.genome(point)), registry)
        if evaluation.failure:
            raise SystemExit(evaluation.failure.traceback)
        if number in {10, 50, 100, 200, 300, 400, arguments.candidates}:
            peaks[number] = evaluation.peak_memory / 2**20
            table.add_row(str(number), f"{peaks[number]:.0f}")
    console = Console()
    console.print(table)
    if 50 in peaks:
        growth = peaks[arguments.candidates] / peaks[50] - 1
        console.print(f"growth since 50 candidates: {growth:+.1%} (aim: within {AIM:.0%})")


if __name__ == "__main__":
    main()
