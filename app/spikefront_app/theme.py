"""Colours and layout that all figures share; both themes, and readers who cannot tell red from green."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, log10

import plotly.graph_objects as go

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
"""Okabe and Ito's palette, which colour-blind readers can tell apart."""

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star", "x")
SCALE = "Viridis"
"""For numbers: as bright on paper as in colour."""

FAINT = "rgba(128, 128, 128, 0.35)"
"""For what is there, and not looked at; visible on light and on dark."""


_STEPS = (1, 1.5, 2, 3, 5, 7)
"""Ticks of a decade where an axis shows less than one."""


def styled(figure: go.Figure, height: int = 480) -> go.Figure:
    """Return a figure with the margins, legend and fonts of all others; Streamlit's theme does the rest.

    The legend stands above the plot, so that it takes no width on a phone.
    """
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "title": None},
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def whole_ticks(numbers: int, most: int = 10) -> dict[str, object]:
    """Return an axis' settings for that many whole numbers: each has a tick, or every second, third, ..."""
    return {"dtick": max(1, -(-numbers // most)), "tickformat": "d"}


def with_unit(name: str, unit: str) -> str:
    """Return the title of an axis: a name and its unit, which "1" is none."""
    return name if unit == "1" else f"{name} [{unit}]"


def with_direction(title: str, direction: str) -> str:
    """Return the title of an objective's axis that says which end is the better one."""
    return f"{title}, {'lower' if direction == 'minimize' else 'higher'} is better"


def log_axis(values: Iterable[float]) -> dict[str, object]:
    """Return the settings of a logarithmic axis over some positive values: ticks at 1, 2 and 5, or at powers of 10."""
    known = [value for value in values if value > 0]
    low, high = min(known, default=1.0), max(known, default=1.0)
    shared = {"type": "log", "tickformat": "~s" if low >= 1 and high >= 1000 else "~g"}
    if high > 6 * low:
        return shared | {"dtick": 1 if high > 300 * low else "D2"}
    places = [step * 10.0**power for power in range(floor(log10(low)), ceil(log10(high)) + 1) for step in _STEPS]
    within = [place for place in places if low <= place <= high]
    return shared | ({"tickvals": within} if len(within) > 1 else {})


def round_ticks(span: float, most: int = 6) -> dict[str, object]:
    """Return the settings of an axis from 0 that has at most so many ticks, at multiples of 1, 2 or 5."""
    least = span / most if span > 0 else 1.0
    size = 10.0 ** floor(log10(least))
    return {"tick0": 0, "dtick": next(step * size for step in (1, 2, 5, 10) if step * size >= least * (1 - 1e-9))}
