"""Page: all studies of the database."""

import pandas as pd
import streamlit as st

from spikefront_app.widgets import heading, require_studies

heading("Studies", "What the database holds.")
rows = [
    {
        "name": row.name,
        "state": row.state,
        "objectives": ", ".join(objective.name for objective in row.objectives),
        "evaluations": row.evaluations,
        "failed": row.failed,
        "created": row.created_at,
    }
    for row in require_studies()
]
st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
