"""The genetic encoding against direct weights and against its rivals: same architecture, fewer stored parameters.

    python -m benchmarks.genetic                          tables from the stored runs
    python -m benchmarks.genetic --check                  and exits 1 unless the claim holds, see below
    python -m benchmarks.genetic --fresh                  a short version, run now, nothing stored
    python -m benchmarks.genetic --run [--minutes 60]     the runs that are not stored yet, appended as they end

An arm is a way to store the weights of an architecture, with the largest size (genes, rank, width) that keeps the
stored parameters within its share of the direct network's. Every arm has the same tuning: each of `RATES` once, judged
on the validation split. Final runs take the best rate and other seeds, and see the test split once, after training.

The claim holds on an architecture if the genetic encoding with at most half of the parameters has a mean test accuracy
not below the direct one's, and if with at most 30 % it is above every rival of that size. --check wants two such
architectures. Intervals are 95 %, of the difference of two means (Welch).
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from scipy.stats import ttest_ind

from spikefront.evaluate import evaluate, phenotype_of, streams_of
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.study import Study

RESULTS = Path(__file__).parent.parent / "studies" / "results" / "genetic.jsonl"
RATES = (2e-3, 5e-3, 1e-2)
TUNED_WITH, SEEDS = 100, (1, 2, 3, 4, 5)

FASHION = {
    "task": {"use": "fashion-mnist", "train": 55000, "validation": 5000},
    "neuron": {"use": "lif", "tau": 2.0, "v_threshold": 0.5},
    "coder": {"steps": 2},
    "trainer": {"epochs": 3, "precision": "bfloat16"},
}


def conv(*channels: int, pool_every: int = 1) -> Callable[[float], dict[str, Any]]:
    """Return a convolutional network, whose channels can be multiplied by a factor."""
    return lambda factor: {
        "use": "conv",
        "channels": [max(1, round(factor * width)) for width in channels],
        "pool_every": pool_every,
        "head": "average",
    }


@dataclass(frozen=True)
class Architecture:
    """A network that is encoded in several ways.

    Attributes:
        network: Section [network] for a factor on all widths.
        base: The other sections of the study.
    """

    network: Callable[[float], dict[str, Any]]
    base: dict[str, dict[str, Any]]


ARCHITECTURES = {
    "conv 16-32-64-64": Architecture(conv(16, 32, 64, 64), FASHION),
    "conv 32-64-128-128": Architecture(conv(32, 64, 128, 128), FASHION),
}

GENETIC = {"use": "genetic", "origin": "trained"}


@dataclass(frozen=True)
class Arm:
    """A way to store the weights.

    Attributes:
        share: Largest share of the direct network's parameters.
        encoding: Section [encoding] for a size; of arms that make the network narrower, "direct".
        largest: Largest size to try.
    """

    share: float
    encoding: Callable[[int], dict[str, Any]] = lambda size: {"use": "direct"}
    largest: int = 512


ARMS = {
    "direct": Arm(1.0),
    "genetic, half": Arm(0.5, lambda size: GENETIC | {"genes": size}),
    "genetic": Arm(0.3, lambda size: GENETIC | {"genes": size}),
    "genetic, fifth": Arm(0.2, lambda size: GENETIC | {"genes": size}),
    "narrower direct": Arm(0.3, largest=100),
    "low-rank": Arm(0.3, lambda size: {"use": "low-rank", "rank": size}),
    "random-basis": Arm(0.3, lambda size: {"use": "random-basis", "genes": size}),
    "own interactions": Arm(0.3, lambda size: GENETIC | {"genes": size, "parts": 100}),
}
HALF, LITTLE, RIVALS = "genetic, half", "genetic", ("narrower direct", "low-rank", "random-basis", "own interactions")


@dataclass(frozen=True)
class Task:
    """One training that is wanted: an arm of an architecture with a learning rate and a seed."""

    architecture: str
    arm: str
    rate: float
    seed: int


@dataclass(frozen=True)
class Run:
    """One training that was done.

    Attributes:
        size: Genes, rank, or width in percent.
        parameters: Stored numbers.
        validation: Accuracy on the validation split.
        test: Accuracy on the test split; None for runs that tune.
        energy: pJ a sample, by the objective `energy`.
        operations: Synaptic operations a sample.
        rate: Spikes of a neuron in a time step.
        loss: Mean training loss of the last epoch.
        seconds: Time that it took.
        versions: Of torch and Spikefront.
    """

    task: Task
    size: int
    parameters: int
    validation: float
    test: float | None
    energy: float
    operations: float
    rate: float
    loss: float
    seconds: float
    versions: dict[str, str]
