"""All columns of a front at once: parallel coordinates, and a matrix of scatters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from spikefront_app.candidates import number_text
from spikefront_app.figures.front import ACCENT, hover_texts
from spikefront_app.figures.groups import Group, groups_of, is_scale
from spikefront_app.theme import FAINT, SCALE, log_axis, styled

MANY = 300
"""From so many candidates on, the browser draws with WebGL."""

_BINS = 5


@dataclass(frozen=True)
class Scaled:
    """One upright axis of parallel coordinates.

    Attributes:
        places: Where each candidate crosses it, 0 at the bottom, 1 at the top; NaN where it has no value.
        ticks: Places and texts of its ticks.
    """

    places: npt.NDArray[np.float64]
    ticks: tuple[tuple[float, str], ...]


def scaled(values: pd.Series[Any], log: bool = False) -> Scaled:
    """Return where values cross an axis: numbers between smallest and largest, others by name at even distances."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        names = sorted({str(value) for value in values.dropna()})
        last = max(len(names) - 1, 1)
        ticks = {name: (number / last if len(names) > 1 else 0.5) for number, name in enumerate(names)}
        found = [np.nan if pd.isna(value) else ticks[str(value)] for value in values]
        return Scaled(np.asarray(found, dtype=np.float64), tuple((place, name) for name, place in ticks.items()))
    numbers = values.to_numpy(dtype=np.float64)
    if not np.isfinite(numbers).any():
        return Scaled(np.full(len(numbers), np.nan), ())
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    if low == high:
        return Scaled(np.where(np.isnan(numbers), np.nan, 0.5), ((0.5, number_text(low)),))
    scale = np.log if log and low > 0 else np.asarray
    places = (scale(numbers) - scale(low)) / (scale(high) - scale(low))
    return Scaled(places, ((0.0, number_text(low)), (1.0, number_text(high))))


def figure_parallel(
    front: pd.DataFrame,
    columns: Sequence[str],
    colour: str,
    titles: dict[str, str] | None = None,
    logs: Sequence[str] = (),
    selected: Sequence[int] = (),
) -> go.Figure:
    """Draw candidates as lines across upright axes, one for each column; a box over an axis selects.

    The lines are those of a scatter, because Streamlit hears of no brush of plotly's own parallel coordinates. A gene
    that a candidate does not have leaves a gap in its line.

    Args:
        front: Candidates, with their genes.
        columns: Objectives, measurements and genes, from left to right.
        colour: Column that colours the lines.
        titles: Title of a column, if it is not its name.
        logs: Columns on a logarithmic scale.
        selected: Numbers of the candidates that are drawn thick.
    """
    axes = [scaled(front[column], column in logs) for column in columns]
    places = np.column_stack([axis.places for axis in axes])
    texts = hover_texts(front, [c for c in columns if pd.api.types.is_float_dtype(front[c])])
    lines = front.assign(_row=np.arange(len(front)), _text=texts)
    cls = go.Scattergl if len(front) > MANY else go.Scatter
    figure = go.Figure()
    for group in _binned(lines, colour):
        style = {"mode": "lines+markers", "line": {"color": group.colour, "width": 1.2}, "opacity": 0.75}
        figure.add_trace(_lines(cls, group.rows, places, group.name, style, {"symbol": group.symbol, "size": 7}))
    chosen = lines[lines["id"].isin(list(selected))]
    thick = {"mode": "lines", "line": {"color": ACCENT, "width": 4}, "hoverinfo": "skip", "hovertemplate": None}
    figure.add_trace(_lines(cls, chosen, places, "selected", thick, {}))
    for number, axis in enumerate(axes):
        figure.add_vline(x=number, line={"color": FAINT, "width": 1}, layer="below")
        for place, text in axis.ticks:
            figure.add_annotation(
                x=number, y=place, text=text, showarrow=False, yshift=-11 if place < 0.5 else 11, font={"size": 11}
            )
    names = [wrapped((titles or {}).get(column, column)) for column in columns]
    figure.update_xaxes(
        tickvals=list(range(len(columns))), ticktext=names, range=[-0.4, len(columns) - 0.6], showgrid=False
    )
    figure.update_yaxes(visible=False, range=[-0.12, 1.12])
    figure.update_layout(dragmode="select", uirevision="|".join(columns))
    return styled(figure, 460)


