"""A network at work: the sample, spikes by layer, potentials, and the rates of all neurons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spikefront_app.candidate.running import LayerRun
from spikefront_app.theme import COLOURS, SYMBOLS, styled, whole_ticks

Floats = npt.NDArray[np.float32]
ROWS = 256
"""Neurons that a raster shows one by one; more are averaged in groups that lie beside each other."""

BINS = 20
PAPER = ((0.0, "rgba(128, 128, 128, 0.12)"), (1.0, COLOURS[0]))
"""From no spike, which shows the plot's ground, to a spike."""


def figure_sample(sample: Floats) -> go.Figure:
    """Draw a sample: a picture (channels, height, width) or (height, width), or values (N,)."""
    picture = sample[0] if sample.ndim == 3 and sample.shape[0] == 1 else sample
    if picture.ndim == 3 and picture.shape[0] == 3:
        low, high = float(picture.min()), float(picture.max())
        scaled = (picture - low) / ((high - low) or 1.0) * 255
        trace = go.Image(z=scaled.transpose(1, 2, 0).astype(np.uint8), hoverinfo="skip")
    elif picture.ndim >= 2:
        flat = picture.reshape(-1, *picture.shape[-2:]).sum(0)
        trace = go.Heatmap(z=flat, colorscale="Greys_r", showscale=False, hovertemplate="%{z:.3g}<extra></extra>")
    else:
        figure = go.Figure(go.Bar(y=picture.reshape(-1), marker={"color": COLOURS[0]}))
        figure.update_xaxes(title="input")
        figure.update_yaxes(title="value")
        return styled(figure, 260)
    figure = go.Figure(trace)
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x", constrain="domain")
    return styled(figure, 260)


def figure_raster(layers: Sequence[LayerRun], titles: Sequence[str]) -> go.Figure:
    """Draw the spikes of a sample: a row of the figure for each layer, of that a line for each neuron, or group.

    Neurons that never fired over the batch are marked by an orange cross, those that always did by a triangle.

    Args:
        layers: What they did.
        titles: What to call them.
    """
    sizes = [min(len(layer.rates), ROWS) for layer in layers]
    heights = [max(90.0, 2.0 * size) for size in sizes]
    figure = make_subplots(
        rows=len(layers),
        cols=1,
        shared_xaxes=True,
        row_heights=heights,
        vertical_spacing=min(46 / (sum(heights) + 46 * len(layers)), 0.9 / max(len(layers) - 1, 1)),
        subplot_titles=[_with_groups(title, layer) for title, layer in zip(titles, layers, strict=True)],
    )
    largest = max(1.0, *(float(layer.spikes.max(initial=0)) for layer in layers))
    for row, layer in enumerate(layers, 1):
        figure.add_heatmap(
            row=row,
            col=1,
            z=_lines(layer.spikes),
            x=np.arange(1, len(layer.spikes) + 1),
            coloraxis="coloraxis",
            hovertemplate="step %{x}, line %{y}<br>%{z:.3g} spikes<extra></extra>",
        )
        if len(layer.rates) <= ROWS:
            _mark(figure, row, layer)
    figure.update_layout(
        coloraxis={"colorscale": PAPER, "cmin": 0, "cmax": largest, "showscale": False}, hovermode="closest"
    )
    figure.update_annotations(font={"size": 13}, xanchor="left", x=0)
    figure.update_xaxes(showgrid=False, zeroline=False, **whole_ticks(len(layers[0].spikes)))
    figure.update_xaxes(title="step", row=len(layers), col=1)
    figure.update_yaxes(title="neuron", autorange="reversed", showgrid=False, nticks=5, zeroline=False)
    figure = styled(figure, int(sum(heights)) + 46 * len(layers) + 60)
    return figure.update_layout(margin={"t": 60}, legend={"y": 1 + 30 / (sum(heights) + 46 * len(layers))})


def _with_groups(title: str, layer: LayerRun) -> str:
    neurons = len(layer.rates)
    return title if neurons <= ROWS else f"{title}: {neurons:,} neurons in {ROWS} groups"


