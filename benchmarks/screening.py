"""Scores of untrained networks against what training makes of them: Kendall's tau over random candidates.

    python -m benchmarks.screening [--task digits] [--candidates 60]

The spaces are those of `benchmarks.early_stop`. Each candidate is scored, trained for one epoch, and on to the end;
tau with the accuracy at the end, with a 95 % interval from 2,000 bootstrap samples of the candidates. The number of
parameters and the energy of the untrained network are baselines: a score is worth something where it beats them.
"""

from __future__ import annotations

import argparse
import math
import statistics
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import kendalltau

from benchmarks.early_stop import SHARED, TASKS
from spikefront.evaluate import evaluate
from spikefront.genome import Genome
from spikefront.job import Evaluation, Job
from spikefront.plugins import load
from spikefront.specification import Specification

PREDICTORS: dict[str, dict[str, Any]] = {
    "spike-pattern, B = 8": {"use": "spike-pattern", "batch": 8, "batches": 4},
    "spike-pattern, B = 32": {"use": "spike-pattern", "batch": 32, "batches": 4},
    "spike-pattern, B = 32, 4 seeds": {"use": "spike-pattern", "batch": 32, "batches": 4, "seeds": 4},
    "synflow": {"use": "synflow"},
}
RESAMPLES = 2000
Row = dict[str, float]


def study_of(task: str, screening: dict[str, Any]) -> Specification:
    """Return a study of the space with one predictor."""
    settings = TASKS[task]
    document = {
        "study": {"name": "screening", "objectives": ["accuracy", "parameters", "energy"], "keep": "none"},
        **SHARED,
        **settings,
        "search": {**settings["search"], "screening": screening},
    }
    return Specification.from_document(document, load())


def measured(study: Specification, genome: Genome, budget: float, before: Evaluation | None = None) -> Evaluation:
    """Return a candidate's evaluation; a failure is an error here."""
    job = Job(study.to_json(), genome, budget=budget, checkpoint=before.checkpoint if before else b"")
    evaluation = evaluate(job, load())
    if evaluation.failure:
        raise RuntimeError(evaluation.failure.traceback)
    return evaluation


def candidate(studies: dict[str, Specification], genome: Genome, epochs: int) -> Row:
    """Return all that is known of a candidate, and the seconds that it took."""
    row: Row = {}
    for name, study in studies.items():
        untrained = measured(study, genome, 0.0)
        score = untrained.measurements[PREDICTORS[name]["use"]].mean
        row |= {name: -math.inf if score is None else score, f"seconds {name}": untrained.seconds}
        row |= {term: untrained.measurements[term].mean or 0.0 for term in ("parameters", "energy")}
    study = next(iter(studies.values()))
    first = measured(study, genome, 1 / epochs)
    last = measured(study, genome, 1.0, first)
    accuracies = [evaluation.measurements["accuracy"].mean or 0.0 for evaluation in (first, last)]
    row |= {"accuracy after 1 epoch": accuracies[0], "accuracy": accuracies[1]}
    return row | {"seconds accuracy after 1 epoch": first.seconds, "seconds accuracy": first.seconds + last.seconds}


def interval(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of Kendall's tau."""
    rng = np.random.default_rng(0)
    rows = rng.integers(len(x), size=(RESAMPLES, len(x)))
    taus = [kendalltau(x[drawn], y[drawn]).statistic for drawn in rows]
    low, high = np.nanquantile(taus, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=sorted(TASKS), default="digits")
    parser.add_argument("--candidates", type=int, default=60)
    arguments = parser.parse_args()
    studies = {name: study_of(arguments.task, screening) for name, screening in PREDICTORS.items()}
    space = next(iter(studies.values())).space
    rng = np.random.default_rng(0)
    points = [{path: gene.domain.sample(rng) for path, gene in space.items()} for _ in range(arguments.candidates)]
    epochs = TASKS[arguments.task]["trainer"]["epochs"]
    rows = [candidate(studies, space.genome(point), epochs) for point in track(points, "Training")]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    accuracy = columns["accuracy"]
    table = Table(
        title=f"{arguments.task}, {len(rows)} random candidates, accuracy {accuracy.min():.3f} to {accuracy.max():.3f} "
        f"(median {statistics.median(accuracy):.3f}), torch {version('torch')}"
    )
    for column in ("score", "Kendall tau", "95 % interval", "without a score", "seconds, median"):
        table.add_column(column, justify="left" if column == "score" else "right")
    for name in (*PREDICTORS, "parameters", "energy", "accuracy after 1 epoch", "accuracy"):
        seconds = columns.get(f"seconds {name}")
        low, high = interval(columns[name], accuracy)
        table.add_row(
            name,
            f"{kendalltau(columns[name], accuracy).statistic:.2f}",
            f"{low:.2f} to {high:.2f}",
            f"{int(np.isinf(columns[name]).sum())}",
            "" if seconds is None else f"{statistics.median(seconds):.2f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
