"""One candidate of a study file, trained and tested: what comparisons of the systems are made of."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import wilcoxon

from spikefront import Study
from spikefront.evaluate import evaluate, phenotype_of, streams_of
from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.specification import Specification

STUDIES = Path(__file__).parent.parent.parent / "studies"


@dataclass(frozen=True)
class Outcome:
    """What training one candidate gave.

    Attributes:
        measured: The study's objectives and columns, on the validation split.
        test: The task's metrics on the test split; empty where they were not asked for.
        seconds: Time that training and measuring took.
    """

    measured: dict[str, float]
    test: dict[str, float]
    seconds: float


def study(name: str, *changes: str) -> Specification:
    """Return a study file of studies/ with assignments `path=value` on top of it, as `--set` has them."""
    return Specification.from_file(STUDIES / f"{name}.toml", load(), changes)


def trained(study: Specification, seed: int, genes: Mapping[str, Any] | None = None, test: bool = True) -> Outcome:
    """Train one candidate of a study, whose `genes` stand for all that is searched; the same seed is the same split.

    Raises:
        RuntimeError: It failed.
    """
    start = time.perf_counter()
    genome = Genome(dict(genes or {}))
    evaluation = evaluate(Job(study.to_json(), genome, replicates=(seed,)), study.registry)
    if evaluation.failure:
        raise RuntimeError(evaluation.failure.traceback)
    seconds = time.perf_counter() - start
    measured = {name: value.mean for name, value in evaluation.measurements.items() if value.mean is not None}
    return Outcome(measured, tested(study, genome, evaluation.weights, seed) if test else {}, seconds)


def tested(study: Specification, genome: Genome, weights: bytes, seed: int) -> dict[str, float]:
    """Return the metrics of a trained network on the test split."""
    resolved, streams = study.resolve(genome), streams_of(study, genome, seed)
    return resolved.task.score(phenotype_of(resolved, weights, streams), "test", streams)


def front(study: Specification) -> list[dict[str, Any]]:
    """Search, and return the candidates on the front as plain values: objectives, columns and genes by path."""
    with tempfile.TemporaryDirectory() as folder:
        one = Study(study, db=f"{folder}/one.db")
        one.run()
        records: list[dict[str, Any]] = json.loads(one.front().to_json(orient="records"))
    return records


def spread(values: Sequence[float], digits: int = 4) -> str:
    """Return median, smallest and largest of some values."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def gains(values: Sequence[float], others: Sequence[float]) -> list[float]:
    """Return by how much each value is above its partner."""
    return [a - b for a, b in zip(values, others, strict=True)]


def compared(values: Sequence[float], others: Sequence[float], digits: int = 4) -> tuple[float, str]:
    """Return the median of paired differences, and it as text with p of Wilcoxon's signed-rank test, two-sided."""
    differences = gains(values, others)
    p = float(wilcoxon(differences).pvalue) if any(differences) else 1.0
    median = statistics.median(differences)
    return median, f"{median:+.{digits}f} (p = {p:.3f}, {len(differences)} seeds)"


def verdict(gained: Sequence[float]) -> bool | None:
    """Return whether a gain is one with every seed, with none by the median, or neither."""
    return True if min(gained) > 0 else False if statistics.median(gained) <= 0 else None
