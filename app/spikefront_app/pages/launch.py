"""Page: launch."""

from spikefront_app.widgets import heading

heading("Launch", "Check a study, save it, start it.")
