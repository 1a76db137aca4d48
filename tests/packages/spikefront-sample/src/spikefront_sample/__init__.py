"""Plugins of somebody else: two components, in a module each, and what they share."""
