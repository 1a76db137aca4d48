"""Page: all studies of the database."""

import pandas as pd
import streamlit as st

from spikefront_app.tables import database_url, read_studies

st.title("Studies")
studies = read_studies()

if not studies:
    st.info(f"There is no study in {database_url()} yet. Run one: `spikefront run studies/quickstart.toml`.")
    st.stop()

st.dataframe(
    pd.DataFrame(
        {
            "name": row.name,
            "state": row.state,
            "objectives": ", ".join(objective.name for objective in row.objectives),
            "evaluations": row.evaluations,
            "failed": row.failed,
            "created": row.created_at,
        }
        for row in studies
    ),
    hide_index=True,
    width="stretch",
)
