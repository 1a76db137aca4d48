"""The selected candidates: one list in the address, which every figure and table shows and may change."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from spikefront.storage import StudyRow

KEY = "selected"
"""Key of the address: numbers with commas between."""

_LAST, _SOURCE, _MOVES = "selection last", "selection source", "selection moves"
_TABLE = "rows"
_KEPT = "selection kept in the table"


def choose_selected(study: StudyRow, known: Collection[int]) -> list[int]:
    """Return the selected candidates, which may be typed as well; what is unknown is told and left out.

    Another study starts with none selected, unless the address names some.
    """
    last: tuple[str, str] | None = st.session_state.get(_LAST)
    if last is not None and last[0] != study.name and st.session_state.get(KEY) == last[1]:
        select([])
    text = st.text_input(
        "Selected candidates",
        key=KEY,
        bind="query-params",
        placeholder="3, 5",
        on_change=functools.partial(_moved, ""),
        help="Click, box or lasso in a figure, tick rows, or type numbers.",
    )
    st.session_state[_LAST] = (study.name, str(text or ""))
    numbers, unknown = parsed(str(text or ""), known)
    if unknown:
        st.warning(f"'{study.name}' has no candidate '{unknown[0]}'. Give numbers with commas between.")
    return numbers


def parsed(text: str, known: Collection[int]) -> tuple[list[int], list[str]]:
    """Return the known candidates of a list with commas, each once, and what of it is none."""
    words = dict.fromkeys(word for word in text.replace(",", " ").split() if word)
    numbers = [int(word) for word in words if word.isdecimal() and int(word) in known]
    return list(dict.fromkeys(numbers)), [w for w in words if not (w.isdecimal() and int(w) in known)]


def select(numbers: Sequence[int], source: str = "") -> None:
    """Select exactly these candidates; for callbacks, since the list itself stands in a widget."""
    st.session_state[KEY] = ",".join(map(str, sorted(numbers)))
    _moved(source)


def linked_chart(source: str, draw: Callable[[Sequence[int]], go.Figure], selected: Sequence[int], alt: str) -> None:
    """Show a figure in which candidates can be selected by click, box and lasso.

    A click selects unless the figure's `dragmode` is "select" or "lasso", where Streamlit leaves it to the drag.

    Streamlit makes a new figure, without the zoom, whenever anything in it changes. So what was selected in the figure
    itself is left as the browser shows it, and marked only when it came from elsewhere.

    Args:
        source: Name of the figure, unlike any other's.
        draw: Makes the figure with some candidates marked.
        selected: The selected candidates.
        alt: What a screen reader tells.
    """
    key, memory = f"chart {source}", f"drawn {source}"
    layout = {"meta": _moves_elsewhere(source)}
    plain = draw(()).update_layout(layout)
    print_ = hash(plain.to_json())
    own = st.session_state.get(_SOURCE) == source and st.session_state.get(memory) == print_
    figure = plain if own or not selected else draw(selected).update_layout(layout)
    st.session_state[memory] = print_ if figure is plain else None
    st.plotly_chart(
        figure,
        width="stretch",
        key=key,
        on_select=functools.partial(_charted, source, key),
        config={"displaylogo": False, "responsive": True},
        alt=alt,
    )


def selected_elsewhere(selected: Sequence[int]) -> list[int]:
    """Return what was last selected elsewhere than in the table, for the table to show; ticks there hide no row.

    Args:
        selected: The selected candidates.
    """
    if st.session_state.get(_SOURCE) != _TABLE:
        st.session_state[_KEPT] = list(selected)
    kept: list[int] = st.session_state.get(_KEPT, [])
    return kept


def linked_table(rows: pd.DataFrame, selected: Sequence[int], **arguments: Any) -> None:
    """Show candidates as a table in which rows can be ticked; "id" has their numbers."""
    ids = rows["id"].tolist()
    key = f"{_TABLE} {hash(tuple(ids))} {_moves_elsewhere(_TABLE)}"
    places = [place for place, number in enumerate(ids) if number in set(selected)]
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        key=key,
        on_select=functools.partial(_ticked, key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": places, "columns": [], "cells": []}},
        placeholder="-",
        **arguments,
    )


def numbers_of(event: Mapping[str, Any] | None) -> list[int]:
    """Return the candidates of a figure's selection: by their `customdata`, since points are split into traces."""
    points = (event or {}).get("selection", {}).get("points", [])
    found = set()
    for point in points:
        data = point.get("customdata")
        first = (
            data[0] if isinstance(data, list | tuple) and data else data.get("0") if isinstance(data, dict) else data
        )
        if first is not None:
            found.add(int(first))
    return sorted(found)


def _charted(source: str, key: str) -> None:
    select(numbers_of(st.session_state.get(key)), source)


def _ticked(key: str, ids: Sequence[int]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    select([ids[row] for row in rows if row < len(ids)], _TABLE)


def _moved(source: str) -> None:
    """Remember what changed the selection."""
    st.session_state[_SOURCE] = source
    moves: dict[str, int] = st.session_state.setdefault(_MOVES, {})
    moves[source] = moves.get(source, 0) + 1


def _moves_elsewhere(source: str) -> int:
    """Return how often the selection was changed elsewhere; whatever shows it is then made anew."""
    moves: dict[str, int] = st.session_state.get(_MOVES, {})
    return sum(moves.values()) - moves.get(source, 0)
