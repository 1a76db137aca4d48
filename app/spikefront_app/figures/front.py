"""The front in two or three measurements: a scatter of all candidates, those on the front coloured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from spikefront.components.algorithm import StudyObjective
from spikefront_app.candidates import number_text, rows_of
from spikefront_app.figures.groups import Group, groups_of
from spikefront_app.picks import Pick, staircase, within
from spikefront_app.theme import COLOURS, FAINT, SCALE, log_axis, styled, with_direction

MANY = 1500
"""From so many points on, the browser draws with WebGL."""

DASHES = ("dash", "dot", "dashdot", "longdash")
ACCENT = "#E6338F"
"""For what is selected; no group has it."""


@dataclass(frozen=True)
class Axis:
    """One axis of the figure.

    Attributes:
        column: Column of the table.
        title: What stands beside it, with the unit.
        log: Whether it is logarithmic.
        objective: The objective that it shows; None for any other measurement.
    """

    column: str
    title: str
    log: bool = False
    objective: StudyObjective | None = None


@dataclass(frozen=True)
class Marks:
    """What is shown beside the candidates.

    Attributes:
        selected: Numbers of the selected candidates.
        picks: Candidates that get a star and a name.
        reference: Ideal and reference point of the hypervolume, by objective.
        limits: Worst values that are acceptable, by objective.
        bars: Whether standard errors over replicates are drawn.
        final: The front after the last generation, where an earlier one is shown.
        others: Fronts of other studies, by name.
    """

    selected: Sequence[int] = ()
    picks: Sequence[Pick] = ()
    reference: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    bars: bool = True
    final: pd.DataFrame | None = None
    others: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def with_selected(self, numbers: Sequence[int]) -> Marks:
        """Return these marks with other candidates selected."""
        return replace(self, selected=numbers)


def figure_front(table: pd.DataFrame, axes: Sequence[Axis], colour: str, marks: Marks | None = None) -> go.Figure:
    """Draw all candidates in two or three measurements, those on the front large and coloured.

    Every point carries its candidate's number as `customdata`.

    Args:
        table: Evaluations that `candidates.drawable` and `candidates.thinned` left, with the genes of the front beside.
        axes: Two axes, horizontal and vertical, or three.
        colour: Column that colours the front: a gene, a measurement, the generation.
        marks: What is shown beside.
    """
    marks = marks or Marks()
    columns = [axis.column for axis in axes]
    front = table[table["front"]].sort_values(columns[0])
    flat, fast = len(axes) == 2, len(table) > MANY
    figure = go.Figure()
    size = {"size": 6, "color": FAINT} if flat else {"size": 3, "color": "#888888", "opacity": 0.5}
    figure.add_trace(_points(table[~table["front"]], axes, "dominated", size, fast=fast))
    stairs = [axis.objective for axis in axes if axis.objective] if flat else []
    if len(stairs) == 2 and columns[0] != columns[1]:
        if marks.final is not None:
            figure.add_trace(_line(marks.final, stairs, "front after the last generation", FAINT, "dot"))
        figure.add_trace(_line(front, stairs, "", "rgba(128, 128, 128, 0.8)", "solid"))
        _draw_region(figure, front, stairs, marks.limits)
    for number, (name, other) in enumerate(marks.others.items()):
        shade, dash = COLOURS[(number + 4) % len(COLOURS)], DASHES[number % len(DASHES)]
        if len(stairs) == 2:
            figure.add_trace(_line(other, stairs, "", shade, dash))
        symbol = {"symbol": "circle-open", "color": shade, "size": 9 if flat else 5, "line": {"width": 2}}
        figure.add_trace(_points(other, axes, name, symbol, numbered=False))
    for group in groups_of(front, colour, flat):
        figure.add_trace(_points(group.rows, axes, group.name, _marker(group, flat), fast=fast, bars=marks.bars))
    ring = {"symbol": "circle-open", "color": ACCENT, "size": 20 if flat else 10, "line": {"width": 3}}
    figure.add_trace(_points(rows_of(table, marks.selected), axes, "selected", ring, hover=False))
    for pick in marks.picks:
        _draw_pick(figure, table, axes, pick)
    _draw_reference(figure, axes, marks.reference)
    if flat:
        for layout, axis in zip((figure.layout.xaxis, figure.layout.yaxis), axes, strict=True):
            layout.update(_axis_of(axis) | (log_axis(table[axis.column]) if axis.log else {}))
        figure.update_layout(uirevision="|".join(columns))
        return styled(figure, 520)
    scene = {
        f"{n}axis": _axis_of(a) | {"title": {"text": a.title}, "dtick": 1 if a.log else None}
        for n, a in zip("xyz", axes, strict=True)
    }
    figure.update_layout(scene={**scene, "aspectmode": "cube", "camera": {"eye": {"x": 1.4, "y": 1.4, "z": 0.9}}})
    figure.update_layout(uirevision="|".join(columns))
    return styled(figure, 560)


def hover_texts(rows: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return what the mouse tells of each candidate: number, generation, values with their standard error."""
    texts = []
    needed = {"id", "generation", "budget", *columns, *(f"{column} s.e." for column in columns)}
    for row in rows[[column for column in rows if column in needed]].to_dict("records"):
        lines = [f"<b>candidate {row['id']}</b>, generation {row['generation']}"]
        if row["budget"] < 1:
            lines.append(f"stopped after {row['budget']:.0%} of the training")
        for column in dict.fromkeys(columns):
            error = row.get(f"{column} s.e.")
            bar = f" ± {number_text(error)}" if error is not None and not pd.isna(error) else ""
            lines.append(f"{column} {number_text(row[column])}{bar}" if not pd.isna(row[column]) else f"{column} -")
        texts.append("<br>".join(lines))
    return texts


