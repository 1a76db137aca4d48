"""Contracts of exporters: take a candidate's network, or a whole study, somewhere else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from spikefront.components.base import Component
from spikefront.components.record import StudyRecord
from spikefront.components.task import Task
from spikefront.genome import Genome


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
