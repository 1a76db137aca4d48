"""Fails while it is imported."""

VALUES = [1, 2, 3]
BEST = VALUES[7]
