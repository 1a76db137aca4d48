"""Pages of plugins; a broken one shows its error on its own page."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from spikefront.errors import SpikefrontError
from spikefront.views import View
from spikefront_app.reading import database_url, registry


def third_party_pages(taken: Collection[str]) -> list[StreamlitPage]:
    """Return a page for each view that a plugin gives.

    Args:
        taken: Places in the address that are the app's own; a view of such a name stands at another.

    Raises:
        InputError: A folder of plugins is not there.
    """
    return [
        st.Page(functools.partial(_render, view), title=view.title, icon=":material/extension:", url_path=place)
        for place, view in placed(registry().views, taken).items()
    ]


def placed(views: Iterable[View], taken: Collection[str]) -> dict[str, View]:
    """Return views by their places in the address, none of which is taken."""
    places: dict[str, View] = {}
    for view in views:
        place = view.name
        while place in places or place in taken:
            place += "-plugin"
        places[place] = view
    return places


def _render(view: View) -> None:
    try:
        view.render(database_url())
    except SpikefrontError:
        raise
    except Exception as error:
        st.error(f"The page '{view.title}', which a plugin gives, failed: {type(error).__name__}: {error}")
        st.exception(error)
