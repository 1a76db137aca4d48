"""Page: all studies of the database."""

import shlex

import pandas as pd
import streamlit as st

from spikefront_app.reading import database_label, read_growth, read_holder
from spikefront_app.standing import STATES, filtered, overview
from spikefront_app.theme import COLOURS
from spikefront_app.widgets import code_to_copy, heading, how_to_read, live_while, require_studies

COLUMNS = {
    "study": st.column_config.TextColumn("Study", pinned=True, width=150),
    "state": st.column_config.TextColumn("State", width=90),
    "hypervolume": st.column_config.LineChartColumn(
        "Hypervolume",
        y_min=0,
        y_max=1,
        color=COLOURS[0],
        width=110,
        help="Share of the box of objectives that the front dominates.",
    ),
    "evaluations": st.column_config.NumberColumn("Evaluated", format="localized", width=85),
    "of": st.column_config.NumberColumn("of", format="localized", width=70, help="Candidates that the study asks for."),
    "failed": st.column_config.NumberColumn("Failed", format="localized", width=65),
    "started": st.column_config.DatetimeColumn("Started", format="distance", width=110),
    "task": st.column_config.TextColumn("Task", width=90),
    "objectives": st.column_config.TextColumn("Objectives"),
}
PAGES = {"front": "Front", "progress": "Progress", "candidate": "Candidates", "importance": "Importance"}


def render() -> None:
    """Show the table and what is selected of it."""
    table = filtered(overview(require_studies(), read_holder, read_growth), text, states)
    if table.empty:
        st.info("No study fits. Take words out of the filter, or states.")
        return
    names = list(table["study"])
    asked = st.query_params.get("study")
    selection = {"rows": [names.index(asked)] if asked in names else []}
    event = st.dataframe(
        table,
        hide_index=True,
        column_config=COLUMNS,
        column_order=list(COLUMNS),
        key=f"studies-{'/'.join(names)}",  # with other rows, a selection by number would mean another study
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": selection},
    )
    how_to_read(
        "Tick a row for its pages. Hypervolume: from 0 to 1, more is better; between studies it says something only "
        "where objectives and bounds are the same. 'Interrupted' also is a study whose process is no more."
    )
    rows = event["selection"]["rows"]
    if rows:
        details(table.iloc[rows[0]])


def details(row: pd.Series) -> None:
    """Show where a study's pages are, and how to go on with it."""
    name = row["study"]
    st.query_params["study"] = name
    st.subheader(name)
    st.write(
        f"{row['state'].capitalize()}: {row['evaluations']:,} of {row['of']:,} candidates, {row['failed']:,} failed."
    )
    with st.container(horizontal=True):
        for page, title in PAGES.items():
            st.page_link(
                f"screens/{page}.py", label=title, query_params={"study": name}, icon=":material/arrow_forward:"
            )
    if row["state"] == "running":
        return
    command = f"spikefront resume {name} --db {shlex.quote(database_label())}"
    if row["state"] == "finished" and row["evaluations"] >= row["of"]:
        st.caption("Search on, beyond its budget:")
        command += f" --evaluations {2 * row['of']}"
    else:
        st.caption("Go on with it:")
    code_to_copy(command)


heading("Studies", "What the database holds, and how it stands.")
studies = require_studies()
asked_for = st.query_params.get("study")
if asked_for and asked_for not in {study.name for study in studies}:
    st.warning(f"The link asks for the study '{asked_for}', which is not there. Choose another.")
left, right = st.columns([3, 2], vertical_alignment="bottom")
with left:
    text = st.text_input("Filter", key="find", bind="query-params", type="search", placeholder="name, objective, task")
with right:
    states = st.multiselect("State", STATES, key="state", bind="query-params", placeholder="All")
live_while(render, any(study.state == "running" for study in studies))
