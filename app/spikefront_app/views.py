"""Pages of plugins; a broken one shows its error on its own page."""

from __future__ import annotations

import functools

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from spikefront.errors import SpikefrontError
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront.views import View
from spikefront_app.reading import database_url


def third_party_pages() -> list[StreamlitPage]:
    """Return a page for each view that a plugin gives."""
    return [
        st.Page(functools.partial(_render, view), title=view.title, icon=":material/extension:", url_path=view.name)
        for view in load(Sources.here()).views
    ]


def _render(view: View) -> None:
    try:
        view.render(database_url())
    except SpikefrontError:
        raise
    except Exception as error:
        st.error(f"The page '{view.title}', which a plugin gives, failed: {type(error).__name__}: {error}")
        st.exception(error)
