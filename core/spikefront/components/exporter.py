"""Contract of exporters: take a network, or a study, somewhere else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from spikefront.components.base import Component
from spikefront.genome import Genome


@dataclass(frozen=True)
class Candidate:
    """One evaluated candidate of a study, with its trained phenotype.

    Attributes:
        study: Name of the study.
        evaluation: Its number in the study.
        resolved: The study with this candidate's values in place of every domain, as plain JSON.
        genome: The candidate.
        measurements: Mean of each fitness term, by name.
        weights: The trained tensors as safetensors.
    """

    study: str
    evaluation: int
    resolved: Mapping[str, Any]
    genome: Genome
    measurements: Mapping[str, float | None]
    weights: bytes


class Exporter(Component, ABC):
    """A format that a candidate can be taken home in."""

    kind: ClassVar[str] = "exporter"

    @abstractmethod
    def export(self, candidate: Candidate, folder: Path) -> list[Path]:
        """Write the candidate below an existing, empty `folder` and return the files written."""
