"""How a search went, as tables: indicators of the front over evaluations, time and cost. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from spikefront.measure.course import front_course
from spikefront.storage import StudyObjective
from spikefront_app.candidates import number_text

Box = Mapping[str, tuple[float, float]]
"""Ideal and reference value of each objective, in its own unit."""

AXES = ("evaluations", "time", "training samples", "training time")
HYPERVOLUME, EPSILON, IGD, SIZE, BEST = "hypervolume", "additive epsilon", "IGD+", "candidates on the front", "best "

MEANINGS = {
    HYPERVOLUME: "Share of the box between ideal and reference that the front dominates: higher is better, 1 is all.",
    EPSILON: "How far, in lengths of the box, the front has to be shifted to be nowhere worse than the last front: "
    "lower is better, and the end is 0.",
    IGD: "Mean distance, in lengths of the box, by which the front falls short of each point of the last front: "
    "lower is better, and the end is 0.",
    SIZE: "Candidates that no other dominates by then; it may fall when one of them beats several.",
}
_BOXED = (HYPERVOLUME, EPSILON, IGD)


def indicators(objectives: Sequence[StudyObjective]) -> list[str]:
    """Return the names of the indicators of a study."""
    return [HYPERVOLUME, *(f"{BEST}{objective.name}" for objective in objectives), SIZE, EPSILON, IGD]


def needs_box(indicator: str) -> bool:
    """Tell whether an indicator is known only with ideal and reference point."""
    return indicator in _BOXED


def unit_of(indicator: str, objectives: Sequence[StudyObjective]) -> str:
    """Return an indicator's unit; "1" is none."""
    units = {HYPERVOLUME: "share of the box", EPSILON: "lengths of the box", IGD: "lengths of the box"}
    return next((o.unit for o in objectives if indicator == BEST + o.name), units.get(indicator, "1"))


def meaning_of(indicator: str, objectives: Sequence[StudyObjective]) -> str:
    """Return a sentence that says how to read an indicator."""
    for objective in objectives:
        if indicator == BEST + objective.name:
            better = "lower" if objective.direction == "minimize" else "higher"
            return f"Best {objective.name} of any candidate by then: {better} is better."
    return MEANINGS[indicator]


def losses_of(table: pd.DataFrame, objectives: Sequence[StudyObjective]) -> npt.NDArray[np.float64]:
    """Return the objectives of all evaluations as losses (n, m); NaN where a candidate cannot be on a front.

    That is where it failed, was left untrained, or repeats a candidate that was there before.
    """
    names, losses = [objective.name for objective in objectives], front_losses(table, objectives)
    unusable = table["failure"].notna() | (table["budget"] <= 0) | (table["reused"] & table.duplicated(names))
    losses[unusable.to_numpy()] = np.nan
    losses[np.isnan(losses).any(1)] = np.nan
    return losses


def front_losses(table: pd.DataFrame, objectives: Sequence[StudyObjective]) -> npt.NDArray[np.float64]:
    """Return the columns of some objectives as losses (n, m), whatever the candidates are."""
    signs = np.array([1.0 if objective.direction == "minimize" else -1.0 for objective in objectives])
    values = table[[objective.name for objective in objectives]].to_numpy(dtype=np.float64)
    return np.asarray(values * signs, dtype=np.float64)


def corners(objectives: Sequence[StudyObjective], box: Box) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return ideal and reference point of a box as losses (m,) each."""
    ends = [[o.loss(box[o.name][end]) for o in objectives] for end in (0, 1)]
    return np.array(ends[0]), np.array(ends[1])


def in_words(box: Box, objectives: Sequence[StudyObjective]) -> str:
    """Return a box as words: each objective from its ideal to its reference value."""
    return ", ".join(
        f"{o.name} from {number_text(box[o.name][0])} to {number_text(box[o.name][1])}" for o in objectives
    )


def course_table(
    table: pd.DataFrame, objectives: Sequence[StudyObjective], indicator: str, began: datetime, box: Box | None = None
) -> pd.DataFrame:
    """Return an indicator at no more than 200 steps of a search: a column for each of `AXES`, then "value".

    "time" and "training time" are in seconds. Evaluations count in the order in which they were recorded.

    Args:
        table: From `read_evaluations`.
        objectives: Those that the front is taken over.
        indicator: One of `indicators`.
        began: When the study was made.
        box: Needed where `needs_box` says so.
    """
    ordered = table.sort_values("finished_at", kind="stable")
    course = front_course(losses_of(ordered, objectives))
    columns = {name: values[course.seen - 1] for name, values in _axes(ordered, began).items()}
    best = {BEST + objective.name: n for n, objective in enumerate(objectives)}
    if indicator in best:
        value = course.best(best[indicator])
        value = value if objectives[best[indicator]].direction == "minimize" else -value
    elif indicator == SIZE:
        value = course.sizes()
    else:
        ideal, reference = corners(objectives, box or {})
        measures = {HYPERVOLUME: course.hypervolumes, EPSILON: course.epsilons, IGD: course.igd_plus}
        value = measures[indicator](ideal, reference)
    return pd.DataFrame({**columns, "value": value})


def _axes(ordered: pd.DataFrame, began: datetime) -> dict[str, npt.NDArray[np.float64]]:
    trained = (~ordered["reused"]).astype(float)
    since = (ordered["finished_at"] - pd.Timestamp(began)).dt.total_seconds() if len(ordered) else trained
    return {
        "evaluations": np.arange(1.0, len(ordered) + 1),
        "time": since.clip(lower=0).to_numpy(dtype=np.float64),
        "training samples": (ordered["samples"] * trained).cumsum().to_numpy(dtype=np.float64),
        "training time": (ordered["seconds"] * trained).cumsum().to_numpy(dtype=np.float64),
    }


def readable(axis: str, greatest: float) -> tuple[float, str]:
    """Return what an axis is divided by, and its title with the unit: times in the unit that suits the greatest."""
    what = {
        "evaluations": "evaluations recorded",
        "time": "time since the study was made",
        "training samples": "training samples seen by all candidates",
        "training time": "training time of all workers together",
    }[axis]
    if axis not in {"time", "training time"}:
        return 1.0, what
    units = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"))
    divisor, unit = next(((size, name) for size, name in units if greatest >= 2 * size), (1.0, "s"))
    return divisor, f"{what} [{unit}]"
