"""Pages that plugins add to the web app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A page of the web app.

    Attributes:
        name: Its place in the address: lower-case words joined by hyphens.
        title: What the side bar calls it.
        render: Draws the page with Streamlit's functions; called with the URL of the database that the app shows, each
            time that the page is looked at. An error is shown on this page only.
    """

    name: str
    title: str
    render: Callable[[str], None]
