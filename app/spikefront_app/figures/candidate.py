"""Figures of one candidate's record: layers as bars, and learning curves."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spikefront_app.candidate.layers import KINDS as STORED
from spikefront_app.candidate.tables import KINDS
from spikefront_app.theme import COLOURS, SYMBOLS, styled, whole_ticks, with_unit

OPERATIONS = {KINDS[True]: COLOURS[1], KINDS[False]: COLOURS[0]}
NUMBERS = dict(zip(STORED, (COLOURS[0], COLOURS[1], COLOURS[4], COLOURS[2]), strict=True))
SCALES = (("uJ", 1e6), ("nJ", 1e3), ("pJ", 1.0))
PATTERNS = ("", "/", "x", ".")
"""What tells bars apart beside their colour."""


def figure_energy(table: pd.DataFrame) -> go.Figure:
    """Draw the energy of each layer, by kind of operation.

    Args:
        table: From `tables.synapse_table`; energies in pJ.
    """
    largest = table.groupby("layer")["energy"].sum().max() if len(table) else 0.0
    unit, size = next((one for one in SCALES if largest >= 10 * one[1]), SCALES[-1])
    scaled = table.assign(energy=table["energy"] / size)
    return _bars(scaled, "energy", with_unit("energy", f"{unit} per sample"), "kind", OPERATIONS)


def figure_operations(table: pd.DataFrame) -> go.Figure:
    """Draw the synaptic operations of each layer: those done, and those of a dense input.

    Args:
        table: From `tables.synapse_table`.
    """
    both = table.melt(["layer"], ["effective", "dense"], "kind", "operations")
    colours = {"effective": COLOURS[0], "dense": COLOURS[6]}
    return _bars(both, "operations", "synaptic operations per sample", "kind", colours, "group")


def figure_rates(table: pd.DataFrame) -> go.Figure:
    """Draw the mean firing rate of each layer.

    Args:
        table: From `tables.rate_table`.
    """
    return _bars(table.assign(kind="rate"), "rate", "spikes of a neuron in a step", "kind", {"rate": COLOURS[2]})


def figure_parameters(table: pd.DataFrame) -> go.Figure:
    """Draw the stored numbers of each layer, by what they are.

    Args:
        table: From `layers.parameter_table`.
    """
    return _bars(table, "numbers", "stored numbers", "kind", NUMBERS)


def _bars(
    table: pd.DataFrame, value: str, title: str, by: str, colours: Mapping[str, str], mode: str = "stack"
) -> go.Figure:
    """Draw a row of bars for each layer, the first layer on top; what is told apart has a colour and a pattern."""
    layers = list(dict.fromkeys(table["layer"]))
    figure = go.Figure()
    kinds = [kind for kind in colours if kind in set(table[by])]
    for kind in kinds:
        rows = table[table[by] == kind]
        figure.add_bar(
            x=rows[value],
            y=rows["layer"],
            orientation="h",
            name=kind,
            marker={"color": colours[kind], "pattern": _pattern(list(colours).index(kind))},
            hovertemplate=f"%{{y}}<br>%{{x:,.6~g}}<extra>{kind}</extra>",
        )
    figure.update_layout(barmode=mode, bargap=0.3, legend_traceorder="normal", showlegend=len(colours) > 1)
    figure.update_xaxes(title=title, rangemode="tozero")
    figure.update_yaxes(categoryorder="array", categoryarray=layers, autorange="reversed", ticklabelstandoff=6)
    return styled(figure, 130 + (44 if mode == "group" else 32) * len(layers))


def _pattern(number: int) -> dict[str, object]:
    return {"shape": PATTERNS[number], "size": 6, "fillmode": "overlay", "fgcolor": "rgba(255, 255, 255, 0.7)"}


def figure_history(table: pd.DataFrame) -> go.Figure:
    """Draw what was noted in training, a row for each curve and a line for each replicate.

    Args:
        table: From `tables.history_table`.
    """
    curves = list(dict.fromkeys(table["curve"]))
    figure = make_subplots(rows=len(curves), cols=1, shared_xaxes=True, vertical_spacing=0.08)
    several = table["replicate"].nunique() > 1
    for row, curve in enumerate(curves, 1):
        for place, (replicate, rows) in enumerate(table[table["curve"] == curve].groupby("replicate")):
            figure.add_scatter(
                row=row,
                col=1,
                x=rows["epoch"],
                y=rows["value"],
                mode="lines+markers",
                name=f"replicate {replicate}",
                legendgroup=str(replicate),
                showlegend=several and row == 1,
                line={"color": COLOURS[place % 7]},
                marker={"symbol": SYMBOLS[place % 7], "size": 6},
                hovertemplate=f"epoch %{{x}}<br>{curve} %{{y:.4g}}<extra>replicate {replicate}</extra>",
            )
        figure.update_yaxes(title=curve, row=row, col=1)
    figure.update_xaxes(title="epoch", row=len(curves), col=1)
    figure.update_xaxes(whole_ticks(table["epoch"].nunique()))
    return styled(figure, 120 + 220 * len(curves))
