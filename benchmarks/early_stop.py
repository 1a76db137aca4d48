"""Pareto early stopping against training every candidate to the end: hypervolume and training samples.

    python -m benchmarks.early_stop [--tasks digits fashion-mnist] [--seeds 10] [--check]

All arms search the same space with the same algorithm and seeds; "two fifths more" spends what it saves on more
candidates. Hypervolumes are those of the fronts that the searches found on the validation split, with accuracies
measured on the first 1,000 samples of the test split: who trains more candidates to the end has more draws, and the
luckiest of them on the validation split would count as better. The hypervolume on the validation split is printed
beside it. All share ideal and reference: the best and worst values of all arms and seeds. Paired by seed; Wilcoxon's
signed-rank test, two-sided. With --check, exits 1 unless, on every task, "two fifths more" takes at most half of the
samples, and its hypervolume is not below that of whole training: neither in the median of the pairs by more than
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
import torch
from rich.console import Console
from rich.table import Table
from scipy.stats import wilcoxon

from spikefront.components.task import require_supervised
from spikefront.evaluate import phenotype_of, streams_of
from spikefront.genome import Genome
from spikefront.measure.hypervolume import hypervolume
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.specification import Specification
from spikefront.storage import Database, queries

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
WHOLE, STOP, MORE = "whole training", "early stop", "early stop, two fifths more"
ARMS: dict[str, tuple[dict[str, Any], float]] = {
    WHOLE: ({}, 1.0),
    STOP: ({"early_stop": {}}, 1.0),
    MORE: ({"early_stop": {}}, 1.4),
}
"""For each arm, keys of [search], and the number of candidates in times the task's."""
SHARED: dict[str, Any] = {
    "neuron": {"use": "lif", "tau": {"low": 1.2, "high": 4.0, "log": True}, "v_threshold": {"low": 0.4, "high": 1.2}},
    "coder": {"steps": {"low": 2, "high": 4}},
    "encoding": {"use": {"choice": ["genetic", "direct"]}, "variant": "unfold", "genes": {"low": 4, "high": 16}},
    "execution": {"use": "inline"},
}
MOST_SAMPLES, LEAST_DIFFERENCE = 0.5, -0.005
TESTED = 1000


@dataclass(frozen=True)
class Outcome:
    """One search.

    Attributes:
        validation: Losses of its front (n, objectives), as the search measured them.
        test: The same with the accuracies on the test split.
        samples: Training samples that it took.
    """

    validation: list[tuple[float, ...]]
    test: list[tuple[float, ...]]
    samples: int


def run(task: str, arm: str, seed: int) -> Outcome:
    """Run one search."""
    settings, (keys, candidates) = TASKS[task], ARMS[arm]
    evaluations = round(candidates * settings["search"]["evaluations"])
    document = {
        "study": {"name": "early", "seed": seed, "objectives": ["accuracy", "parameters", "energy"]},
        **SHARED,
        **settings,
        "search": {**settings["search"], **keys, "evaluations": evaluations},
    }
    study = Specification.from_document(document, load())
    with tempfile.TemporaryDirectory() as folder, Database.open(f"{folder}/early.db", create=True) as database:
        Search(study, database).run()
        rows, front = queries.evaluations(database, "early"), queries.front(database, "early")
        genomes = queries.genomes(database, {row.genome_hash for row in front})
        weights = {row.number: queries.weights(database, "early", row.number) for row in front}
    validation = [{name: row.mean(name) or 0.0 for name in row.measurements} for row in front]
    test = [
        {**values, "accuracy": tested(study, genomes[row.genome_hash], weights[row.number])}
        for row, values in zip(front, validation, strict=True)
    ]
    samples = sum(row.samples for row in rows)
    return Outcome(
        [losses(study, values) for values in validation], [losses(study, values) for values in test], samples
    )


def tested(study: Specification, genome: Genome, weights: bytes) -> float:
    """Return a candidate's accuracy on the first samples of the test split."""
    resolved = study.resolve(genome)
    network = phenotype_of(resolved, weights, streams_of(study, genome, 0))
    task = require_supervised(resolved.task, "benchmark")
    inputs, targets = (tensor[:TESTED] for tensor in task.data("test"))
    with torch.no_grad():
        outputs = network.eval()(inputs)
    return float(task.metrics(outputs, targets)["accuracy"].double().mean())


def losses(study: Specification, values: dict[str, float]) -> tuple[float, ...]:
    """Return the objectives' values, to minimise."""
    return tuple(objective.loss(values[objective.name]) for objective in study.problem_objectives)


def compare(task: str, seeds: int, pool: ProcessPoolExecutor, console: Console) -> bool:
    """Print the table of a task, and tell whether the aims are reached."""
    jobs = {(arm, seed): pool.submit(run, task, arm, seed) for seed, arm in itertools.product(range(seeds), ARMS)}
    found = {arm: [jobs[arm, seed].result() for seed in range(seeds)] for arm in ARMS}
    everything = np.array([v for outcomes in found.values() for o in outcomes for v in o.validation + o.test])
    ideal, worst = everything.min(0), everything.max(0)
    volumes = {arm: [hypervolume(outcome.test, ideal, worst) for outcome in found[arm]] for arm in ARMS}
    seen = {arm: [hypervolume(outcome.validation, ideal, worst) for outcome in found[arm]] for arm in ARMS}
    table = Table(title=f"{task}, {seeds} seeds, torch {version('torch')}, pymoo {version('pymoo')}")
    columns = ("arm", "hypervolume", "smallest", "largest", "difference", "p", "on validation", "samples", "share")
    for column in columns:
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
            f"{statistics.median(seen[arm]):.4f}",
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
