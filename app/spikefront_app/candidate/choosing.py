"""Which candidate is looked at, and what became of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from spikefront.storage import EvaluationDetail, StudyRow
from spikefront_app.candidate.tables import shown
from spikefront_app.reading import read_candidate
from spikefront_app.theme import with_unit
from spikefront_app.widgets import how_to_read

CANDIDATE = "candidate"
"""Where the address says which candidate is looked at."""

CHOICE = "candidate-choice"
"""Key of the widget."""

PICKED = "candidate-picked"
"""Where the session notes what was chosen until the address says so."""

CARD = 163
"""Width of a card with an objective, in pixels: two fit beside each other on a phone."""

OFFERED = 2000
"""Candidates in the list beside the front; others are typed."""


def offered(table: pd.DataFrame, first: str, direction: str, asked: str) -> list[str]:
    """Return the candidates to choose from: the front, the best first, then the others, and the one asked for."""
    front = table[table["front"]].sort_values(first, ascending=direction == "minimize", kind="stable")
    others = table.loc[~table["front"], "id"].head(OFFERED)
    options = [str(number) for number in (*front["id"], *others)]
    known = asked.isdecimal() and int(asked) in set(table["id"])
    return [*options, asked] if known and asked not in options else options


def choose_candidate(study: StudyRow, table: pd.DataFrame) -> EvaluationDetail:
    """Return the chosen candidate; those of the front come first.

    The address says which one it is, also where a link or a point of a figure chose it: Streamlit writes a bound
    widget's value there only where the widget itself was used.
    """
    objective = study.objectives[0]
    asked = st.session_state.pop(PICKED, "") or st.query_params.get(CANDIDATE, "")
    options = offered(table, objective.name, objective.direction, asked)
    if asked and asked not in options:
        st.warning(f"The study has no candidate '{asked}': the last one is {int(table['id'].max())}. Choose another.")
    st.session_state[CHOICE] = asked if asked in options else options[0]
    number = st.selectbox(
        "Candidate",
        options,
        key=CHOICE,
        on_change=_choose,
        help=f"Those of the front first, the best in {objective.name} at the top.",
        accept_new_options=len(table) > OFFERED,
        width=320,
    )
    st.query_params[CANDIDATE] = number or options[0]
    return read_candidate(study, int(number or options[0]))


def go_to(number: str) -> None:
    """Look at another candidate, in a new run of the page: a fragment alone would leave the rest as it is."""
    st.session_state[PICKED] = number
    st.rerun()


def _choose() -> None:
    st.session_state[PICKED] = str(st.session_state[CHOICE])


def show_summary(study: StudyRow, candidate: EvaluationDetail, on_front: bool) -> None:
    """Show what became of the candidate, and its objectives in large."""
    where = "on the front" if on_front else "dominated by others"
    if candidate.failure:
        where = "failed"
    elif candidate.budget == 0:
        where = "left untrained: screening did not expect it among the better"
    elif candidate.budget < 1:
        where += f", stopped early after {100 * candidate.budget:.0f} % of the training"
    how_to_read(
        f"Generation {candidate.generation}, {where}"
        f"{'; answered from the record of an equal candidate' if candidate.reused else ''}."
    )
    if candidate.failure:
        st.error(f"{candidate.failure.kind}: {candidate.failure.message}".replace("\n", "  \n"))
        with st.expander("Traceback"):
            st.code(candidate.failure.traceback or "none", language=None)
        return
    with st.container(horizontal=True):
        for objective in study.objectives:
            measured = candidate.measurements.get(objective.name)
            error = measured.standard_error if measured else None
            spread = None if error is None else f"± {shown(error)} s.e."
            title = with_unit(objective.name, objective.unit)
            mean = shown(measured.mean if measured else None)
            st.metric(title, mean, spread, delta_color="off", delta_arrow="off", border=True, width=CARD)
