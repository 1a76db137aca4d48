"""Page: one candidate."""

import streamlit as st

from spikefront.errors import SpikefrontError
from spikefront_app.candidate.choosing import choose_candidate, show_summary
from spikefront_app.candidate.sections import (
    explain,
    show_genes,
    show_layers,
    show_lineage,
    show_measured,
    show_training,
)
from spikefront_app.candidate.watching import show_spikes
from spikefront_app.reading import read_evaluations, read_studies
from spikefront_app.widgets import choose_study, heading, live

PARTS = {
    "Measured": show_measured,
    "Layers": show_layers,
    "Training": show_training,
    "Lineage": show_lineage,
    "Genes": show_genes,
    "Spikes": show_spikes,
}

heading("Candidate", "One candidate: what it is, what it measured, where it came from.")
study = choose_study()
table = read_evaluations(study)


def wait() -> None:
    """Say that there is nothing yet, and look again."""
    st.info("No candidate has been evaluated yet.")
    if any(row.name == study.name and row.evaluations for row in read_studies()):
        st.rerun()


if table.empty:
    live(wait, study)
    st.stop()

candidate = choose_candidate(study, table)
show_summary(study, candidate, bool(table.loc[table["id"] == candidate.number, "front"].iloc[0]))
part = st.segmented_control(
    "Part of the page",
    list(PARTS),
    default="Measured",
    required=True,
    key="part",
    bind="query-params",
    label_visibility="collapsed",
)
try:
    PARTS[part](study, candidate)
except SpikefrontError as error:
    explain(error)
