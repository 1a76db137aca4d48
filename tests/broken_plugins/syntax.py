"""Is not Python."""

def spikefront_coders(:
