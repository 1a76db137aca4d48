"""Figures of groups of studies side by side: curves with bands, fronts with attainment surfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from spikefront.measure.comparison import attainment
from spikefront.measure.hypervolume import Losses
from spikefront.storage import StudyObjective
from spikefront_app.course import front_losses, readable
from spikefront_app.theme import COLOURS, SYMBOLS, log_axis, styled, with_direction, with_unit

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px 2px")
MOST_GROUPS = len(COLOURS)
_MANY = 2000


def figure_curves(groups: Mapping[str, pd.DataFrame], axis: str, title: str, log_x: bool = False) -> go.Figure:
    """Draw the median of each group as a line, its quartiles as a band.

    Args:
        groups: From `spikefront_app.comparing.curves`, by the name of the group, at most `MOST_GROUPS`.
        axis: Column of the horizontal axis.
        title: Of the vertical axis.
        log_x: Whether the horizontal axis is logarithmic.
    """
    figure = go.Figure()
    divisor, horizontal = readable(axis, max((float(curve[axis].max()) for curve in groups.values()), default=0.0))
    for n, (name, curve) in enumerate(groups.items()):
        x, line = curve[axis] / divisor, {"shape": "hv", "width": 0}
        shared = {"x": x, "mode": "lines", "legendgroup": name}
        if (curve["low"] < curve["high"]).any():
            figure.add_scatter(y=curve["low"], line=line, showlegend=False, hoverinfo="skip", **shared)
            figure.add_scatter(
                y=curve["high"],
                line=line,
                fill="tonexty",
                fillcolor=_transparent(COLOURS[n], 0.2),
                showlegend=False,
                hoverinfo="skip",
                **shared,
            )
        figure.add_scatter(
            y=curve["median"],
            name=name,
            line={"shape": "hv", "width": 2.5, "color": COLOURS[n], "dash": DASHES[n]},
            customdata=curve[["low", "high"]],
            hovertemplate="%{y:,.4g} (%{customdata[0]:,.4g} to %{customdata[1]:,.4g})<extra>%{fullData.name}</extra>",
            **shared,
        )
    seen = pd.concat([curve[axis] / divisor for curve in groups.values()])
    figure.update_xaxes(title=horizontal, **(log_axis(seen) if log_x else {}))
    figure.update_yaxes(title=title)
    figure.update_layout(showlegend=True)
    return styled(figure, 440)


def figure_fronts(
    groups: Mapping[str, Mapping[str, pd.DataFrame]], x: StudyObjective, y: StudyObjective, log_x: bool = False
) -> go.Figure:
    """Draw the fronts of all studies in two objectives, and for each group what half of its fronts attain.

    Args:
        groups: Fronts by the name of the study, by the name of the group: "id" and a column for each objective.
        x: Objective of the horizontal axis.
        y: Objective of the vertical axis.
        log_x: Whether the horizontal axis is logarithmic.
    """
    figure = go.Figure()
    several = any(len(fronts) > 1 for fronts in groups.values())
    points = sum(len(front) for fronts in groups.values() for front in fronts.values())
    scatter = go.Scattergl if points > _MANY else go.Scatter
    for n, (name, fronts) in enumerate(groups.items()):
        rows = pd.concat([front.assign(study=study) for study, front in fronts.items()])
        figure.add_trace(
            scatter(
                x=rows[x.name],
                y=rows[y.name],
                mode="markers",
                name=f"{name}: fronts" if several else name,
                legendgroup=name,
                marker={"color": COLOURS[n], "symbol": SYMBOLS[n], "size": 7, "opacity": 0.6 if several else 0.9},
                customdata=rows[["study", "id"]],
                hovertemplate="%{customdata[0]}, candidate %{customdata[1]}<br>%{x:,.4g}<br>%{y:,.4g}<extra></extra>",
            )
        )
        surface = _surface(list(fronts.values()), (x, y))
        if several and len(surface):
            figure.add_scatter(
                x=[x.loss(value) for value in surface[:, 0]],
                y=[y.loss(value) for value in surface[:, 1]],
                mode="lines",
                name=f"{name}: half attain" if len(fronts) > 1 else f"{name}: its front",
                legendgroup=name,
                line={"shape": "hv", "width": 2.5, "color": COLOURS[n], "dash": DASHES[n]},
                hovertemplate="%{x:,.4g}<br>%{y:,.4g}<extra>%{fullData.name}</extra>",
            )
    seen = pd.concat([front[x.name] for fronts in groups.values() for front in fronts.values()])
    figure.update_xaxes(title=_title(x), **(log_axis(seen) if log_x else {}))
    figure.update_yaxes(title=_title(y))
    figure.update_layout(showlegend=True)
    return styled(figure, 520)


def _title(objective: StudyObjective) -> str:
    return with_direction(with_unit(objective.name, objective.unit), objective.direction)


def _surface(fronts: Sequence[pd.DataFrame], axes: tuple[StudyObjective, StudyObjective]) -> Losses:
    return attainment([front_losses(front, axes) for front in fronts])


def _transparent(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
