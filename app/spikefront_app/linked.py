"""The same candidates in other ways: a table, parallel coordinates, a matrix, what differs. All share the selection."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from spikefront.storage import StudyRow
from spikefront_app.candidates import differences
from spikefront_app.choices import View
from spikefront_app.figures.relations import figure_matrix, figure_parallel
from spikefront_app.picks import Pick
from spikefront_app.selection import linked_chart, linked_table, selected_elsewhere
from spikefront_app.widgets import choose_several, how_to_read, number_columns, switch

_FEW = 6
_LINKS = 8
_ONLY = "What is selected in a figure or by number hides the other rows; what is ticked here does not."


PARTS = ("Table", "Parallel coordinates", "Scatter matrix", "What differs")


def show_part(
    part: str,
    study: StudyRow,
    rows: pd.DataFrame,
    genes: Sequence[str],
    view: View,
    selected: Sequence[int],
    listed: Collection[int],
) -> None:
    """Show one of `PARTS`.

    Args:
        part: Which one.
        study: The study.
        rows: The front, and what of the rest is selected, with genes.
        genes: Columns of the genes.
        view: What is chosen above the figure.
        selected: The selected candidates.
        listed: The candidates on the shortlist.
    """
    if part == PARTS[0]:
        show_table(study, rows, genes, view, selected, listed)
    else:
        show = dict(zip(PARTS[1:], (show_parallel, show_matrix, show_differences), strict=True))[part]
        show(study, rows, genes, view, selected)


def show_table(
    study: StudyRow,
    rows: pd.DataFrame,
    genes: Sequence[str],
    view: View,
    selected: Sequence[int],
    listed: Collection[int],
) -> None:
    """Show candidates as a table whose rows can be ticked, with a link to each one's page."""
    kept = selected_elsewhere(selected)
    if switch("Only the selected", "only", value=True, help=_ONLY) and rows["id"].isin(kept).any():
        rows = rows[rows["id"].isin(kept)]
    errors = [f"{o.name} s.e." for o in study.objectives if f"{o.name} s.e." in rows]
    values = view.measured
    links = [f"candidate?{urlencode({'study': study.name, 'candidate': n})}" for n in rows["id"]]
    shown = pd.DataFrame({"id": rows["id"], "open": links, "shortlist": rows["id"].isin(listed)})
    shown = shown.join(rows[["generation", "front", *values[:3], *errors, *genes, *values[3:]]])
    columns = number_columns(shown, {name: view.titles.get(name, name) for name in [*values, *errors]})
    columns["open"] = st.column_config.LinkColumn("page", display_text="open", help="Opens in a new tab.")
    columns["id"] = st.column_config.NumberColumn("candidate", pinned=True, format="%d")
    linked_table(shown, selected, column_config=columns)
    how_to_read(
        f"{len(rows)} candidates: those that are selected, or else all of the front. Tick rows to select them; a click "
        "on a column's name sorts."
    )


def show_parallel(
    study: StudyRow, rows: pd.DataFrame, genes: Sequence[str], view: View, selected: Sequence[int]
) -> None:
    """Show candidates as lines across upright axes."""
    columns = _choose_columns(study, view, genes, "across", [*_objectives(study), *genes][:_FEW])
    if not columns:
        return
    draw = functools.partial(figure_parallel, rows, columns, view.colour, dict(view.titles), view.logs)
    linked_chart("parallel", draw, selected, "Candidates as lines across axes")
    how_to_read(
        "A line is a candidate; each axis goes from the smallest value (bottom) to the largest. Drag a box over a "
        "piece of an axis to select the lines through it; hold Shift to add. A gap: the candidate has no such gene."
    )


def show_matrix(study: StudyRow, rows: pd.DataFrame, genes: Sequence[str], view: View, selected: Sequence[int]) -> None:
    """Show each pair of columns as a scatter."""
    default = [*_objectives(study), *(gene for gene in genes if gene != view.colour)][:3]
    columns = _choose_columns(study, view, genes, "pairs", default)
    if len(columns) < 2:
        st.info("Choose at least two columns.")
        return
    draw = functools.partial(figure_matrix, rows, columns, view.colour, dict(view.titles), view.logs)
    linked_chart("matrix", draw, selected, "Each pair of columns as a scatter")
    how_to_read("Each field shows two columns, a point is a candidate. Drag a box to select; hold Shift to add.")


def show_differences(
    study: StudyRow, rows: pd.DataFrame, genes: Sequence[str], view: View, selected: Sequence[int]
) -> None:
    """Show in which genes and measurements the selected candidates differ, and link to their pages."""
    chosen = rows[rows["id"].isin(selected)].sort_values("id")
    if len(chosen) < 2:
        st.info("Select two or more candidates, in the figure or by number.")
    else:
        table = differences(chosen, [*view.measured, *genes])
        named = table.rename(index=dict(view.titles)).rename(columns=lambda number: f"candidate {number}")
        st.dataframe(named, width="stretch")
        same = len([*view.measured, *genes]) - len(table)
        how_to_read(f"Genes and measurements in which they differ; {same} more are equal. A dash: no such gene.")
    with st.container(horizontal=True):
        for number in selected[:_LINKS]:
            query = {"study": study.name, "candidate": str(number)}
            st.page_link("screens/candidate.py", label=f"Candidate {number}", query_params=query)
    if len(selected) > _LINKS:
        st.caption(f"Links to the first {_LINKS} of {len(selected)} selected candidates.")


def show_picks(picks: Sequence[Pick], rows: pd.DataFrame, view: View) -> None:
    """Show the candidates that were picked, and why."""
    values = rows.set_index("id")
    columns = [column for column in view.columns if column not in {"generation"}]
    table = pd.DataFrame(
        [
            {
                "pick": p.name,
                "candidate": p.number,
                **{view.titles[c]: values.at[p.number, c] for c in columns},
                "why": p.why,
            }
            for p in picks
        ]
    )
    numbers = number_columns(table, {title: title for title in map(view.titles.__getitem__, columns) if title in table})
    st.dataframe(table, hide_index=True, width="stretch", column_config=numbers)


def _choose_columns(study: StudyRow, view: View, genes: Sequence[str], key: str, default: Sequence[str]) -> list[str]:
    options = list(dict.fromkeys([*_objectives(study), *genes, *view.measured, "generation"]))
    return choose_several("Columns", options, key, default)


def _objectives(study: StudyRow) -> list[str]:
    return [objective.name for objective in study.objectives]
