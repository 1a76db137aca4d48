"""Colours and layout that all figures share; both themes, and readers who cannot tell red from green."""

from __future__ import annotations

import plotly.graph_objects as go

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
"""Okabe and Ito's palette, which colour-blind readers can tell apart."""

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star", "x")
SCALE = "Viridis"
"""For numbers: as bright on paper as in colour."""

FAINT = "rgba(128, 128, 128, 0.35)"
"""For what is there, and not looked at; visible on light and on dark."""


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
