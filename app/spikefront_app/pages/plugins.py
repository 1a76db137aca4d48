"""Page: plugins."""

from spikefront_app.widgets import heading

heading("Plugins", "What is loaded, what was set aside, and why.")
