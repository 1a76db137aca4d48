"""Page: candidate."""

from spikefront_app.widgets import heading

heading("Candidate", "One candidate: what it is, what it measured, where it came from.")
