"""Scores of untrained networks against what training makes of them, over random members of a search space."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import kendalltau

from benchmarks.screening import interval, measured
from benchmarks.systems import Finding
from benchmarks.systems._trained import study, tested
from spikefront.genome import Genome
from spikefront.specification import Specification

NETWORKS = 50
SMALL = ("task.train=1500", "trainer.epochs=3")
EPOCHS = 3
SCORES = {"sparsity-aware": 0.646, "hamming": 0.519}
"""Distance of `spike-pattern` -> Kendall tau of score and accuracy, published for SNASNet, as a third party has it."""


@dataclass(frozen=True)
class Scored:
    """One random network.

    Attributes:
        number: Which one it is.
        sparsity_aware: Its score with the sparsity-aware distance; None where it is minus infinity.
        hamming: The same with the plain distance.
        first_epoch: Accuracy on validation after the first epoch.
        accuracy: Accuracy on validation at the end.
        test: Accuracy on the test split at the end.
        spikes: Of a sample.
        parameters: Stored numbers.
    """

    number: int
    sparsity_aware: float | None
    hamming: float | None
    first_epoch: float
    accuracy: float
    test: float
    spikes: float
    parameters: float
    seconds: float


def scored(system: str, number: int, genes: Mapping[str, Any] | None = None) -> Scored:
    """Score and train a random member of a system's space, or the one that has these genes."""
    start = time.perf_counter()
    whole = study(system, *SMALL)
    rng = np.random.default_rng(abs(number))
    point = {path: gene.domain.sample(rng) for path, gene in whole.space.items()} | dict(genes or {})
    genome = whole.space.genome(point)
    first = measured(whole, genome, 1 / EPOCHS)
    last = measured(whole, genome, 1.0, first)
    found = {name: last.measurements[name].mean or 0.0 for name in ("accuracy", "spikes", "parameters")}
    return Scored(
        number,
        score(system, genome, "sparsity-aware"),
        score(system, genome, "hamming"),
        first.measurements["accuracy"].mean or 0.0,
        found["accuracy"],
        tested(whole, genome, last.weights, 0)["accuracy"],
        found["spikes"],
        found["parameters"],
        time.perf_counter() - start,
    )


def score(system: str, genome: Genome, distance: str) -> float | None:
    """Return the score of an untrained network, over two batches and two initialisations; None where not finite."""
    given = f'{{use="spike-pattern", distance="{distance}", batch=64, seeds=2, objective="accuracy"}}'
    whole: Specification = study(system, *SMALL, f"search.screening={given}")
    return measured(whole, genome, 0.0).measurements["spike-pattern"].mean


def rankings(rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield what the scores are worth: Kendall's tau with the trained accuracy, and its 95 % interval."""
    accuracy = np.array([row["accuracy"] for row in rows])

    def tau(name: str) -> tuple[float, float, float]:
        column = np.array([-math.inf if row[name] is None else row[name] for row in rows])
        return float(kendalltau(column, accuracy).statistic), *interval(column, accuracy)

    found = {name: tau(name.replace("-", "_")) for name in SCORES}
    rivals = {name: tau(name) for name in ("parameters", "first_epoch")}
    beside = "; ".join(f"{name.replace('_', ' ')} {value:.2f} ({low:.2f} to {high:.2f})"
                       for name, (value, low, high) in rivals.items())  # fmt: skip
    for name, published in SCORES.items():
        value, low, high = found[name]
        yield Finding(
            f"The {name} score of the untrained network ranks as training does: Kendall's tau {published} "
            "(published for CIFAR-100, as a third party has it)",
            f"tau {value:.2f} ({low:.2f} to {high:.2f}, 95 %), {len(rows)} networks; beside it {beside}",
            False if high < published else True if 0 < low <= published else None,
        )
    aware, plain = found["sparsity-aware"], found["hamming"]
    apart = max(aware[1], plain[1]) > min(aware[2], plain[2])
    yield Finding(
        "The sparsity-aware score ranks better than the plain Hamming distance",
        f"tau {aware[0]:.2f} against {plain[0]:.2f}, intervals {'apart' if apart else 'overlap'}",
        aware[0] > plain[0] if apart else None,
    )
