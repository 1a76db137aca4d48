"""Contracts of exporters: take a candidate's network, or a whole study, somewhere else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from spikefront.components.algorithm import StudyObjective
from spikefront.components.base import Component
from spikefront.components.task import Task
from spikefront.genome import Genome
from spikefront.job import Failure, Measurement
from spikefront.space import Space


@dataclass(frozen=True)
class Candidate:
    """One evaluated candidate of a study, with its trained phenotype; `spikefront.exported.candidate_of` makes it.

    Attributes:
        study: Name of the study.
        evaluation: Its number in the study.
        resolved: The study with this candidate's values in place of every domain, as plain JSON.
        genome: The candidate.
        measurements: Mean of each fitness term, by name.
        weights: The trained tensors as safetensors.
        task: What it was trained for.
        phenotype: Builds the trained phenotype, mostly a `SpikingNetwork`, in evaluation mode; a new one in each call.
    """

    study: str
    evaluation: int
    resolved: Mapping[str, Any]
    genome: Genome
    measurements: Mapping[str, float | None]
    weights: bytes
    task: Task
    phenotype: Callable[[], Any] = field(repr=False, compare=False)


@dataclass(frozen=True)
class EvaluationRecord:
    """One evaluation of a search.

    Attributes:
        number: Its place in the study, from 0: the candidate's ID.
        generation: Generation, from 0.
        genome: The candidate, arrays included.
        measurements: Fitness terms by name, with a value for each replicate, mean and standard error.
        failure: Why there are no measurements, or None.
        on_front: Whether no other evaluation dominates it.
        parents: Hashes of the genomes that it was made from.
        budget: Share of the full training, in [0, 1]; at 0 it was left untrained.
        reused: Whether it was answered from the record without training.
        seconds: Time that it took.
        finished_at: When it was recorded, UTC.
    """

    number: int
    generation: int
    genome: Genome
    measurements: Mapping[str, Measurement]
    failure: Failure | None
    on_front: bool
    parents: tuple[str, ...]
    budget: float
    reused: bool
    seconds: float
    finished_at: datetime

    def mean(self, term: str) -> float | None:
        """Return the mean of a fitness term, or None where it has no value."""
        return self.measurements[term].mean if term in self.measurements else None


@dataclass(frozen=True)
class StudyRecord:
    """A whole study as plain values, read at one moment.

    Attributes:
        name: Name of the study.
        document: The study file as plain JSON.
        objectives: What was searched for, in order, with direction and unit.
        space: The searched parameters.
        evaluations: All evaluations of the search, failed ones included, in the order of their numbers.
    """

    name: str
    document: Mapping[str, Any]
    objectives: tuple[StudyObjective, ...]
    space: Space
    evaluations: tuple[EvaluationRecord, ...]

    def terms(self) -> list[str]:
        """Return the names of all that was measured: the objectives first, the others in alphabetical order."""
        objectives = [objective.name for objective in self.objectives]
        found = {name for row in self.evaluations for name in row.measurements}
        return [*objectives, *sorted(found.difference(objectives))]


class Exporter(Component, ABC):
    """A format to take something home in: a `CandidateExporter` or a `StudyExporter`.

    What an exporter writes appears whole or not at all: the folder that it gets is a temporary one, which is renamed
    when `export` has returned. An error that it raises leaves nothing behind.
    """

    kind: ClassVar[str] = "exporter"


class CandidateExporter(Exporter, ABC):
    """A format for one candidate."""

    @abstractmethod
    def export(self, candidate: Candidate, folder: Path) -> list[Path]:
        """Write the candidate below an existing, empty `folder` and return the files written.

        Raises:
            InputError: This format cannot hold the candidate; the message says what of it.
        """


class StudyExporter(Exporter, ABC):
    """A format for a whole study."""

    @abstractmethod
    def export(self, study: StudyRecord, folder: Path) -> list[Path]:
        """Write the study below an existing, empty `folder` and return the files written.

        Raises:
            InputError: This format cannot hold the study; the message says what of it.
        """
