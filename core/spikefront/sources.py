"""Where plugins come from, as a value that travels to worker processes; and the mark of their hooks."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pluggy

hookimpl = pluggy.HookimplMarker("spikefront")
"""Marks a function of a plugin as the implementation of the hook of its name."""

FOLDERS_VARIABLE: Final = "SPIKEFRONT_PLUGINS"
DISABLED_VARIABLE: Final = "SPIKEFRONT_DISABLE"
NONE_VARIABLE: Final = "SPIKEFRONT_NO_PLUGINS"


@dataclass(frozen=True)
class Sources:
    """Places to look for plugins, beside those that come with Spikefront.

    Attributes:
        folders: Folders of single-file plugins.
        modules: Names of importable modules that are plugins.
        others: Whether there are plugins beside Spikefront's own; if not, folders and modules do not count.
        disabled: Names of plugins, or of distributions with plugins, that are not to be imported.
    """

    folders: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    others: bool = True
    disabled: tuple[str, ...] = ()

    @classmethod
    def here(cls, folders: Iterable[str | Path] = (), modules: Iterable[str] = ()) -> Sources:
        """Return some places, and what the environment says.

        SPIKEFRONT_PLUGINS lists folders, SPIKEFRONT_DISABLE names joined by commas; where SPIKEFRONT_NO_PLUGINS is set,
        there are no plugins beside Spikefront's own.
        """
        named = [folder for folder in os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if folder]
        off = [name.strip() for name in os.environ.get(DISABLED_VARIABLE, "").split(",")]
        others = not os.environ.get(NONE_VARIABLE)
        return cls((), tuple(modules), others, tuple(filter(None, off))).beside([*named, *folders])

    def beside(self, folders: Iterable[str | Path]) -> Sources:
        """Return these places and more folders; one that is there already counts once."""
        return replace(self, folders=tuple(dict.fromkeys((*self.folders, *map(os.path.abspath, folders)))))

    def disables(self, name: str, origin: str) -> bool:
        """Tell whether a plugin is disabled.

        A name in `disabled` stands for the plugin of that name, for all of a package or a distribution, or for a file
        with or without its folder and ending.
        """
        names = {name, name.partition(".")[0], origin}
        if name.endswith(".py"):
            names |= {Path(name).name, Path(name).stem}
        return not names.isdisjoint(self.disabled)
