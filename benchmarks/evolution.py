"""Spatio-temporal evolution: does it pay to evolve the interactions, to regularise, to inherit?

    python -m benchmarks.evolution                        tables from the stored searches
    python -m benchmarks.evolution --run [--minutes 60]   the searches that are not stored yet, appended as they end
    python -m benchmarks.evolution --fresh                two seeds of a short version, run now, nothing stored

The outer loop searches interactions with nsga2 on one objective, accuracy; the inner loop trains gene vectors for two
epochs of 2,000 pictures. Weights of the regularisers are those of studies/gee-fashion-mnist.toml, and ten times them.
"random" draws every candidate anew; "trained" has nothing to evolve: its interactions are drawn and trained with the
vectors, candidate after candidate with other seeds. Told is the best accuracy on validation so far; at the end
the best interactions train fresh vectors three times with other seeds, and are tested: what is left then is what
evolution found, without the luck of the draw. Arms are paired by seed; Wilcoxon's signed-rank test, two-sided.
"""

from __future__ import annotations

import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from scipy.stats import wilcoxon

from benchmarks import results
from spikefront.evaluate import evaluate, phenotype_of, streams_of
from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.specification import Specification
from spikefront.storage import Database, queries

RESULTS = results.FOLDER / "evolution.jsonl"
SEEDS = tuple(range(1, 9))


def entropy(weight: float) -> list[dict[str, Any]]:
    """Return the spatial regulariser."""
    return [{"use": "gene-entropy", "on": "accuracy", "weight": weight}]


def temporal(weight: float) -> list[dict[str, Any]]:
    """Return the temporal regulariser, which ends in the middle of the search."""
    return [{"use": "temporal-difference", "on": "accuracy", "weight": {"start": weight, "end": 0.0, "until": 0.5}}]


STUDY: dict[str, Any] = {
    "task": {"use": "fashion-mnist", "train": 2000, "validation": 1000},
    "network": {"use": "mlp", "hidden": [128, 128], "batch_norm": True},
    "neuron": {"use": "lif", "tau": 2.0, "v_threshold": 0.5},
    "coder": {"steps": 2},
    "encoding": {"use": "genetic", "variant": "unfold", "genes": 16, "tied": True, "initial": "balanced"},
    "trainer": {"epochs": 2, "learning_rate": 5e-3, "batch": 50},
    "search": {"algorithm": "nsga2", "population": 10, "generations": 12},
    "execution": {"use": "inline"},
}
NONE = "evolved"
ARMS: dict[str, dict[str, Any]] = {
    NONE: {},
    "entropy": {"regularisers": entropy(0.02)},
    "temporal difference": {"regularisers": temporal(0.02)},
    "both": {"regularisers": [*entropy(0.02), *temporal(0.02)]},
    "both, ten times": {"regularisers": [*entropy(0.2), *temporal(0.2)]},
    "evolved, inherited": {"search": {"inheritance": "lamarck"}},
    "evolved, then trained": {"encoding": {"origin": "both"}},
    "random": {"search": {"algorithm": "random"}},
    "trained": {"encoding": {"origin": "trained"}},
}


@dataclass(frozen=True)
class Run:
    """One search.

    Attributes:
        best: Best validation accuracy so far, for each generation.
        entropy: Mean H of the interactions of a generation's candidates, for each generation.
        test: Test accuracies of the best interactions with fresh vectors.
        seconds: Time that the search took.
        versions: Of torch, pymoo and Spikefront.
    """

    arm: str
    seed: int
    best: list[float]
    entropy: list[float]
    test: list[float]
    seconds: float
    versions: dict[str, str]


def study_of(arm: str, seed: int, generations: int) -> Specification:
    """Return the study of an arm; one without anything to search varies a limit that is never reached."""
    document: dict[str, Any] = {
        "study": {"name": "evolution", "seed": seed, "objectives": ["accuracy"]},
        **{section: values | ARMS[arm].get(section, {}) for section, values in STUDY.items()},
    }
    document["search"]["generations"] = generations
    document["regularisers"] = ARMS[arm].get("regularisers", [])
    if not any(regulariser["use"] == "gene-entropy" for regulariser in document["regularisers"]):
        document["study"]["columns"] = ["gene-entropy"]
    if arm == "trained":  # a gene that changes nothing, so that every candidate is another one
        document["trainer"]["clip"] = {"low": 1e6, "high": 2e6}
        document["search"]["algorithm"] = "random"
    return Specification.from_document(document, load())


