"""A study's record as a table: what analyses, the Python API and the app look at."""

from __future__ import annotations

from typing import Any

import pandas as pd

from spikefront.storage import Database, EvaluationRow, Purpose, queries


def evaluations_table(database: Database, study: str, purpose: Purpose = "search") -> pd.DataFrame:
    """Return a row for each evaluation, in the order of their numbers.

    Columns: "id", "generation", "failure" (kind, or None), "front" (bool), then the mean of each objective and of each
    other measurement by its name, with " s.e." behind it the standard error where there are replicates, then each gene
    that is no array by its path.

    Raises:
        StorageError: There is no such study.
    """
    row = queries.study(database, study)
    front = {one.number for one in queries.front(database, study)} if purpose == "search" else set()
    rows = queries.evaluations(database, study, purpose)
    objectives = [objective.name for objective in row.objectives]
    others = dict.fromkeys(name for one in rows for name in one.measurements if name not in objectives)
    genes = dict.fromkeys(path for one in rows for path, value in one.genes.items() if not isinstance(value, dict))
    lines = [_line(one, [*objectives, *others]) for one in rows]
    facts = {
        "id": [one.candidate for one in rows],
        "generation": [one.generation for one in rows],
        "failure": [one.failure.kind if one.failure else None for one in rows],
        "front": [one.number in front for one in rows],
    }
    columns = list(dict.fromkeys(name for line in lines for name in line))
    measured = pd.DataFrame(lines, columns=sorted(columns, key=_order([*objectives, *others])), dtype=float)
    values = [{path: one.genes.get(path) for path in genes} for one in rows]
    return pd.concat([pd.DataFrame(facts), measured, pd.DataFrame(values, columns=list(genes))], axis=1)


def _line(row: EvaluationRow, names: list[str]) -> dict[str, Any]:
    line: dict[str, Any] = {}
    for name in names:
        line[name] = row.mean(name)
        if name in row.measurements and row.measurements[name].standard_error is not None:
            line[f"{name} s.e."] = row.measurements[name].standard_error
    return line


def _order(names: list[str]) -> Any:
    order = {name: number for number, name in enumerate(names)}
    return lambda column: (order[column.removesuffix(" s.e.")], column)
