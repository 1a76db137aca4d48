"""The shortlist of a study: candidates to keep in mind, kept in the database, and how to take them home."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from spikefront.errors import SpikefrontError
from spikefront.storage import StudyRow
from spikefront_app import selection, takehome
from spikefront_app.reading import database_label, read_study_file, write_shortlist
from spikefront_app.widgets import choose, code_to_copy, how_to_read, number_columns


def show_buttons(study: StudyRow, selected: Sequence[int], listed: Sequence[int]) -> None:
    """Show what can be done with the selected candidates."""
    new = [number for number in selected if number not in listed]
    if st.button("Add to shortlist", disabled=not new, icon=":material/bookmark_add:"):
        _write(study, [*listed, *new])
    st.button("Clear selection", disabled=not selected, icon=":material/close:", on_click=selection.select, args=([],))


def show_shortlist(
    study: StudyRow,
    rows: pd.DataFrame,
    columns: Sequence[str],
    titles: Mapping[str, str],
    selected: Sequence[int],
    listed: Sequence[int],
) -> None:
    """Show the shortlist, what changes it, and what can be taken home.

    Args:
        study: The study.
        rows: Its evaluations that are on the shortlist, with genes.
        columns: Columns that are shown and written.
        titles: Title of a measurement, with its unit.
        selected: The selected candidates.
        listed: The candidates on the shortlist.
    """
    if not listed:
        st.info("The shortlist of this study is empty. Select candidates and choose 'Add to shortlist'.")
        return
    rows = rows[["id", "generation", "front", *columns]]
    shown = number_columns(
        rows, {name: title for name, title in titles.items() if name in rows and name != "generation"}
    )
    st.dataframe(rows, hide_index=True, width="stretch", placeholder="-", column_config=shown)
    how_to_read("Kept in the database with the study, for everybody who opens it.")
    both = [number for number in selected if number in listed]
    with st.container(horizontal=True):
        st.button("Select all", icon=":material/select_all:", on_click=selection.select, args=(listed,))
        if st.button("Remove selected", disabled=not both, icon=":material/bookmark_remove:"):
            _write(study, [number for number in listed if number not in both])
        name = f"{study.name}-shortlist"
        _download("CSV", takehome.as_csv(rows), f"{name}.csv", "text/csv")
        _download("JSON", takehome.as_json(study.name, rows), f"{name}.json", "application/json")
    st.subheader("Take a candidate home")
    number = int(choose("Candidate of the shortlist", [str(number) for number in listed], "home"))
    for what, command in takehome.commands(study.name, number, database_label()).items():
        st.caption(what)
        code_to_copy(command)
    _show_study_files(study, number, listed)


def _show_study_files(study: StudyRow, number: int, listed: Sequence[int]) -> None:
    try:
        text = read_study_file(study, number)
    except SpikefrontError as error:
        st.warning(f"No study file of it: {error.message}. {error.hint}")
        return
    with st.expander("Study file with its settings fixed", icon=":material/description:"):
        st.code(text, language="toml")

    def packed() -> bytes:
        return takehome.as_zip({_file(study, one): read_study_file(study, one) for one in listed})

    with st.container(horizontal=True):
        _download("Study file (TOML)", text, _file(study, number), "application/toml")
        _download("Study files of all (ZIP)", packed, f"{study.name}-shortlist.zip", "application/zip")


def _download(label: str, data: str | Callable[[], bytes], name: str, kind: str) -> None:
    """Show a button that leaves the page as it is: one that is drawn anew makes its other files anew as well."""
    st.download_button(label, data, name, kind, icon=":material/download:", on_click="ignore")


def _file(study: StudyRow, number: int) -> str:
    return f"{study.name}-{number}.toml"


def _write(study: StudyRow, numbers: Sequence[int]) -> None:
    """Write the shortlist, and show it; a database that cannot be written is told."""
    try:
        write_shortlist(study, list(numbers))
    except SpikefrontError as error:
        st.error(f"{error.message} {error.hint}")
        return
    st.rerun()
