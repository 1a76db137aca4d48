"""How studies stand, in words and numbers: pure functions of what is recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from spikefront.checks import validated
from spikefront.measure.hypervolume import hypervolume
from spikefront.search.screening import Standing
from spikefront.settings import Budget
from spikefront.storage import Holder, StudyRow

STATES = ("running", "finished", "interrupted", "failed")
POINTS = 24
"""Points of a sparkline."""


def state(study: StudyRow, holder: Holder | None) -> str:
    """Return how a study stands; one that nobody searches any more is interrupted, whatever the record says."""
    gone = study.state == "running" and not (holder and holder.alive)
    return "interrupted" if gone else study.state


def total(study: StudyRow) -> int:
    """Return how many candidates a study's search asks for, its extension included."""
    search = json.loads(study.specification)["search"]
    own = {key: value for key, value in search.items() if key in Budget.model_fields}
    return validated(Budget, own, "search").extended(study.extension).total


def task(study: StudyRow) -> str:
    """Return the name of a study's task, or of those that it chooses between."""
    given: Any = json.loads(study.specification)["task"]
    use = given if isinstance(given, str) else given.get("use", "")
    return ", ".join(use["choice"]) if isinstance(use, Mapping) else str(use)


def growth(table: pd.DataFrame, study: StudyRow) -> list[float]:
    """Return the hypervolume after some of the generations, at most `POINTS`, the last one included.

    Args:
        table: From `spikefront.storage.frames.evaluations`.
        study: Its study; empty where its bounds are not known yet.
    """
    if not study.reference or table.empty:
        return []
    names = [objective.name for objective in study.objectives]
    signs = np.array([1.0 if objective.direction == "minimize" else -1.0 for objective in study.objectives])
    ideal, worst = (np.array([study.reference[name][end] for name in names]) * signs for end in (0, 1))
    losses = table[names].to_numpy(float) * signs
    usable = ~np.isnan(losses).any(1) & table["failure"].isna().to_numpy() & (table["budget"] > 0).to_numpy()
    generation = table["generation"].to_numpy()
    seen = np.unique(generation)
    chosen = seen[np.unique(np.linspace(0, len(seen) - 1, min(POINTS, len(seen))).round().astype(int))]
    return [hypervolume(losses[usable & (generation <= last)], ideal, worst) for last in chosen]


def standing_table(standings: Sequence[Standing]) -> pd.DataFrame:
    """Return a row for each generation, the last first, of how the score of a screening stood after it."""
    rows = [(generation, one.candidates, one.tau, one.error, one.on) for generation, one in enumerate(standings[1:])]
    columns = ["generation", "candidates", "Kendall tau", "mean absolute error", "followed"]
    return pd.DataFrame(rows[::-1], columns=columns).astype({"Kendall tau": float, "mean absolute error": float})


def overview(
    studies: Iterable[StudyRow],
    holder: Callable[[StudyRow], Holder | None],
    grown: Callable[[StudyRow], list[float]],
) -> pd.DataFrame:
    """Return a row for each study.

    Args:
        studies: In the order of the rows.
        holder: Gives who searches a study; asked of those only that say that they run.
        grown: Gives the points of a study's sparkline.
    """
    columns = ["study", "state", "hypervolume", "evaluations", "of", "failed", "objectives", "task", "started"]
    rows = [
        (
            row.name,
            state(row, holder(row) if row.state == "running" else None),
            grown(row),
            row.evaluations,
            total(row),
            row.failed,
            ", ".join(objective.name for objective in row.objectives),
            task(row),
            row.created_at,
        )
        for row in studies
    ]
    return pd.DataFrame(rows, columns=columns)


def filtered(table: pd.DataFrame, text: str, states: Sequence[str]) -> pd.DataFrame:
    """Return the rows in one of the states, all where none is given, in whose words each word of the text is."""
    if table.empty:
        return table
    words = table[["study", "state", "objectives", "task"]].agg(" ".join, axis=1).str.lower()
    kept = pd.Series(True, index=table.index)
    for word in text.lower().split():
        kept &= words.str.contains(word, regex=False)
    if states:
        kept &= table["state"].isin(states)
    return table[kept].reset_index(drop=True)
