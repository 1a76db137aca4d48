"""The part of a page that shows what went wrong in a study."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import streamlit as st

from spikefront.search.failures import Group
from spikefront.storage import StudyRow
from spikefront_app.reading import database_label
from spikefront_app.widgets import how_to_read

_MOST_GROUPS, _MOST_CANDIDATES, _MOST_TEXT = 20, 12, 6000


def show_failures(groups: Sequence[Group], study: StudyRow) -> None:
    """Show failures by kind and cause, each with an example of its traceback."""
    st.subheader("Failures")
    if not groups:
        st.caption("Nothing has gone wrong.")
        return
    for group in groups[:_MOST_GROUPS]:
        with st.expander(title_of(group)):
            st.markdown(facts_of(group))
            text = group.first.failure.traceback or group.first.failure.message
            st.code(text[-_MOST_TEXT:], language=None, wrap_lines=True)
    how_to_read(
        "Failures of one kind with one cause stand together, the commonest first; open one for an example. "
        f"In a terminal: `spikefront failures {study.name} --db {shlex.quote(database_label())} --traceback`."
    )
    if len(groups) > _MOST_GROUPS:
        st.caption(f"{len(groups) - _MOST_GROUPS} rarer ones are left out.")


def title_of(group: Group) -> str:
    """Return a line about a group of failures."""
    number = len(group.failures)
    reason = group.first.reason.translate({ord(sign): f"\\{sign}" for sign in "\\`*_[]$:~<>#"})
    reason = reason if len(reason) <= 160 else reason[:159] + "…"
    return f"**{group.first.failure.kind}**, {number} {'time' if number == 1 else 'times'}: {reason}"


def facts_of(group: Group) -> str:
    """Return what is known of a group of failures, as Markdown."""
    again = sum(one.again for one in group.failures)
    named = ", ".join(map(str, group.candidates[:_MOST_CANDIDATES]))
    more = len(group.candidates) - _MOST_CANDIDATES
    facts = [
        f"Candidates {named}{f' and {more} more' if more > 0 else ''}.",
        f"{again} of {len(group.failures)} were tried again." if again else "",
        f"Raised at `{group.first.place}`." if group.first.place else "",
        f"Longest {max(one.seconds for one in group.failures):,.1f} s, "
        f"at most {max(one.peak_memory for one in group.failures) / 2**20:,.0f} MiB of memory.",
    ]
    return " ".join(fact for fact in facts if fact)
