"""Read-only tables of studies and evaluations, as the pages and figures use them."""

from __future__ import annotations

import os
from typing import Any

import pandas as pd

from spikefront.storage import DEFAULT_DATABASE, Database, EvaluationRow, StudyRow, queries

DATABASE_VARIABLE = "SPIKEFRONT_DB"


def database_url() -> str:
    """Return the database that the app shows."""
    return os.environ.get(DATABASE_VARIABLE, DEFAULT_DATABASE)


def read_studies() -> list[StudyRow]:
    """Return all studies, the newest first."""
    with Database.read_only(database_url()) as database:
        return sorted(queries.studies(database), key=lambda row: row.created_at, reverse=True)


def read_evaluations(study: StudyRow) -> pd.DataFrame:
    """Return a row for each successful evaluation of a search.

    Columns: id, generation, front (bool), one for each measurement and one for each gene that is no array.
    """
    with Database.read_only(database_url()) as database:
        front = {row.number for row in queries.front(database, study.name)}
        rows = [_flat(row, row.number in front) for row in queries.evaluations(database, study.name) if not row.failure]
    return pd.DataFrame(rows)


def gene_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns that are genes: their names are paths."""
    return [column for column in table.columns if "." in column]


def _flat(row: EvaluationRow, front: bool) -> dict[str, Any]:
    genes = {path: _label(value) for path, value in row.genes.items() if not isinstance(value, dict)}
    means = {name: row.mean(name) for name in row.measurements}
    return {"id": row.number, "generation": row.generation, "front": front, **means, **genes}


def _label(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value
