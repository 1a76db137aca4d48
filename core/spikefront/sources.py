"""Where plugins come from, as a value that travels to worker processes; and the mark of their hooks."""

from __future__ import annotations

from dataclasses import dataclass

import pluggy

hookimpl = pluggy.HookimplMarker("spikefront")
"""Marks a function of a plugin as the implementation of the hook of its name."""


@dataclass(frozen=True)
class Sources:
    """Places to look for plugins, beside the installed ones.

    Attributes:
        folders: Folders of single-file plugins.
        modules: Names of importable modules that are plugins.
        installed: Whether plugins that are installed as distributions are loaded.
    """

    folders: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    installed: bool = True
