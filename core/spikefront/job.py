"""What goes into an evaluation and what comes out of it: plain values that travel between processes."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from spikefront.genome import Genome

FailureKind = Literal["exception", "not-finite", "out-of-memory", "time-out", "worker-died", "plugin"]


@dataclass(frozen=True)
class Job:
    """One genome to train and measure.

    Attributes:
        study: The study as JSON.
        genome: The candidate.
        replicates: Numbers of the replicates; each gives its own seeds.
        purpose: "search", or "retrain" for other seeds than any search uses.
        budget: Share of the full training, in [0, 1]; at 0 it is not trained; at that of screening it is probed.
        elites: Best genome of the generation before for each objective that a regulariser acts on.
        threads: torch threads of the process that evaluates.
        checkpoint: Where training with a smaller budget stopped, as safetensors; empty at the beginning.
        parent: A parent's trained tensors, as safetensors, that training begins with; empty where none are inherited.
    """

    study: str
    genome: Genome
    replicates: tuple[int, ...] = (0,)
    purpose: Literal["search", "retrain"] = "search"
    budget: float = 1.0
    elites: Mapping[str, Genome] = field(default_factory=dict)
    threads: int = 1
    checkpoint: bytes = b""
    parent: bytes = b""


@dataclass(frozen=True)
class Measurement:
    """One fitness term of one evaluation: a value for each replicate; None where the term meant nothing."""

    values: tuple[float | None, ...]

    @property
    def mean(self) -> float | None:
        """Mean over the replicates that have a value."""
        known = [value for value in self.values if value is not None]
        return statistics.fmean(known) if known else None

    @property
    def standard_error(self) -> float | None:
        """Standard error of the mean; None with fewer than two values."""
        known = [value for value in self.values if value is not None]
        return statistics.stdev(known) / math.sqrt(len(known)) if len(known) > 1 else None


@dataclass(frozen=True)
class Failure:
    """Why an evaluation gave nothing."""

    kind: FailureKind
    message: str
    traceback: str = ""


@dataclass(frozen=True)
class Evaluation:
    """One genome, trained and measured once. Immutable once recorded.

    Attributes:
        genome: The candidate.
        measurements: Fitness terms by name: objectives, columns and regularisers, unweighted.
        failure: Why there are no measurements, or None.
        history: Rows of training, each with the number of its replicate.
        recording: Operations and spikes by layer, of the first replicate, as plain JSON.
        samples: Training samples seen.
        seconds: Time that the evaluation took.
        peak_memory: Largest resident size of the worker so far, in bytes.
        worker: Host and process that did it.
        weights: The first replicate's trained tensors as safetensors; empty where there are none.
        checkpoint: Where training may go on, for all replicates, as safetensors; empty where the budget was whole.
    """

    genome: Genome
    measurements: Mapping[str, Measurement] = field(default_factory=dict)
    failure: Failure | None = None
    history: tuple[dict[str, float], ...] = ()
    recording: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 0
    seconds: float = 0.0
    peak_memory: int = 0
    worker: str = ""
    weights: bytes = b""
    checkpoint: bytes = b""

    def after(self, earlier: Evaluation) -> Evaluation:
        """Return this evaluation as the continuation of an earlier one: history and costs are those of both."""
        return dataclasses.replace(
            self,
            history=(*earlier.history, *self.history),
            samples=earlier.samples + self.samples,
            seconds=earlier.seconds + self.seconds,
        )
