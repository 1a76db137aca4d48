"""What leaves the storage: frozen values, independent of any database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from spikefront.components.algorithm import StudyObjective
from spikefront.genome import Genome
from spikefront.job import Failure, Measurement

State = Literal["running", "finished", "interrupted", "failed"]
"""How a study stands."""

Purpose = Literal["search", "rung", "retrain", "test"]
"""What an evaluation was made for; a "rung" is a part of the training of a candidate of a search."""

Role = Literal["objective", "regularised", "regulariser", "column"]
"""What a measured value is to the study; "regularised" is an objective's value as the search saw it."""


@dataclass(frozen=True)
class Provenance:
    """Which plugin gave a component.

    Attributes:
        kind: Kind of the component.
        name: Its name.
        plugin: The plugin.
        version: Version of the plugin's distribution; empty for a file.
        origin: Distribution or folder that the plugin is from, or "code".
        source: SHA-256 of the component's code, see `spikefront.source_hash`.
    """

    kind: str
    name: str
    plugin: str
    version: str
    origin: str = ""
    source: str = ""


@dataclass(frozen=True)
class Restart:
    """A search that went on with a fresh algorithm.

    Attributes:
        ask: Number of the first ask of the fresh algorithm.
        seed: The fresh algorithm's seed.
        reason: Why, in a sentence.
    """

    ask: int
    seed: int
    reason: str


@dataclass(frozen=True)
class StudyRow:
    """One study and how far it is.

    Attributes:
        specification: The study as canonical JSON.
        specification_hash: SHA-256 of what decides the outcome.
        created_at: When it was made, UTC.
        updated_at: When anything of it was last recorded, UTC.
        spikefront_version: The program that made it.
        reference: Ideal and reference point of the hypervolume by objective; None until they are known.
        plugins: Where its components came from.
        evaluations: Recorded evaluations of the search, failed and reused ones included.
        failed: How many of them failed.
        reused: How many of them were answered from the record without training.
        extension: A longer budget than the specification's, `{"generations": n}` or `{"evaluations": n}`; None without.
        restarts: Each time that it went on with a fresh algorithm, in order.
    """

    name: str
    specification: str
    specification_hash: str
    seed: int
    state: State
    created_at: datetime
    updated_at: datetime
    spikefront_version: str
    objectives: tuple[StudyObjective, ...]
    reference: Mapping[str, tuple[float, float]] | None
    plugins: tuple[Provenance, ...]
    evaluations: int
    failed: int
    reused: int
    extension: Mapping[str, int] | None = None
    restarts: tuple[Restart, ...] = ()


@dataclass(frozen=True)
class Holder:
    """The process that searches a study, or did so last.

    Attributes:
        host: Name of its machine.
        process: Its number there.
        since: When it began, UTC.
        heard: When it was last heard of, UTC.
        alive: Whether its lease is valid: nobody else may search.
    """

    host: str
    process: int
    since: datetime
    heard: datetime
    alive: bool


@dataclass(frozen=True)
class AskRow:
    """One genome that the algorithm asked for, and where it came from.

    Attributes:
        number: Place in the order asked, from 0.
        generation: Generation, from 0.
        genome_hash: The candidate.
        parents: Hashes of the genomes it was made from.
        operators: Names of the operators that made it.
        told: Number of the tell with which the algorithm heard of it, from 0; None as long as it has not.
    """

    number: int
    generation: int
    genome_hash: str
    parents: tuple[str, ...]
    operators: tuple[str, ...]
    told: int | None = None


@dataclass(frozen=True)
class AttemptRow:
    """One try that failed, and that may have been tried again.

    Attributes:
        number: The ask that was tried.
        genome_hash: The candidate.
        failure: What went wrong.
        worker: Host and process that tried.
        peak_memory: Largest resident size of the worker, in bytes.
        seconds: Time that it took.
        at: When it was recorded, UTC.
    """

    number: int
    genome_hash: str
    failure: Failure
    worker: str
    peak_memory: int
    seconds: float
    at: datetime


@dataclass(frozen=True)
class EvaluationRow:
    """One recorded evaluation, without what is large.

    Attributes:
        purpose: What it was made for.
        number: Place among the study's evaluations of this purpose, from 0; of a search, the candidate's ID.
        candidate: ID of the candidate; of a search, the same as `number`.
        ask: Number of the ask that it answers; None outside of a search.
        genome_json: The genome, arrays as marks with their shape; `queries.genomes` loads the arrays.
        replicates: Numbers of the replicates, in the order of the values of each measurement.
        budget: Share of the full training, in [0, 1].
        failure: Why there are no measurements, or None.
        reused: Whether it was answered from the record without training.
        samples: Training samples seen.
        seconds: Time that it took.
        peak_memory: Largest resident size of the worker, in bytes.
        has_weights: Whether `queries.weights` can give the trained tensors.
        measurements: Pure value of each fitness term, by name.
        roles: What each of these terms is to the study.
        regularised: Objectives' values as the search saw them, where a regulariser moved them.
    """

    purpose: Purpose
    number: int
    candidate: int
    ask: int | None
    generation: int
    genome_hash: str
    genome_json: str
    replicates: tuple[int, ...]
    budget: float
    failure: Failure | None
    reused: bool
    samples: int
    seconds: float
    peak_memory: int
    worker: str
    finished_at: datetime
    has_weights: bool
    measurements: Mapping[str, Measurement] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    regularised: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def genes(self) -> dict[str, Any]:
        """The genome's values by path; an array is a mark with its shape."""
        genes: dict[str, Any] = json.loads(self.genome_json)
        return genes

    def mean(self, term: str) -> float | None:
        """Return the mean of a fitness term, or None where it has no value."""
        return self.measurements[term].mean if term in self.measurements else None


@dataclass(frozen=True, kw_only=True)
class EvaluationDetail(EvaluationRow):
    """One recorded evaluation with all but its weights.

    Attributes:
        genome: The candidate, arrays included.
        history: Rows of training; a number that was not finite is None.
        recording: Operations and spikes by layer, as plain JSON.
    """

    genome: Genome
    history: tuple[dict[str, float | None], ...]
    recording: Mapping[str, Any]


@dataclass(frozen=True)
class Archive:
    """A study with all evaluations of its search.

    Attributes:
        study: The study.
        evaluations: All evaluations of the search, in the order of their numbers.
        genomes: The candidates, arrays included, by hash.
        origins: Hashes of the genomes that a candidate was made from, and names of the operators that made it, by the
            number of the ask.
        front: Numbers of the evaluations on the front.
    """

    study: StudyRow
    evaluations: tuple[EvaluationRow, ...]
    genomes: Mapping[str, Genome]
    origins: Mapping[int, tuple[tuple[str, ...], tuple[str, ...]]]
    front: frozenset[int]