def figure_matrix(
    front: pd.DataFrame,
    columns: Sequence[str],
    colour: str,
    titles: dict[str, str] | None = None,
    logs: Sequence[str] = (),
    selected: Sequence[int] = (),
) -> go.Figure:
    """Draw each pair of columns as a scatter; arguments are those of `figure_parallel`."""
    figure = go.Figure()
    for group in groups_of(front, colour):
        marker = {"size": 7, "symbol": group.symbol, "line": {"width": 0.5, "color": "white"}}
        if group.scale is None:
            marker |= {"color": group.colour}
        else:
            bar = {"title": {"text": group.scale}, "thickness": 10, "len": 0.5, "y": 1, "x": 1, "xanchor": "right"}
            marker |= {"color": group.rows[group.scale], "colorscale": SCALE, "showscale": True, "colorbar": bar}
        figure.add_trace(_splom(group.rows, columns, group.name, titles, marker))
    ring = {"size": 15, "symbol": "circle-open", "color": ACCENT, "line": {"width": 3}}
    chosen = front[front["id"].isin(list(selected))]
    if len(chosen):
        figure.add_trace(_splom(chosen, columns, "selected", titles, ring))
    for number, column in enumerate(columns, 1):
        kind = log_axis(front[column]) if column in logs else {"nticks": 5}
        figure.update_layout({f"{n}axis{number if number > 1 else ''}": {"automargin": True, **kind} for n in "xy"})
    figure.update_layout(dragmode="select", uirevision="|".join(columns))
    return styled(figure, max(360, 160 * len(columns)))


def wrapped(name: str) -> str:
    """Return a name with breaks at dots and before units, so that it is narrow."""
    return name.replace(".", ".<br>").replace(" [", "<br>[").replace("-", "-<br>")


def _splom(
    rows: pd.DataFrame, columns: Sequence[str], name: str, titles: dict[str, str] | None, marker: dict[str, Any]
) -> go.Splom:
    names = {column: wrapped((titles or {}).get(column, column)) for column in columns}
    numeric = {column: pd.api.types.is_numeric_dtype(rows[column]) for column in columns}
    return go.Splom(
        dimensions=[
            {"label": names[c], "values": rows[c] if numeric[c] else rows[c].fillna("-").astype(str)} for c in columns
        ],
        name=name,
        marker=marker,
        customdata=rows[["id"]],
        hovertext=hover_texts(rows, [c for c in columns if pd.api.types.is_float_dtype(rows[c])]),
        hovertemplate="%{hovertext}<extra>%{fullData.name}</extra>",
        showupperhalf=False,
        diagonal={"visible": False},
    )


def _binned(front: pd.DataFrame, colour: str) -> list[Group]:
    """Return groups of one colour each: of many numbers, some ranges of about as many candidates."""
    if not is_scale(front[colour]):
        return groups_of(front, colour)
    bins = pd.qcut(front[colour], _BINS, duplicates="drop")
    ranges = list(bins.cat.categories)
    shades = sample_colorscale(SCALE, np.linspace(0.0, 0.95, len(ranges)))
    found = [
        Group(f"{colour} to {number_text(one.right)}", front[bins == one], shade)
        for one, shade in zip(ranges, shades, strict=True)
    ]
    missing = front[front[colour].isna()]
    return [*found, Group(f"no {colour}", missing, FAINT)] if len(missing) else found


def _lines(
    cls: type[go.Scatter] | type[go.Scattergl],
    rows: pd.DataFrame,
    places: npt.NDArray[np.float64],
    name: str,
    style: dict[str, Any],
    marker: dict[str, Any],
) -> go.Scatter | go.Scattergl:
    """Return the lines of some candidates as one trace, with a gap behind each."""
    width = places.shape[1]
    ends = np.column_stack([places[rows["_row"]], np.full(len(rows), np.nan)])
    shared = {"hovertemplate": "%{hovertext}<extra>%{fullData.name}</extra>", **style}
    return cls(
        x=np.tile([*map(float, range(width)), np.nan], len(rows)),
        y=ends.ravel(),
        name=name,
        marker=marker,
        customdata=np.repeat(rows["id"].to_numpy(), width + 1)[:, None],
        hovertext=np.repeat(rows["_text"].to_numpy(dtype=object), width + 1),
        showlegend=len(rows) > 0,
        **shared,
    )
