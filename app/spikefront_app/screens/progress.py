"""Page: progress."""

from spikefront_app.widgets import heading

heading("Progress", "How the search went.")