def _points(
    rows: pd.DataFrame,
    axes: Sequence[Axis],
    name: str,
    marker: dict[str, Any],
    *,
    fast: bool = False,
    bars: bool = False,
    hover: bool = True,
    numbered: bool = True,
) -> go.Scatter | go.Scattergl | go.Scatter3d:
    values: dict[str, Any] = {}
    for letter, axis in zip("xyz", axes, strict=False):
        values[letter] = rows[axis.column]
        error = f"{axis.column} s.e."
        if bars and error in rows and rows[error].notna().any():
            values[f"error_{letter}"] = {"array": rows[error], "thickness": 1, "width": 0}
    cls = go.Scatter3d if len(axes) == 3 else go.Scattergl if fast else go.Scatter
    told = [c for c in rows.attrs.get("told", []) if c in rows] or [axis.column for axis in axes]
    return cls(
        **values,
        mode="markers",
        name=name,
        marker=marker,
        customdata=rows[["id"]] if numbered else None,
        hovertext=hover_texts(rows, told) if hover else None,
        hovertemplate="%{hovertext}<extra>%{fullData.name}</extra>" if hover else None,
        hoverinfo=None if hover else "skip",
        showlegend=bool(name) and len(rows) > 0,
    )


def _marker(group: Group, flat: bool) -> dict[str, Any]:
    size = {"size": 12 if flat else 6, "line": {"width": 1, "color": "white"}}
    if group.scale is None:
        return size | {"color": group.colour, "symbol": group.symbol}
    bar = {"orientation": "h", "y": -0.16, "yanchor": "top", "thickness": 10, "title": {"text": group.scale}}
    return size | {"color": group.rows[group.scale], "colorscale": SCALE, "colorbar": bar, "showscale": True}


def _line(front: pd.DataFrame, objectives: Sequence[StudyObjective], name: str, colour: str, dash: str) -> go.Scatter:
    """Return the border of what a front dominates in two objectives: a staircase."""
    x, y = objectives
    stairs = staircase(front.dropna(subset=[x.name, y.name]), objectives)
    return go.Scatter(
        x=stairs[x.name],
        y=stairs[y.name],
        mode="lines",
        name=name or "staircase",
        line={"shape": "hv" if x.direction == "minimize" else "vh", "color": colour, "dash": dash, "width": 1.5},
        hoverinfo="skip",
        showlegend=bool(name),
    )


def _draw_region(
    figure: go.Figure, front: pd.DataFrame, objectives: Sequence[StudyObjective], limits: Mapping[str, float]
) -> None:
    """Shade what is not acceptable as a line at each limit; candidates within get no other mark."""
    for objective, add, place in zip(objectives, (figure.add_vline, figure.add_hline), ("x", "y"), strict=True):
        if objective.name in limits:
            inside = len(within(front, [objective], limits))
            sign = "≤" if objective.direction == "minimize" else "≥"
            add(
                **{place: limits[objective.name]},
                line={"dash": "dash", "width": 1, "color": ACCENT},
                annotation={
                    "text": f"{sign} {number_text(limits[objective.name])}: {inside}",
                    "font": {"color": ACCENT},
                },
            )


def _draw_pick(figure: go.Figure, table: pd.DataFrame, axes: Sequence[Axis], pick: Pick) -> None:
    row = rows_of(table, [pick.number])
    if row.empty:
        return
    flat = len(axes) == 2
    trace = _points(
        row, axes, pick.name, {"symbol": "star" if flat else "diamond-open", "size": 14 if flat else 9}, hover=False
    )
    trace.update(mode="markers+text", text=[pick.name], textposition="bottom right", showlegend=False)
    trace.marker.update(color="white" if flat else ACCENT, line={"width": 1.5, "color": "black"})
    figure.add_trace(trace)


def _draw_reference(figure: go.Figure, axes: Sequence[Axis], reference: Mapping[str, tuple[float, float]]) -> None:
    if any(axis.column not in reference for axis in axes):
        return
    point = {letter: [reference[axis.column][1]] for letter, axis in zip("xyz", axes, strict=False)}
    flat = len(axes) == 2
    text = "reference point: " + ", ".join(f"{a.column} {number_text(reference[a.column][1])}" for a in axes)
    figure.add_trace(
        (go.Scatter if flat else go.Scatter3d)(
            **point,
            mode="markers",
            name="reference point",
            marker={
                "symbol": "x-thin" if flat else "x",
                "size": 11 if flat else 5,
                "line": {"width": 2, "color": ACCENT},
            },
            hovertext=[text],
            hoverinfo="text",
        )
    )


def _axis_of(axis: Axis) -> dict[str, Any]:
    title = with_direction(axis.title, axis.objective.direction) if axis.objective else axis.title
    return {"title": {"text": title}, "type": "log" if axis.log else "linear"}
