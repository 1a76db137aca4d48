"""Page: importance."""

from spikefront_app.widgets import heading

heading("Importance", "Which genes matter for which objective.")