def run(arm: str, seed: int, generations: int) -> Run:
    """Search, and test what was found."""
    start = time.perf_counter()
    study = study_of(arm, seed, generations)
    with tempfile.TemporaryDirectory() as folder, Database.open(f"{folder}/one.db", create=True) as database:
        Search(study, database).run()
        rows = [row for row in queries.evaluations(database, "evolution") if not row.failure]
        top = max(rows, key=lambda row: row.mean("accuracy") or 0.0)
        genome = queries.genomes(database, {top.genome_hash})[top.genome_hash]
    seconds = time.perf_counter() - start
    generation = {number: [row for row in rows if row.generation == number] for number in range(generations)}
    best = itertools.accumulate((max(r.mean("accuracy") or 0.0 for r in generation[n]) for n in generation), max)
    order = [1 - statistics.fmean(row.mean("gene-entropy") or 0.0 for row in generation[n]) for n in generation]
    versions = {name: version(name) for name in ("torch", "pymoo", "spikefront")}
    return Run(arm, seed, list(best), order, tested(study, genome), seconds, versions)


def tested(study: Specification, genome: Genome) -> list[float]:
    """Return the test accuracies of fresh vectors that train with a candidate's interactions."""
    found = []
    for replicate in range(3):
        job = Job(study.to_json(), genome, replicates=(replicate,), purpose="retrain")
        resolved, streams = study.resolve(genome), streams_of(study, genome, replicate, "retrain")
        network = phenotype_of(resolved, evaluate(job, load()).weights, streams)
        found.append(resolved.task.score(network, "test", streams)["accuracy"])
    return found


def stored(path: Path) -> list[Run]:
    """Return the runs of a file."""
    return [Run(**row) for row in results.rows(path)]


def run_all(path: Path, minutes: float, generations: int, seeds: Sequence[int]) -> None:
    """Do what is missing in a file, and append what ends; start nothing when time is over."""
    done = {(run.arm, run.seed) for run in stored(path)}
    missing = [(arm, seed, generations) for seed in seeds for arm in ARMS if (arm, seed) not in done]
    results.append(path, run, missing, time.monotonic() + 60 * minutes)


def generations_to(best: Sequence[float], target: float) -> float:
    """Return in which generation, counted from 1, a target was reached; one more than there are if never."""
    return next((number for number, value in enumerate(best, 1) if value >= target), len(best) + 1)


def compared(values: Sequence[float], others: Sequence[float]) -> str:
    """Return the median of the paired differences, and p."""
    differences = [a - b for a, b in zip(values, others, strict=True)]
    p = float(wilcoxon(differences).pvalue) if any(differences) else 1.0
    return f"{statistics.median(differences):+.4f} (p = {p:.2f})"


def report(runs: list[Run], console: Console) -> None:
    """Print the table: every arm with the seeds that it shares with the plain evolution."""
    by_arm = {arm: {run.seed: run for run in runs if run.arm == arm} for arm in ARMS}
    finals = [run.best[-1] for run in by_arm[NONE].values()]
    if not finals:
        return
    target = min(finals)
    table = Table(title=f"best accuracy on validation over generations; target {target:.3f}")
    for name in ("arm", "first", "middle", "last", "minus evolved", "generations to target", "minus evolved", "tested",
                 "minus evolved", "H first", "H last", "seeds"):  # fmt: skip
        table.add_column(name, justify="left" if name == "arm" else "right")
    for arm, own in by_arm.items():
        seeds = sorted(own.keys() & by_arm[NONE].keys())
        if not seeds:
            continue
        mine, plain = [own[seed] for seed in seeds], [by_arm[NONE][seed] for seed in seeds]
        last, speed, test = (
            ([measure(run) for run in mine], [measure(run) for run in plain])
            for measure in (
                lambda run: run.best[-1],
                lambda run: generations_to(run.best, target),
                lambda run: statistics.fmean(run.test),
            )
        )
        mean = [statistics.fmean(values) for values in zip(*(run.best for run in mine), strict=True)]
        order = [statistics.fmean(values) for values in zip(*(run.entropy for run in mine), strict=True)]
        error = statistics.stdev(test[0]) / math.sqrt(len(seeds)) if len(seeds) > 1 else math.nan
        table.add_row(
            arm,
            *(f"{mean[number]:.4f}" for number in (0, len(mean) // 2, -1)),
            "" if arm == NONE else compared(*last),
            f"{statistics.median(speed[0]):g}",
            "" if arm == NONE else compared(*speed),
            f"{statistics.fmean(test[0]):.4f} ± {error:.4f}",
            "" if arm == NONE else compared(*test),
            f"{order[0]:.3f}",
            f"{order[-1]:.3f}",
            str(len(seeds)),
        )
    console.print(table)


def main() -> None:
    """Print the table, after the searches that were asked for."""
    arguments = results.options(__doc__ or "", RESULTS).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fresh.jsonl" if arguments.fresh else arguments.results
        if arguments.fresh:
            run_all(path, arguments.minutes, 4, SEEDS[:2])
        elif arguments.run:
            run_all(path, arguments.minutes, STUDY["search"]["generations"], SEEDS)
        report(stored(path), Console(width=190))


if __name__ == "__main__":
    main()
