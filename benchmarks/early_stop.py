"""Pareto early stopping against training every candidate to the end: hypervolume and training samples.

    python -m benchmarks.early_stop [--tasks digits fashion-mnist] [--seeds 10] [--check]

All arms search the same space with the same algorithm and seeds; "a third more" spends a part of what it saves on more
candidates. Hypervolumes share ideal and reference: the best and worst values of all arms and seeds. Paired by seed;
Wilcoxon's signed-rank test, two-sided. With --check, exits 1 unless, on every task, "a third more" takes at most half
of the samples, and its hypervolume is not below that of whole training: neither in the median of the pairs by more than
0.005, nor with p < 0.05.
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
        "search": {"population": 12, "evaluations": 72},
    },
    "fashion-mnist": {
        "task": {"use": "fashion-mnist", "train": 2000, "validation": 1000},
        "network": {"use": "conv", "channels": {"choice": [[4, 8], [8, 16], [8, 16, 32]]}},
        "trainer": {"epochs": 8, "learning_rate": {"low": 1e-3, "high": 1e-2, "log": True}},
        "search": {"population": 10, "evaluations": 40},
    },
}
WHOLE, STOP, MORE = "whole training", "early stop", "early stop, a third more candidates"
ARMS: dict[str, tuple[dict[str, Any], float]] = {
    WHOLE: ({}, 1.0),
    STOP: ({"early_stop": {}}, 1.0),
    MORE: ({"early_stop": {}}, 4 / 3),
}
"""For each arm, keys of [search], and the number of candidates in times the task's."""
SHARED: dict[str, Any] = {
    "neuron": {"use": "lif", "tau": {"low": 1.2, "high": 4.0, "log": True}, "v_threshold": {"low": 0.4, "high": 1.2}},
    "coder": {"steps": {"low": 2, "high": 4}},
    "encoding": {"use": {"choice": ["genetic", "direct"]}, "variant": "unfold", "genes": {"low": 4, "high": 16}},
    "execution": {"use": "inline"},
}
MOST_SAMPLES, LEAST_DIFFERENCE = 0.5, -0.005


@dataclass(frozen=True)
class Outcome:
    """One search: losses of all its candidates (n, objectives), and the training samples that it took."""

    losses: list[tuple[float, ...]]
    samples: int


def run(task: str, arm: str, seed: int) -> Outcome:
    """Run one search."""
    settings, (keys, candidates) = TASKS[task], ARMS[arm]
    evaluations = round(candidates * settings["search"]["evaluations"])
    document = {
        "study": {"name": "early", "seed": seed, "objectives": ["accuracy", "parameters", "energy"], "keep": "none"},
        **SHARED,
        **settings,
        "search": {**settings["search"], **keys, "evaluations": evaluations},
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


def compare(task: str, seeds: int, pool: ProcessPoolExecutor, console: Console) -> bool:
    """Print the table of a task, and tell whether the aims are reached."""
    jobs = {(arm, seed): pool.submit(run, task, arm, seed) for seed, arm in itertools.product(range(seeds), ARMS)}
    found = {arm: [jobs[arm, seed].result() for seed in range(seeds)] for arm in ARMS}
    everything = np.array([loss for outcomes in found.values() for outcome in outcomes for loss in outcome.losses])
    ideal, worst = everything.min(0), everything.max(0)
    volumes = {arm: [hypervolume(outcome.losses, ideal, worst) for outcome in found[arm]] for arm in ARMS}
    table = Table(title=f"{task}, {seeds} seeds, torch {version('torch')}, pymoo {version('pymoo')}")
    for column in ("arm", "hypervolume, median", "smallest", "largest", "difference", "p", "samples", "share"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    reached = True
    for arm, values in volumes.items():
        samples = [outcome.samples for outcome in found[arm]]
        share = statistics.median(own / all_.samples for own, all_ in zip(samples, found[WHOLE], strict=True))
        differences = [own - other for own, other in zip(values, volumes[WHOLE], strict=True)]
        difference, p = statistics.median(differences), float(wilcoxon(differences).pvalue) if any(differences) else 1.0
        table.add_row(
            arm,
            *(f"{value:.4f}" for value in (statistics.median(values), min(values), max(values))),
            f"{difference:+.4f}",
            f"{p:.3f}",
            f"{statistics.median(samples):,.0f}",
            f"{share:.2f}",
        )
        if arm == MORE:
            worse = difference < LEAST_DIFFERENCE or (difference < 0 and p < 0.05)
            reached = share <= MOST_SAMPLES and not worse
    console.print(table)
    console.print(f"{'reached' if reached else 'MISSED '}  the same hypervolume with at most half of the samples")
    return reached


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", choices=sorted(TASKS), nargs="+", default=sorted(TASKS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="exit 1 when an aim is missed")
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.workers) as pool:
        reached = [compare(task, arguments.seeds, pool, Console(width=130)) for task in arguments.tasks]
    if arguments.check and not all(reached):
        sys.exit(1)


if __name__ == "__main__":
    main()
