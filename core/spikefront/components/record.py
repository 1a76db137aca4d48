"""A recorded study as plain values: what analyses and exporters look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from spikefront.components.algorithm import StudyObjective
from spikefront.genome import Genome
from spikefront.job import Failure, Measurement
from spikefront.space import Space, Tensor

if TYPE_CHECKING:
    import pandas as pd  # slow to import, and every worker imports the contracts


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
        operators: Names of the operators that made it.
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
    operators: tuple[str, ...]
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
        reference: Ideal and reference value of each objective, the bounds of the hypervolume; empty until something
            was evaluated.
        space: The searched parameters.
        evaluations: All evaluations of the search, failed ones included, in the order of their numbers.
    """

    name: str
    document: Mapping[str, Any]
    objectives: tuple[StudyObjective, ...]
    reference: Mapping[str, tuple[float, float]]
    space: Space
    evaluations: tuple[EvaluationRecord, ...]

    def terms(self) -> list[str]:
        """Return the names of all that was measured: the objectives first, the others in alphabetical order."""
        objectives = [objective.name for objective in self.objectives]
        found = {name for row in self.evaluations for name in row.measurements}
        return [*objectives, *sorted(found.difference(objectives))]

    def table(self) -> pd.DataFrame:
        """Return a row for each evaluation, in the order of their numbers.

        Columns: "id", "generation", "failure" (kind, or None), "front" (bool), then the mean of each measurement by its
        name, objectives first, with " s.e." behind it the standard error where there are replicates, then each gene
        that is no array by its path.
        """
        import pandas as pd

        facts = {
            "id": [row.number for row in self.evaluations],
            "generation": [row.generation for row in self.evaluations],
            "failure": [row.failure.kind if row.failure else None for row in self.evaluations],
            "front": [row.on_front for row in self.evaluations],
        }
        measured: dict[str, list[float | None]] = {}
        for term in self.terms():
            found = [row.measurements.get(term) for row in self.evaluations]
            measured[term] = [one.mean if one else None for one in found]
            errors = [one.standard_error if one else None for one in found]
            if any(error is not None for error in errors):
                measured[f"{term} s.e."] = errors
        genes = {
            path: [row.genome.get(path) for row in self.evaluations]
            for path, gene in self.space.items()
            if not isinstance(gene.domain, Tensor)
        }
        return pd.concat([pd.DataFrame(facts), pd.DataFrame(measured, dtype=float), pd.DataFrame(genes)], axis=1)
