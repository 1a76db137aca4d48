"""Page: the Pareto front of one study."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from spikefront_app import linked, shortlist
from spikefront_app.candidates import as_of, counted, drawable, order, rows_of, thinned
from spikefront_app.choices import choose_view, fronts_over, how_to_read_front, measured_otherwise
from spikefront_app.figures.front import Marks, figure_front
from spikefront_app.picks import picks_of
from spikefront_app.reading import read_evaluations, read_genes, read_left_front, read_shortlist, read_studies
from spikefront_app.selection import choose_selected, linked_chart
from spikefront_app.widgets import FIGURES_SECONDS, choose_part, choose_study, heading, how_to_read, live

FIRST = 200
"""A search begins by trying all genes: these candidates tell which there are, also those that the front has left."""


def show() -> None:
    """Show the page below its heading; again every few seconds while the study runs."""
    study = next(row for row in read_studies() if row.name == chosen.name)
    if study.state != chosen.state:
        st.rerun()
    table = read_evaluations(study)
    objectives = [objective.name for objective in study.objectives]
    if drawable(table, objectives).empty:
        failed = len(table) > 0 and table["failure"].notna().all()
        cause = f"All {len(table)} candidates failed: `spikefront failures {study.name}` tells why."
        st.info(cause if failed else "No candidate has been evaluated yet.")
        return
    listed = read_shortlist(study)
    known = {*table["id"].head(FIRST), *table.loc[table["front"], "id"], *listed}
    view = choose_view(study, table, list(read_genes(study, known)))
    now = table if view.generation is None else as_of(table, read_left_front(study), view.generation)
    shown = drawable(now, view.columns)
    front = shown[shown["front"]].dropna(subset=objectives)
    picks = picks_of(front, study.objectives, view.objectives, [axis.log for axis in view.axes], view.limits)
    if differing := measured_otherwise([study, *view.others], view.columns):
        st.warning(f"These studies have other tasks, or other settings of {differing[0]}: values do not compare.")
    marks = Marks(
        picks=[pick for pick in picks if pick.marked],
        reference=dict(study.reference or {}) if view.reference else {},
        limits=view.limits,
        bars=view.bars,
        final=None if view.generation is None else table[table["front"]],
        others=fronts_over(view),
    )
    figure = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        selected = choose_selected(study, set(table["id"]))
        shortlist.show_buttons(study, selected, listed)
    genes = read_genes(study, known.union(front["id"], selected))
    drawn = thinned(shown, view.columns, selected).join(genes, on="id")
    drawn.attrs["told"] = list(dict.fromkeys([*view.columns, *objectives]))

    def draw(some: Sequence[int]) -> go.Figure:
        return figure_front(drawn, view.axes, view.colour, marks.with_selected(some))

    with figure:
        linked_chart("front", draw, selected, f"Front of {study.name}: {', '.join(view.columns)}")
        how_to_read(f"{counted(now)}. {how_to_read_front(view, shown)}")
        with st.expander(f"{len(picks)} candidates of the front that deserve a look", icon=":material/star:"):
            linked.show_picks(picks, front, view)
    part = choose_part("Look closer", (*linked.PARTS, "Shortlist"), "part")
    if part == "Shortlist":
        rows = rows_of(table, listed).join(genes, on="id")
        columns = [*view.measured, *genes.columns]
        shortlist.show_shortlist(study, rows, columns, view.titles, selected, listed)
    else:
        rows = order(pd.concat([front, rows_of(shown[~shown["front"]], selected)]), study.objectives)
        linked.show_part(part, study, rows.join(genes, on="id"), list(genes), view, selected, listed)


heading("Front", "The candidates that no other beats in every objective.")
chosen = choose_study()
live(show, chosen, FIGURES_SECONDS)
