"""Entry point of the web app: `streamlit run main.py`, with the database in SPIKEFRONT_DB."""

from pathlib import Path

import streamlit as st

from spikefront.errors import SpikefrontError
from spikefront_app.login import require_login
from spikefront_app.views import third_party_pages
from spikefront_app.widgets import show_error

PAGES = Path(__file__).with_name("screens")  # not "pages": Streamlit would run files of that folder without this one
ICON = Path(__file__).with_name("icon.svg")  # a material icon would be fetched from a server of Google's
LOGO = Path(__file__).with_name("logo.svg")
STYLE = Path(__file__).with_name("style.css")
TITLES = {
    "Look": {
        "front": ("Front", ":material/scatter_plot:"),
        "candidate": ("Candidate", ":material/neurology:"),
        "progress": ("Progress", ":material/trending_up:"),
        "compare": ("Compare", ":material/compare_arrows:"),
        "importance": ("Importance", ":material/bar_chart:"),
    },
    "Work": {
        "studies": ("Studies", ":material/list:"),
        "launch": ("Launch", ":material/rocket_launch:"),
        "plugins": ("Plugins", ":material/extension:"),
    },
}

st.set_page_config(page_title="Spikefront", page_icon=ICON, layout="wide")
st.html(STYLE)
st.logo(LOGO, icon_image=ICON)
require_login()
sections = {
    section: [
        st.Page(PAGES / f"{name}.py", title=title, icon=icon, default=name == "front", url_path=name)
        for name, (title, icon) in pages.items()
    ]
    for section, pages in TITLES.items()
}
others, problem = [], None
try:
    others = third_party_pages([name for pages in TITLES.values() for name in pages])
except SpikefrontError as error:
    problem = error
page = st.navigation({**sections, **({"Plugins' pages": others} if others else {})})
try:
    if problem:
        raise problem
    page.run()
except SpikefrontError as error:
    show_error(error)