def _lines(spikes: Floats) -> Floats:
    """Return the spikes (T, N) as lines (N, T), or as the means of groups (ROWS, T)."""
    lines = spikes.T
    if len(lines) <= ROWS:
        return lines
    starts = np.linspace(0, len(lines), ROWS, endpoint=False).astype(int)
    sums = np.add.reduceat(lines, starts, 0)
    return (sums / np.diff([*starts, len(lines)])[:, None]).astype(np.float32)


def _mark(figure: go.Figure, row: int, layer: LayerRun) -> None:
    marks = (("never fires", layer.silent, "x", COLOURS[1]), ("always fires", layer.always, "triangle-up", COLOURS[4]))
    for name, which, symbol, colour in marks:
        known = any(trace.name == name for trace in figure.data)
        neurons = np.flatnonzero(which)
        if len(neurons):
            figure.add_scatter(
                row=row,
                col=1,
                x=np.full(len(neurons), 0.3),
                y=neurons,
                mode="markers",
                name=name,
                legendgroup=name,
                showlegend=not known,
                marker={"symbol": symbol, "color": colour, "size": 6},
                hovertemplate=f"neuron %{{y}} {name}<extra></extra>",
            )


def figure_potentials(layer: LayerRun, neurons: Sequence[int]) -> go.Figure:
    """Draw the membrane potentials of some neurons of a layer, with a mark where they fire.

    Args:
        layer: Has potentials.
        neurons: Their numbers.
    """
    if layer.potentials is None:
        raise ValueError(f"no potentials of {layer.path}")
    steps = np.arange(1, len(layer.potentials) + 1)
    figure = go.Figure()
    for place, neuron in enumerate(neurons):
        fired = layer.spikes[:, neuron] > 0
        figure.add_scatter(
            x=steps,
            y=layer.potentials[:, neuron],
            mode="lines+markers",
            name=f"neuron {neuron}",
            line={"color": COLOURS[place % 7]},
            marker={"symbol": SYMBOLS[place % 7], "size": np.where(fired, 14, 5)},
            customdata=np.where(fired, "fires", "silent")[:, None],
            hovertemplate="step %{x}: %{customdata[0]}<br>potential %{y:.4g}<extra>%{fullData.name}</extra>",
        )
    if layer.threshold is not None:
        figure.add_scatter(
            x=[steps[0], steps[-1]],
            y=[layer.threshold] * 2,
            mode="lines",
            name="threshold",
            line={"color": COLOURS[6], "dash": "dash"},
            hovertemplate="threshold %{y:.4g}<extra></extra>",
        )
    figure.update_xaxes(title="step", **whole_ticks(len(steps)))
    figure.update_yaxes(title="membrane potential after the reset")
    return styled(figure, 360)


def figure_rate_histogram(layers: Sequence[LayerRun], titles: Sequence[str]) -> go.Figure:
    """Draw how many neurons of each layer, in percent, fire how often, as steps over 20 bins.

    Args:
        layers: What they did over the batch.
        titles: What to call them.
    """
    largest = max(1.0, *(float(layer.rates.max(initial=0)) for layer in layers))
    edges = np.linspace(0, largest, BINS + 1)
    figure = go.Figure()
    for place, (layer, title) in enumerate(zip(layers, titles, strict=True)):
        share = np.histogram(layer.rates, edges)[0] / max(len(layer.rates), 1) * 100
        figure.add_scatter(
            x=edges,
            y=[*share, share[-1]],
            mode="lines",
            name=title,
            line={"shape": "hv", "color": COLOURS[place % 7], "dash": ("solid", "dash", "dot")[place // 7 % 3]},
            hovertemplate="from %{x:.2f} spikes a step<br>%{y:.3g} % of the neurons<extra>%{fullData.name}</extra>",
        )
    figure.update_xaxes(title="spikes of a neuron in a step", range=[0, largest])
    figure.update_yaxes(title="neurons [%]", rangemode="tozero")
    return styled(figure, 360)
