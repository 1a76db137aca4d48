"""Gene interactions: the matrix, and how its singular values fall."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from spikefront_app.theme import COLOURS, styled, whole_ticks


def figure_matrix(matrix: npt.NDArray[np.float64]) -> go.Figure:
    """Draw an interaction matrix (genes, genes) as a heat map, zero in the middle of the scale."""
    largest = float(np.abs(matrix).max()) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=matrix,
            colorscale="RdBu",
            zmin=-largest,
            zmax=largest,
            colorbar={"title": {"text": "interaction", "side": "right"}, "thickness": 12},
            hovertemplate="output's gene %{y}, input's gene %{x}<br>%{z:.4g}<extra></extra>",
        )
    )
    figure.update_xaxes(title="gene of the input", constrain="domain", showgrid=False)
    figure.update_yaxes(title="gene of the output", autorange="reversed", scaleanchor="x", constrain="domain")
    figure.update_yaxes(showgrid=False)
    return styled(figure, 420)


def figure_spectrum(values: npt.NDArray[np.float64]) -> go.Figure:
    """Draw each singular value's share of their sum, the largest first, beside the flat spectrum of entropy 1."""
    places = np.arange(1, len(values) + 1)
    shares = values / (values.sum() or 1.0)
    figure = go.Figure()
    figure.add_scatter(
        x=places,
        y=shares,
        mode="lines+markers",
        name="this matrix",
        line={"color": COLOURS[0]},
        marker={"size": 6},
        customdata=values[:, None],
        hovertemplate="singular value %{x}: %{customdata[0]:.4g}<br>share %{y:.4g}<extra></extra>",
    )
    figure.add_scatter(
        x=places,
        y=np.full(len(values), 1 / len(values)),
        mode="lines",
        name="flat: entropy 1",
        line={"color": COLOURS[1], "dash": "dash"},
        hoverinfo="skip",
    )
    figure.update_xaxes(title="singular value, the largest first", **whole_ticks(len(values)))
    figure.update_yaxes(title="share of the sum", rangemode="tozero")
    return styled(figure, 420)
