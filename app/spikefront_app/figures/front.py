"""Figures as pure functions: a table in, a plotly figure out."""

from __future__ import annotations

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go

from spikefront_app.theme import COLOURS, FAINT, SYMBOLS, styled


def figure_front(
    table: pd.DataFrame, x: str, y: str, colour: str, labels: dict[str, str], log_x: bool = False
) -> go.Figure:
    """Draw two objectives of all candidates, those on the front large and coloured.

    Args:
        table: From `read_evaluations`.
        x: Column of the horizontal axis.
        y: Column of the vertical axis.
        colour: Column that colours the front: a gene, a measurement or the generation.
        labels: Axis title of a column, with its unit.
        log_x: Whether the horizontal axis is logarithmic.
    """
    figure = go.Figure()
    rest = table[~table["front"]]
    figure.add_scatter(
        x=rest[x],
        y=rest[y],
        mode="markers",
        name="dominated",
        marker={"size": 6, "color": FAINT},
        customdata=rest[["id"]],
        hovertemplate="candidate %{customdata[0]}<br>%{x:,.4g}<br>%{y:,.4g}<extra>dominated</extra>",
    )
    for trace in _front_traces(table[table["front"]], x, y, colour):
        figure.add_trace(trace)
    figure.update_xaxes(title=labels.get(x, x), type="log" if log_x else "linear")
    figure.update_yaxes(title=labels.get(y, y))
    return styled(figure)


def _front_traces(front: pd.DataFrame, x: str, y: str, colour: str) -> list[go.Scatter]:
    ordered = front.sort_values(x)
    if pd.api.types.is_numeric_dtype(ordered[colour]) and ordered[colour].nunique() > len(COLOURS):
        marker = {"color": ordered[colour], "colorscale": "Viridis", "colorbar": {"title": colour}, "size": 12}
        return [_trace(ordered, x, y, "front", marker)]
    groups = ordered.groupby(ordered[colour].astype(str).fillna("-"), sort=True)
    return [
        _trace(group, x, y, f"front, {name}", {"color": COLOURS[n % 7], "symbol": SYMBOLS[n % 7], "size": 12})
        for n, (name, group) in enumerate(groups)
    ]


def _trace(rows: pd.DataFrame, x: str, y: str, name: str, marker: dict[str, object]) -> go.Scatter:
    return go.Scatter(
        x=rows[x],
        y=rows[y],
        mode="markers",
        name=name,
        marker=marker | {"line": {"width": 1, "color": "white"}},
        customdata=rows[["id"]],
        hovertemplate="candidate %{customdata[0]}<br>%{x:,.4g}<br>%{y:,.4g}<extra>%{fullData.name}</extra>",
    )


def figure_parallel(table: pd.DataFrame, columns: list[str], colour: str) -> go.Figure:
    """Draw the front as parallel coordinates over numeric columns; a drag along an axis picks candidates.

    A gene that some candidate of the front does not have is left out.
    """
    front = table[table["front"]]
    numeric = [c for c in columns if pd.api.types.is_numeric_dtype(front[c]) and front[c].notna().all()]
    figure = px.parallel_coordinates(
        front,
        dimensions=numeric,
        color=colour,
        color_continuous_scale="Viridis",
        labels={column: column.rpartition(".")[2].replace("_", " ") for column in numeric},
    )
    figure.update_layout(height=360, margin={"l": 60, "r": 40, "t": 60, "b": 20})
    return figure
