"""Figures of what genes do: their importance by objective, an objective over a gene, and over two."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from spikefront_app.theme import COLOURS, FAINT, SCALE, log_axis, styled, with_unit

BINS, FEWEST = 12, 12
"""Bins of a gene, and candidates in each bin whose median is drawn, at least."""
MOST_POINTS = 2000
"""Points that a figure draws of a study; the medians are of all."""


def figure_importance(table: pd.DataFrame, objective: str, most: int = 12) -> go.Figure:
    """Draw the importance of genes for one objective as bars, the most important at the top.

    Args:
        table: "objective", "gene", "importance", as the analysis makes it; genes without an importance are left out.
        objective: The objective.
        most: Genes to be drawn.
    """
    mine = table[(table["objective"] == objective) & table["importance"].notna()].head(most).iloc[::-1]
    figure = go.Figure(
        go.Bar(
            x=mine["importance"],
            y=mine["gene"],
            orientation="h",
            marker={"color": COLOURS[0]},
            hovertemplate="%{y}<br>importance %{x:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title=f"share of the importance for {objective}", rangemode="tozero")
    return styled(figure, 90 + 28 * max(len(mine), 1))


def figure_effect(table: pd.DataFrame, gene: str, objective: str, unit: str, logarithmic: bool = False) -> go.Figure:
    """Draw an objective over a gene, with the running median of all candidates.

    Args:
        table: A row for each candidate that has the objective, with a column for each gene.
        gene: Path of the gene.
        objective: Column of the vertical axis.
        unit: Its unit.
        logarithmic: Whether the gene was searched by its exponent.
    """
    some = table[table[gene].notna()]
    median = running_median(some[gene], some[objective], logarithmic)
    number = is_number(some[gene])
    figure = go.Figure(_dots(thin(some, MOST_POINTS), gene, objective))
    figure.add_scattergl(  # as the dots: else they would cover it
        x=median[gene],
        y=median[objective],
        mode="lines+markers" if number else "markers",
        line={"color": COLOURS[1], "width": 3},
        marker={"color": COLOURS[1], "size": 6 if number else 12},
        hovertemplate="%{x}<br>median %{y:.4g}<extra></extra>",
    )
    figure.update_yaxes(title=with_unit(objective, unit))
    figure.update_xaxes(title=gene)
    if not number:
        figure.update_xaxes(type="category", categoryorder="category ascending")
    elif logarithmic:
        figure.update_xaxes(log_axis(some[gene]))
    return styled(figure, 280).update_layout(showlegend=False)


def _dots(some: pd.DataFrame, gene: str, objective: str) -> go.Scattergl:
    return go.Scattergl(
        x=some[gene] if is_number(some[gene]) else some[gene].astype(str),
        y=some[objective],
        mode="markers",
        marker={"size": 4, "color": FAINT},
        customdata=some[["id"]],
        hovertemplate="candidate %{customdata[0]}<br>%{x}<br>%{y:.4g}<extra></extra>",
    )


def figure_interaction(
    table: pd.DataFrame, genes: tuple[str, str], objective: str, unit: str, logarithmic: frozenset[str] = frozenset()
) -> go.Figure:
    """Draw the median of an objective over two genes as a heat map; a cell without candidates stays empty.

    Args:
        table: As for `figure_effect`.
        genes: Horizontal and vertical axis.
        objective: Column of the colour.
        unit: Its unit.
        logarithmic: As for `figure_effect`.
    """
    both = table.dropna(subset=list(genes))
    places = [binned(both[gene], gene in logarithmic) for gene in genes]
    cells = pd.DataFrame({"x": places[0], "y": places[1], "value": both[objective].to_numpy()})
    found = cells.groupby(["x", "y"], sort=False)["value"].agg(["median", "size"])
    horizontal, vertical = (sorted(set(place), key=_order) for place in places)
    grid, counts = (
        found[column].unstack("x").reindex(index=vertical, columns=horizontal).to_numpy(dtype=float)
        for column in ("median", "size")
    )
    figure = go.Figure(
        go.Heatmap(
            x=[_text(value) for value in horizontal],
            y=[_text(value) for value in vertical],
            z=grid,
            customdata=counts,
            colorscale=SCALE,
            colorbar={"title": {"text": with_unit(objective, unit), "side": "right"}, "thickness": 12},
            hovertemplate="%{x}, %{y}<br>median %{z:.4g} of %{customdata} candidates<extra></extra>",
        )
    )
    figure.update_xaxes(title=genes[0], type="category")
    figure.update_yaxes(title=genes[1], type="category")
    return styled(figure, 420)


def running_median(gene: pd.Series, objective: pd.Series, logarithmic: bool) -> pd.DataFrame:
    """Return the median of an objective in bins of a gene that hold equally many candidates, or at each value.

    Args:
        gene: A value for each candidate, missing where it has none.
        objective: A number for each candidate.
        logarithmic: Whether the middle of a bin is that of the exponents.

    Returns:
        A row for each bin: the bin's middle by the gene's name, the median by the objective's.
    """
    known = pd.DataFrame({"gene": gene, "value": objective}).dropna()
    if not is_number(known["gene"]):
        known["gene"] = known["gene"].astype(str)
    if not is_number(known["gene"]) or known["gene"].nunique() <= BINS:
        middle = known.groupby("gene")["value"].median().reset_index()
    else:
        if logarithmic:
            known["gene"] = np.log(known["gene"])
        parts = pd.qcut(known["gene"], max(2, min(BINS, len(known) // FEWEST)), labels=False, duplicates="drop")
        middle = known.groupby(parts)[["gene", "value"]].median()
        if logarithmic:
            middle["gene"] = np.exp(middle["gene"])
    return middle.set_axis([gene.name, objective.name], axis=1).reset_index(drop=True)


def binned(gene: pd.Series, logarithmic: bool) -> npt.NDArray[np.object_]:
    """Return for each candidate the middle of its bin of a gene, or its value where there are few different ones."""
    if not is_number(gene):
        return gene.astype(str).to_numpy(dtype=object)
    if gene.nunique() <= BINS:
        return gene.to_numpy(dtype=object)
    values = np.log(gene.to_numpy(dtype=float)) if logarithmic else gene.to_numpy(dtype=float)
    edges = np.linspace(values.min(), values.max(), BINS + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1)
    return np.asarray((np.exp(middles) if logarithmic else middles)[place], dtype=object)


def thin(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most so many rows, evenly spaced."""
    if len(table) <= most:
        return table
    return table.iloc[np.linspace(0, len(table) - 1, most).round().astype(int)]


def is_number(values: pd.Series) -> bool:
    """Tell whether a gene's values have an order and a distance."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _order(value: object) -> tuple[bool, object]:
    return isinstance(value, str), value


def _text(value: object) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"
