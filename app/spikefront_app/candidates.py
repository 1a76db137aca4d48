"""Tables of candidates: which are on the front, which are drawn, what differs between some of them. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from spikefront.components.algorithm import StudyObjective
from spikefront.storage.frames import FACTS

MOST_DOMINATED = 1500
"""Dominated candidates that a figure draws at most; more hide each other, and make it slow."""

_CELLS = 80


def measured(table: pd.DataFrame) -> list[str]:
    """Return the columns of a table of evaluations that are means of fitness terms, objectives first."""
    return [c for c in table.columns if c not in FACTS and not c.endswith(" s.e.") and table[c].notna().any()]


def as_of(table: pd.DataFrame, left_front: pd.Series[float], generation: int) -> pd.DataFrame:
    """Return the evaluations up to a generation, with the front as it was then.

    Args:
        table: From `spikefront.storage.frames.evaluations`.
        left_front: From `spikefront.storage.frames.left_front`.
        generation: The last generation that counts.
    """
    seen = table[table["generation"] <= generation]
    left = left_front.reindex(seen["id"]).to_numpy()
    return seen.assign(front=np.isnan(left) | (left > generation))


def drawable(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the candidates that can be drawn: trained, not failed, with a value in all columns."""
    return table[table["failure"].isna() & (table["budget"] > 0) & table[list(columns)].notna().all(axis=1)]


def rows_of(table: pd.DataFrame, numbers: Collection[int]) -> pd.DataFrame:
    """Return the rows of some candidates."""
    return table[table["id"].isin(list(numbers))]


def thinned(
    table: pd.DataFrame, columns: Sequence[str], selected: Collection[int] = (), most: int = MOST_DOMINATED
) -> pd.DataFrame:
    """Return the front, what is selected, and at most `most` of the others, spread over the plane where they lie.

    One of each cell of a grid stays, so that the outline does; of more cells than `most`, every n-th.
    """
    always = table["front"] | table["id"].isin(list(selected))
    rest = table[~always]
    if len(rest) <= most:
        return table
    values = rest[list(columns)].rank(pct=True).to_numpy()
    cells = pd.DataFrame(np.floor(values * (_CELLS - 1)).astype(int), index=rest.index)
    kept = cells.index[~cells.duplicated()]
    kept = kept[:: -(-len(kept) // most)]
    return table[always | table.index.isin(kept)]


def differences(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return a row for each column in which some candidates differ, and a column for each candidate.

    Args:
        rows: The candidates, with their number in "id".
        columns: Genes and measurements, in the order wanted.
    """
    values = rows.set_index("id")[list(columns)].astype(object)
    told = {name: [_plain(value) for value in values[name]] for name in columns}
    differing = [name for name, found in told.items() if any(value != found[0] for value in found[1:])]
    return pd.DataFrame([told[name] for name in differing], index=differing, columns=[str(n) for n in values.index])


def order(table: pd.DataFrame, objectives: Sequence[StudyObjective]) -> pd.DataFrame:
    """Return a table with the best in the first objective first."""
    first = objectives[0]
    return table.sort_values(first.name, ascending=first.direction == "minimize", kind="stable")


def counted(table: pd.DataFrame) -> str:
    """Return how many candidates are on the front, and how many there are that no figure shows."""
    failed, untrained = int(table["failure"].notna().sum()), int((table["budget"] == 0).sum())
    parts = [f"{failed} failed"] if failed else []
    parts += [f"{untrained} left untrained"] if untrained else []
    return f"{int(table['front'].sum())} of {len(table)} candidates are on the front" + (
        f" ({', '.join(parts)}, not drawn)" if parts else ""
    )


def number_text(value: float) -> str:
    """Return a number as people write it: four digits, or all before the point where these are more."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:,.4g}"


def _plain(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "-"
    return number_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
