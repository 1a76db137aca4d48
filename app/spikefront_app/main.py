"""Entry point of the web app: `streamlit run main.py`, with the database in SPIKEFRONT_DB."""

from pathlib import Path

import streamlit as st

from spikefront.errors import SpikefrontError

PAGES = Path(__file__).with_name("pages")

st.set_page_config(page_title="Spikefront", layout="wide")
page = st.navigation(
    [
        st.Page(PAGES / "front.py", title="Front", icon=":material/show_chart:", default=True),
        st.Page(PAGES / "studies.py", title="Studies", icon=":material/list:"),
    ]
)
try:
    page.run()
except SpikefrontError as error:
    st.error(error.message)
    st.info(error.hint)
