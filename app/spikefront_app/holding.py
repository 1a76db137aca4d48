"""The part of a page that says how far a study is, and who searches it."""

from __future__ import annotations

import shlex
from datetime import datetime

import pandas as pd
import streamlit as st

from spikefront.storage import Holder, StudyRow
from spikefront_app.pace import duration, outcomes, remaining
from spikefront_app.reading import database_label
from spikefront_app.standing import state


def show_standing(study: StudyRow, table: pd.DataFrame, holder: Holder | None, total: int, now: datetime) -> None:
    """Show counts, the time left, and who searches.

    Args:
        study: How it stands now.
        table: Its evaluations.
        holder: Who searches it.
        total: Candidates planned.
        now: The moment, UTC.
    """
    counts = outcomes(table).value_counts()
    left = remaining(table, total, holder, now) if study.state == "running" else None
    facts = {
        "State": state(study, holder),
        "Candidates": f"{len(table):,} of {total:,}",
        "On the front": f"{int(table['front'].sum()):,}",
        "Failed": f"{counts.get('failed', 0):,}",
        "Reused": f"{counts.get('reused', 0):,}",
        "Time left": "-" if left is None else f"about {duration(left)}",
    }
    with st.container(horizontal=True, gap="medium"):
        for name, value in facts.items():
            st.metric(name, value, width="content", help=_HELP.get(name))
    st.caption(searched_by(study, holder, now))
    if study.state == "running" and not (holder and holder.alive):
        st.warning(
            "Nobody searches this study, though it was never ended: its process is gone. Go on with: "
            f"`spikefront resume {study.name} --db {shlex.quote(database_label())}`."
        )


_HELP = {
    "Reused": "Candidates answered from the record, of this study or of another one, without training.",
    "Time left": "At the pace of the process that searches now; candidates that it reused do not count.",
}


def searched_by(study: StudyRow, holder: Holder | None, now: datetime) -> str:
    """Return a sentence about the process that searches a study, or did so last."""
    if holder is None:
        return f"Nobody has searched it yet; made {duration((now - study.created_at).total_seconds())} ago."
    who = f"process {holder.process} on {holder.host}"
    heard = duration(max((now - holder.heard).total_seconds(), 0.0))
    if holder.alive:
        since = duration(max((now - holder.since).total_seconds(), 0.0))
        return f"Searched by {who} for {since}, last heard of {heard} ago."
    return f"Last searched by {who}, until {heard} ago."


def now_searching(state: str, otherwise: str) -> str:
    """Return what stands in place of figures where there is no evaluation."""
    return f"{otherwise} They appear here as they end." if state == "running" else f"{otherwise} The search has ended."
