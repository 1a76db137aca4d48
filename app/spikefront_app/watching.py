"""The part of a page that watches a study which this app or somebody else runs, and stops it politely."""

from __future__ import annotations

import streamlit as st

from spikefront.errors import SpikefrontError
from spikefront.storage import StudyRow
from spikefront_app import launching
from spikefront_app.reading import database_url, read_holder, read_studies
from spikefront_app.standing import state, total
from spikefront_app.widgets import choose, live_while, show_error


def watch() -> None:
    """Show how a study that is chosen stands, with the last lines of its log, and a button that stops it."""
    st.subheader("Watch")
    url = database_url()
    recorded: list[StudyRow] = []
    try:
        recorded = read_studies()
    except SpikefrontError as error:
        st.info(f"{error.message}\n\n{error.hint}")
    names = list(dict.fromkeys([*launching.launched_studies(url), *(row.name for row in recorded)]))
    if not names:
        st.caption("Nothing was started yet.")
        return
    name = choose("Study to watch", names, "watch")
    live_while(lambda: _standing(name), _runs(name, recorded))


def _runs(name: str, recorded: list[StudyRow]) -> bool:
    launched = launching.launched(database_url(), name)
    return (launched is not None and launched.process.poll() is None) or any(
        row.name == name and state(row, read_holder(row)) == "running" for row in recorded
    )


def _standing(name: str) -> None:
    """Show one study: how far it is, its log, its end."""
    launched = launching.launched(database_url(), name)
    code = launched.process.poll() if launched else None
    row = _recorded(name)
    runs = False
    if row:
        holder = read_holder(row)
        stands, all_of_it = state(row, holder), total(row)
        runs = stands == "running"
        where = f" Process {holder.process} on {holder.host}." if holder and holder.alive else ""
        words = f"{stands.capitalize()}: {row.evaluations:,} of {all_of_it:,} candidates, {row.failed:,} failed.{where}"
        st.progress(min(1.0, row.evaluations / all_of_it), words)
        if holder and holder.alive and st.button("Stop", icon=":material/stop_circle:", key="stop"):
            try:
                launching.stop(holder)
                st.info("It was asked to stop: it records what has ended, and can be resumed.")
            except SpikefrontError as error:
                show_error(error)
    elif launched and code is None:
        st.info("It is starting: nothing is recorded yet.")
    if code:
        st.warning(f"The process ended with code {code}: {_MEANING.get(code, 'see the log.')}")
    log = launched.log if launched else launching.log_path(database_url(), name)
    lines = launching.last_lines(log)
    if lines:
        st.caption(f"The end of {log}:")
        st.code(lines, language=None, wrap_lines=True)
    if (code is not None or not launched) and not runs and st.session_state.get("watched") == name:
        del st.session_state["watched"]  # it has just ended: the page as a whole says so, and is still from now on
        st.rerun()
    if runs or (launched and code is None):
        st.session_state["watched"] = name


_MEANING = {
    1: "no candidate gave anything usable.",
    2: "something in the study or the database is wrong; the log says what.",
    130: "it was interrupted; what had ended is recorded.",
}


def _recorded(name: str) -> StudyRow | None:
    try:
        return next((row for row in read_studies() if row.name == name), None)
    except SpikefrontError:
        return None
