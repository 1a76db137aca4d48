"""What pages choose with: widgets whose values stand in the address, so that a link restores the view."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from spikefront.errors import SpikefrontError
from spikefront.storage import StudyRow
from spikefront_app.reading import database_label, read_studies

LIVE_SECONDS = 4.0
"""How often numbers of what runs are shown anew."""

FIGURES_SECONDS = 10.0
"""How often figures are: that costs the browser a hundred times as much, and whoever looks into one loses the place."""


def choose(
    label: str, options: Sequence[str], key: str, default: str = "", hint: str | None = None, **arguments: Any
) -> str:
    """Return one of some options, which stands in the address under `key`.

    A link that names something else is told, and the default is taken.
    """
    warn_of_stale(label.lower(), key, options)
    index = options.index(default) if default in options else 0
    chosen = st.selectbox(label, options, index=index, key=key, bind="query-params", help=hint, **arguments)
    return str(chosen)


def choose_several(
    label: str, options: Sequence[str], key: str, default: Sequence[str] = (), **arguments: Any
) -> list[str]:
    """Return some of some options, which stand in the address under `key`."""
    warn_of_stale(label.lower(), key, options)
    known = [name for name in default if name in options]
    chosen = st.multiselect(label, options, default=known, key=key, bind="query-params", **arguments)
    return [str(name) for name in chosen]


def switch(label: str, key: str, value: bool = False, **arguments: Any) -> bool:
    """Return whether a switch is on; it stands in the address under `key`."""
    return st.toggle(label, value=value, key=key, bind="query-params", **arguments)


def warn_of_stale(what: str, key: str, options: Sequence[str]) -> None:
    """Say what of a link is not there any more; without it, Streamlit would drop it in silence."""
    if key in st.session_state:
        return
    missing = [value for value in st.query_params.get_all(key) if value not in options]
    if missing:
        st.warning(f"The link asks for the {what} '{missing[0]}', which is not there. Choose another.")


def choose_study(where: Any = None) -> StudyRow:
    """Return the study that a page is about, chosen in the side bar; the page ends here where there is none."""
    studies = require_studies()
    with where or st.sidebar:
        name = choose("Study", [row.name for row in studies], "study", hint="Newest first.")
    return next(row for row in studies if row.name == name)


def choose_studies(label: str, key: str, default: Sequence[str] = ()) -> list[StudyRow]:
    """Return some studies, in the order chosen; the page ends here where there is none."""
    studies = {row.name: row for row in require_studies()}
    return [studies[name] for name in choose_several(label, list(studies), key, default)]


def require_studies() -> list[StudyRow]:
    """Return all studies, the newest first; the page ends here where there is none."""
    studies = read_studies()
    if not studies:
        st.info(f"There is no study in {database_label()} yet. Run one: `spikefront run studies/quickstart.toml`.")
        st.stop()
    return studies


def heading(title: str, purpose: str) -> None:
    """Show a page's title, and what the page is for."""
    st.title(title)
    st.caption(purpose)


def how_to_read(text: str) -> None:
    """Show the line under a figure that says how to read it."""
    st.caption(text)


def live(render: Callable[[], None], study: StudyRow, seconds: float = LIVE_SECONDS) -> None:
    """Show a part of a page, again after so many seconds while its study runs."""
    live_while(render, study.state == "running", seconds)


def code_to_copy(command: str) -> None:
    """Show a command with a button that copies it."""
    st.code(command, language="bash", wrap_lines=True)


def live_while(render: Callable[[], None], running: bool, seconds: float = LIVE_SECONDS) -> None:
    """Show a part of a page, again after so many seconds while something runs; its errors are shown in its place."""

    def told() -> None:
        try:
            render()
        except SpikefrontError as error:
            show_error(error)

    st.fragment(told, run_every=seconds if running else None)()


def show_error(error: SpikefrontError) -> None:
    """Say what is wrong and what to do."""
    st.error(error.message)
    if error.hint:
        st.info(error.hint)


def choose_part(label: str, parts: Sequence[str], key: str) -> str:
    """Return the part of a page that is shown, the first one at first; it stands in the address under `key`."""
    warn_of_stale(label.lower(), key, parts)
    chosen = st.segmented_control(label, parts, default=parts[0], required=True, key=key, bind="query-params")
    return str(chosen or parts[0])


def number_columns(table: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, ColumnConfig]:
    """Return how a table shows columns of numbers: four digits, or all before the point where these are more.

    Args:
        table: Has the columns.
        titles: Title by name of the column.
    """
    large = {name: bool((pd.to_numeric(table[name], errors="coerce").abs() >= 1e4).any()) for name in titles}
    return {
        name: st.column_config.NumberColumn(
            title, format="localized" if large[name] else "%.4g", step=1 if large[name] else None
        )
        for name, title in titles.items()
    }
