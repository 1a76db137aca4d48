"""Exporter `csv`: a whole study as one table."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from spikefront import StudyExporter, hookimpl
from spikefront.components import EvaluationRecord, StudyRecord
from spikefront.genome import Value

TABLE = "evaluations.csv"


class Table(StudyExporter):
    """`evaluations.csv`, with a row for each evaluation of the search, failed ones included.

    Columns, as in `spikefront front --format csv`: id and what is recorded of it; objectives.NAME, measurements.NAME,
    standard_errors.NAME; genome.PATH for each gene. What an evaluation does not have (the objectives of a failed one,
    genes of a component that was not chosen) is left empty. Numbers have all their digits, lists are JSON, moments
    are ISO 8601 in UTC, and of an array its shape is told. Text is UTF-8, lines and quotes are those of RFC 4180.
    """

    name: ClassVar[str] = "csv"

    def export(self, study: StudyRecord, folder: Path) -> list[Path]:
        rows = [_row(study, row) for row in study.evaluations]
        columns = list(_columns(study))
        with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return [folder / TABLE]


def _columns(study: StudyRecord) -> list[str]:
    """Return all columns, those of inactive genes and of terms that only some evaluations have included."""
    about = [
        "id",
        "generation",
        "genome_hash",
        "parents",
        "operators",
        "on_front",
        "failure",
        "budget",
        "reused",
        "seconds",
        "finished_at",
    ]
    objectives = [objective.name for objective in study.objectives]
    others = study.terms()[len(objectives) :]
    return [
        *about,
        *(f"objectives.{name}" for name in objectives),
        *(f"measurements.{name}" for name in others),
        *(f"standard_errors.{name}" for name in study.terms()),
        *(f"genome.{path}" for path in study.space),
    ]


def _row(study: StudyRecord, row: EvaluationRecord) -> dict[str, Any]:
    objectives = {objective.name for objective in study.objectives}
    cells: dict[str, Any] = {
        "id": row.number,
        "generation": row.generation,
        "genome_hash": row.genome.hash,
        "parents": " ".join(row.parents),
        "operators": " ".join(row.operators),
        "on_front": row.on_front,
        "failure": row.failure.kind if row.failure else "",
        "budget": row.budget,
        "reused": row.reused,
        "seconds": row.seconds,
        "finished_at": row.finished_at.isoformat(),
    }
    for name, measurement in row.measurements.items():
        cells[f"{'objectives' if name in objectives else 'measurements'}.{name}"] = measurement.mean
        cells[f"standard_errors.{name}"] = measurement.standard_error
    return cells | {f"genome.{path}": _cell(value) for path, value in row.genome.items()}


def _cell(value: Value) -> Any:
    match value:
        case np.ndarray():
            return f"array {' x '.join(map(str, value.shape))}"
        case list() | dict() | None:
            return json.dumps(value)
    return value


@hookimpl
def spikefront_exporters() -> list[type[StudyExporter]]:
    """Return the table."""
    return [Table]
