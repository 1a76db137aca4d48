"""Figures of how a search went: an indicator's course, throughput, workers."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from spikefront_app.course import readable
from spikefront_app.pace import OUTCOMES
from spikefront_app.theme import COLOURS, FAINT, log_axis, round_ticks, styled

_FEW = 30
_PATTERNS = ("", "/", ".", "x", "\\")
_OUTCOME_COLOURS = (COLOURS[0], COLOURS[5], COLOURS[6], COLOURS[4], COLOURS[1])


def figure_course(course: pd.DataFrame, axis: str, title: str, log_x: bool = False) -> go.Figure:
    """Draw how an indicator went.

    Args:
        course: From `course_table`.
        axis: Column of the horizontal axis, one of `AXES`.
        title: Of the vertical axis, with its unit.
        log_x: Whether the horizontal axis is logarithmic.
    """
    divisor, horizontal = readable(axis, float(course[axis].max()))
    figure = go.Figure(
        go.Scatter(
            x=course[axis] / divisor,
            y=course["value"],
            customdata=course[["evaluations"]],
            mode="lines+markers" if len(course) <= _FEW else "lines",
            line={"shape": "hv", "width": 2.5, "color": COLOURS[0]},
            hovertemplate="%{y:,.4g}<br>after %{customdata[0]:,} evaluations<extra></extra>",
        )
    )
    figure.update_xaxes(title=horizontal, **(log_axis(course[axis] / divisor) if log_x else {}))
    figure.update_yaxes(title=title)
    return styled(figure, 420)


def figure_throughput(rates: pd.DataFrame) -> go.Figure:
    """Draw evaluations a minute over time, by what came of them.

    Args:
        rates: From `throughput`.
    """
    divisor, horizontal = readable("time", float(rates["end"].max()))
    figure = go.Figure()
    for name, colour, pattern in zip(OUTCOMES, _OUTCOME_COLOURS, _PATTERNS, strict=True):
        if rates[name].any():
            figure.add_bar(
                x=(rates["start"] + rates["end"]) / 2 / divisor,
                y=rates[name],
                width=(rates["end"] - rates["start"]) / divisor,
                name=name,
                marker={"color": colour, "line": {"width": 0}, "pattern": {"shape": pattern, "solidity": 0.25}},
                hovertemplate="%{y:,.3g} a minute<extra>%{fullData.name}</extra>",
            )
    figure.update_layout(barmode="stack", showlegend=True)
    figure.update_xaxes(title=horizontal, **round_ticks(float(rates["end"].max()) / divisor))  # else at each bar
    figure.update_yaxes(title="evaluations [1/min]")
    return styled(figure, 300).update_layout(legend_traceorder="normal")


def figure_workers(shares: pd.DataFrame) -> go.Figure:
    """Draw when each worker was busy.

    Args:
        shares: From `busy_shares`.
    """
    edges = shares.columns.to_numpy(dtype=float)
    width = float(edges[1] - edges[0])
    divisor, horizontal = readable("time", float(edges[-1] + width))
    names = [_short(name) for name in shares.index]
    figure = go.Figure(
        go.Heatmap(
            x=(edges + width / 2) / divisor,
            y=list(range(len(names))),
            z=shares.to_numpy(),
            customdata=[[name] * len(edges) for name in shares.index],
            zmin=0,
            zmax=1,
            colorscale=[[0, FAINT.replace("0.35", "0.12")], [1, COLOURS[0]]],
            ygap=3,
            showscale=False,
            hovertemplate="%{customdata}<br>busy %{z:.0%}<extra></extra>",
        )
    )
    figure.update_xaxes(title=horizontal, showgrid=False)
    figure.update_yaxes(
        title="worker [process]",
        tickvals=list(range(len(names))),
        ticktext=names,
        autorange="reversed",
        showgrid=False,
        zeroline=False,
    )
    return styled(figure, 300 if len(names) <= 8 else 300 + 18 * (len(names) - 8))


def _short(worker: str) -> str:
    """Return a worker's name without what makes the axis wide: the end of a long host, and the process."""
    host, _, process = worker.rpartition(":")
    return worker if len(worker) <= 14 else f"…{host[-6:]}:{process}"
