"""Page: compare."""

from spikefront_app.widgets import heading

heading("Compare", "Studies, or groups of studies, side by side.")
