"""Candidates grouped by the column that colours them: one scale for many numbers, else a colour and symbol each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from spikefront_app.theme import COLOURS, SYMBOLS

SYMBOLS_3D = ("circle", "diamond", "square", "cross", "x", "circle-open", "diamond-open")
"""Those that a figure in space knows."""

NONE = "-"
"""The group of those that do not have the gene."""

OTHERS = "others"


@dataclass(frozen=True)
class Group:
    """Candidates that look alike.

    Attributes:
        name: Name in the legend.
        rows: The candidates.
        colour: Their colour.
        symbol: Their symbol.
        scale: Column of a colour scale, in place of the one colour.
    """

    name: str
    rows: pd.DataFrame
    colour: str = COLOURS[0]
    symbol: str = SYMBOLS[0]
    scale: str | None = None


def is_scale(values: pd.Series[Any]) -> bool:
    """Tell whether values are numbers, and so many that they need a colour scale."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return bool(numeric and values.nunique() > len(COLOURS))


def groups_of(front: pd.DataFrame, column: str, flat: bool = True) -> list[Group]:
    """Return the groups of a front by the values of a column, those without a value last.

    Of more kinds than there are colours, the most frequent have their own, and the rest share one.
    """
    symbols = SYMBOLS if flat else SYMBOLS_3D
    values = front[column]
    if is_scale(values):
        given = Group("front", front[values.notna()], scale=column)
        missing = front[values.isna()]
        return [given, Group(f"front, {NONE}", missing, COLOURS[-1], "circle-open")] if len(missing) else [given]
    names = values.map(lambda value: NONE if pd.isna(value) else f"{value:g}" if _is_number(value) else str(value))
    if names.nunique() > len(COLOURS):
        frequent = names.value_counts().index[: len(COLOURS) - 1]
        names = names.where(names.isin(frequent), OTHERS)
    found = list(dict.fromkeys(names[values.sort_values(key=_sortable).index]))
    ordered = [name for name in found if name not in {NONE, OTHERS}] + [n for n in (OTHERS, NONE) if n in found]
    return [
        Group(f"front, {name}", front[names == name], COLOURS[n % len(COLOURS)], symbols[n % len(symbols)])
        for n, name in enumerate(ordered)
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sortable(values: pd.Series[Any]) -> pd.Series[Any]:
    return values if pd.api.types.is_numeric_dtype(values) else values.astype(str)
