"""Pareto early stopping against training every candidate to the end: hypervolume and training samples.

    python -m benchmarks.early_stop [--task digits] [--seeds 10] [--check]

Both arms search the same space with the same algorithm, seeds and number of candidates. Hypervolumes share ideal
and reference: the best and worst values of both arms of all seeds. Paired by seed;
Wilcoxon's signed-rank test, two-sided.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import wilcoxon

from spikefront.measure.hypervolume import hypervolume
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.sources import Sources
from spikefront.storage import Database, queries
from spikefront.study import Study

TASKS: dict[str, dict[str, Any]] = {
    "digits": {
        "task": {"use": "digits"},
        "network": {"use": "mlp", "hidden": {"choice": [[16], [32], [64], [96], [64, 32]]}},
        "trainer": {"epochs": 16, "learning_rate": {"low": 1e-3, "high": 1e-2, "log": True}},
        "search": {"population": 12, "generations": 6},
    },
    "fashion-mnist": {
        "task": {"use": "fashion-mnist", "train": 2000, "validation": 1000},
        "network": {"use": "conv", "channels": {"choice": [[4, 8], [8, 16], [8, 16, 32]]}},
        "trainer": {"epochs": 8, "learning_rate": {"low": 1e-3, "high": 1e-2, "log": True}},
        "search": {"population": 10, "generations": 4},
    },
}
ARMS: dict[str, dict[str, Any]] = {
    "whole training": {},
    "early stop": {"early_stop": {}},
}
SHARED: dict[str, Any] = {
    "neuron": {"use": "lif", "tau": {"low": 1.2, "high": 4.0, "log": True}, "v_threshold": {"low": 0.4, "high": 1.2}},
    "coder": {"steps": {"low": 2, "high": 4}},
    "encoding": {"use": {"choice": ["genetic", "direct"]}, "variant": "unfold", "genes": {"low": 4, "high": 16}},
    "execution": {"use": "inline"},
}
MOST_SAMPLES = 0.5


@dataclass(frozen=True)
class Outcome:
    """One search: losses of all its candidates (n, objectives), and the training samples that it took."""

    losses: list[tuple[float, ...]]
    samples: int


def run(task: str, arm: str, seed: int) -> Outcome:
    """Run one search."""
    settings = TASKS[task]
    document = {
        "study": {"name": "early", "seed": seed, "objectives": ["accuracy", "parameters", "energy"], "keep": "none"},
        **SHARED,
        **settings,
        "search": {**settings["search"], **ARMS[arm]},
    }
    study = Study.from_document(document, load())
    with tempfile.TemporaryDirectory() as folder, Database.open(f"{folder}/early.db", create=True) as database:
        Search(study, database, load(), Sources()).run()
        rows = queries.evaluations(database, "early")
    losses = [
        tuple(objective.loss(row.mean(objective.name) or 0.0) for objective in study.problem_objectives)
        for row in rows
        if not row.failure
    ]
    return Outcome(losses, sum(row.samples for row in rows))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=sorted(TASKS), default="digits")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    cases = list(itertools.product(range(arguments.seeds), ARMS))
    with ProcessPoolExecutor(2) as pool:
        jobs = {(seed, arm): pool.submit(run, arguments.task, arm, seed) for seed, arm in cases}
        found = {case: job.result() for case, job in jobs.items()}
    everything = np.array([loss for outcome in found.values() for loss in outcome.losses])
    ideal, worst = everything.min(0), everything.max(0)
    volumes = {
        arm: [hypervolume(found[seed, arm].losses, ideal, worst) for seed in range(arguments.seeds)] for arm in ARMS
    }
    samples = {arm: [found[seed, arm].samples for seed in range(arguments.seeds)] for arm in ARMS}
    table = Table(
        title=f"{arguments.task}, {arguments.seeds} seeds, torch {version('torch')}, pymoo {version('pymoo')}"
    )
    for column in ("arm", "hypervolume, median", "smallest", "largest", "training samples, median"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for arm, values in volumes.items():
        table.add_row(
            arm,
            f"{statistics.median(values):.4f}",
            f"{min(values):.4f}",
            f"{max(values):.4f}",
            f"{statistics.median(samples[arm]):,.0f}",
        )
    differences = [b - a for a, b in zip(*volumes.values(), strict=True)]
    ratio = statistics.median(b / a for a, b in zip(*samples.values(), strict=True))
    p = float(wilcoxon(differences).pvalue) if any(differences) else 1.0
    console = Console(width=110)
    console.print(table)
    console.print(
        f"early stop: {ratio:.2f} of the samples; hypervolume {statistics.median(differences):+.4f} "
        f"(median of the pairs), Wilcoxon p = {p:.3f}"
    )
    worse = p < 0.05 and statistics.median(differences) < 0
    if arguments.check and (worse or ratio > MOST_SAMPLES):
        sys.exit(1)


if __name__ == "__main__":
    main()
