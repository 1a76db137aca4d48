"""The lineage of a candidate as a graph, generations from left to right."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from spikefront_app.candidate.lineage import Lineage
from spikefront_app.theme import COLOURS, FAINT, SCALE, styled, whole_ticks

MANY = 40
"""Nodes above which the numbers of the candidates no longer fit beside them."""


def figure_lineage(lineage: Lineage, values: pd.Series[float], title: str, front: Collection[int]) -> go.Figure:
    """Draw a candidate and its ancestors; each point's `customdata` begins with its number.

    Args:
        lineage: Whose.
        values: What colours the points, by number of the candidate.
        title: What these values are.
        front: Numbers of the candidates on the front.
    """
    nodes = lineage.nodes[lineage.nodes["id"].notna()]
    nodes = nodes.assign(value=values.reindex(nodes["id"].astype(int)).to_numpy(dtype=float))
    figure = go.Figure()
    figure.add_scatter(**_lines(lineage), mode="lines", line={"color": FAINT, "width": 1.5}, hoverinfo="skip")
    figure.data[0].showlegend = False
    limits = {} if nodes["value"].isna().all() else {"cmin": nodes["value"].min(), "cmax": nodes["value"].max()}
    figure.update_layout(coloraxis={"colorscale": SCALE, "colorbar": _colourbar(title), **limits})
    failed = nodes["failure"].notna()
    own = nodes["back"] == 0
    best = nodes["id"].isin(list(front))
    groups = (
        ("on the front", best & ~own, "diamond", 13),
        ("dominated", ~best & ~failed & ~own, "circle", 11),
        ("failed", failed & ~own, "x", 10),
        ("this candidate", own, "star", 20),
    )
    text = len(nodes) <= MANY
    for name, chosen, symbol, size in groups:
        rows = nodes[chosen]
        if len(rows):
            shaded = {"color": rows["value"], "coloraxis": "coloraxis"} if rows["value"].notna().all() else {}
            marker = {"color": COLOURS[6], "symbol": symbol, "size": size, "line": {"width": 0}} | shaded
            figure.add_trace(_points(rows, name, marker, title, text))
            key = {"color": COLOURS[6], "symbol": symbol, "size": 10}
            figure.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=key, legendgroup=name)
    figure.update_xaxes(title="generation", showgrid=False, **whole_ticks(int(nodes["generation"].max()) + 1))
    low, high = float(nodes["place"].min()), float(nodes["place"].max())
    margin = 0.15 * (high - low) + 0.3
    figure.update_yaxes(visible=False, range=[low - margin, high + margin])
    tallest = int(nodes.groupby("generation").size().max())
    return styled(figure, min(260 + 26 * tallest, 800))


def _points(rows: pd.DataFrame, name: str, marker: dict[str, object], title: str, text: bool) -> go.Scatter:
    made = [" and ".join(names) or "the start" for names in rows["operators"]]
    data = np.stack([rows["id"].astype(int), made, rows["value"].map("{:.4g}".format)], axis=1).astype(object)
    return go.Scatter(
        x=rows["generation"],
        y=rows["place"],
        mode="markers+text" if text else "markers",
        text=rows["id"].astype(str),
        textposition="top center",
        name=name,
        legendgroup=name,
        showlegend=False,
        marker=marker,
        customdata=data,
        hovertemplate=f"candidate %{{customdata[0]}}<br>made by %{{customdata[1]}}<br>{title} %{{customdata[2]}}"
        f"<extra>{name}</extra>",
    )


def _lines(lineage: Lineage) -> dict[str, list[float | None]]:
    """Return all edges as one line with gaps."""
    nodes, edges = lineage.nodes, lineage.edges
    found: dict[str, list[float | None]] = {}
    for axis, column in (("x", "generation"), ("y", "place")):
        ends = np.full((len(edges), 3), None, dtype=object)
        for place, end in enumerate(("parent", "child")):
            ends[:, place] = nodes[column].reindex(edges[end]).to_numpy()
        found[axis] = ends.flatten().tolist()
    return found


def _colourbar(title: str) -> dict[str, object]:
    return {"title": {"text": title, "side": "right"}, "thickness": 12}
