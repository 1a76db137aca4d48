"""Recorded studies for tests of analyses and exporters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from spikefront.components import Direction, EvaluationRecord, StudyObjective, StudyRecord
from spikefront.genome import Genome
from spikefront.job import Failure, Measurement
from spikefront.space import Gene, Integer, Real, Space

START = datetime(2026, 1, 1, tzinfo=UTC)


def study_record(
    rows: Sequence[Mapping[str, Any]], objectives: Mapping[str, Direction], space: Space | None = None
) -> StudyRecord:
    """Return the record of a study, from a row for each evaluation, for tests with numbers of their own.

    Args:
        rows: "generation", then measurements by name and genes by path, those with a dot. None for an objective stands
            for a candidate that failed.
        objectives: Objective -> direction.
        space: The searched parameters; by default numbers between the smallest and the largest of the rows.
    """
    losses = [[row[name] for name in objectives] for row in rows]
    whole = [one for one in losses if None not in one]
    front = [
        None not in one and not any(_dominates(other, one, list(objectives.values())) for other in whole)
        for one in losses
    ]
    return StudyRecord(
        name="recorded",
        document={"study": {"name": "recorded", "objectives": list(objectives)}},
        objectives=tuple(StudyObjective(name, direction) for name, direction in objectives.items()),
        reference=_reference(whole, objectives),
        space=space or _space(rows),
        evaluations=tuple(_evaluation(n, row, objectives, front[n]) for n, row in enumerate(rows)),
    )


def _evaluation(
    number: int, row: Mapping[str, Any], objectives: Mapping[str, Direction], front: bool
) -> EvaluationRecord:
    failed = any(row[name] is None for name in objectives)
    measured = {name: value for name, value in row.items() if "." not in name and name != "generation"}
    return EvaluationRecord(
        number=number,
        generation=row["generation"],
        genome=Genome({path: value for path, value in row.items() if "." in path}),
        measurements={} if failed else {name: Measurement((value,)) for name, value in measured.items()},
        failure=Failure("time-out", "it took longer than 1 s") if failed else None,
        on_front=front,
        parents=(),
        operators=(),
        budget=1.0,
        reused=False,
        seconds=1.0,
        finished_at=START + timedelta(seconds=number),
    )


def _dominates(a: list[float], b: list[float], directions: list[Direction]) -> bool:
    signs = [1.0 if direction == "minimize" else -1.0 for direction in directions]
    pairs = [(x * sign, y * sign) for x, y, sign in zip(a, b, signs, strict=True)]
    return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)


def _reference(whole: list[list[float]], objectives: Mapping[str, Direction]) -> dict[str, tuple[float, float]]:
    """Return the best and the worst value of each objective, worst by a tenth of their distance."""
    found = {}
    for n, (name, direction) in enumerate(objectives.items() if whole else ()):
        low, high = min(one[n] for one in whole), max(one[n] for one in whole)
        margin = 0.1 * (high - low) or 1.0
        found[name] = (low, high + margin) if direction == "minimize" else (high, low - margin)
    return found


def _space(rows: Sequence[Mapping[str, Any]]) -> Space:
    values = {path: [row[path] for row in rows] for path in (rows[0] if rows else ()) if "." in path}
    return Space(
        {
            path: Gene(
                Integer(min(found), max(found))
                if all(isinstance(value, int) for value in found)
                else Real(float(min(found)), float(max(found)))
            )
            for path, found in values.items()
        }
    )
