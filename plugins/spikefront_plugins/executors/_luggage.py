"""What a worker on another machine needs before it can evaluate: plugins that are files, paths, the same versions."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from spikefront.errors import PluginError
from spikefront.sources import Sources

_PACKAGES = ("spikefront", "torch", "numpy")


@dataclass(frozen=True)
class Luggage:
    """Where the coordinator has its plugins and data, and what is in its folders of plugins.

    Attributes:
        sources: Its sources of plugins.
        files: For each folder of `sources` the names and contents of its Python files.
        path: Where it finds modules.
        data: Its folder of data sets.
        versions: What it runs with.
    """

    sources: Sources
    files: tuple[tuple[tuple[str, bytes], ...], ...]
    path: tuple[str, ...]
    data: str
    versions: tuple[tuple[str, str], ...]


def pack(sources: Sources) -> Luggage:
    """Return what workers elsewhere need to know the plugins of `sources`."""
    return Luggage(
        sources,
        tuple(_python_files(folder) for folder in sources.folders),
        tuple(os.path.abspath(folder) for folder in sys.path),
        str(Path(os.environ.get("SPIKEFRONT_DATA", "data")).resolve()),
        _versions(),
    )


@functools.cache
def unpack(luggage: Luggage) -> Sources:
    """Make this process a worker, and return the sources of plugins here.

    A folder of plugins that is here with the same files is used; otherwise its files are written to a temporary one.

    Raises:
        PluginError: This machine has other versions of what decides the results.
    """
    for (name, theirs), (_, ours) in zip(luggage.versions, _versions(), strict=True):
        if theirs != ours:
            message = f"this machine has {name} {ours}, and the study runs with {theirs}"
            raise PluginError(message, "Install the same versions on all machines.")
    sys.path += [folder for folder in luggage.path if folder not in sys.path and os.path.exists(folder)]
    os.environ.setdefault("SPIKEFRONT_DATA", luggage.data)
    folders = [_here(*pair) for pair in zip(luggage.sources.folders, luggage.files, strict=True)]
    return replace(luggage.sources, folders=tuple(folders))


def _here(folder: str, files: tuple[tuple[str, bytes], ...]) -> str:
    if _python_files(folder) == files:
        return folder
    ours = tempfile.mkdtemp(prefix="spikefront-plugins-")
    for name, content in files:
        (Path(ours) / name).write_bytes(content)
    return ours


def _python_files(folder: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((path.name, path.read_bytes()) for path in sorted(Path(folder).glob("*.py")))


def _versions() -> tuple[tuple[str, str], ...]:
    return tuple((name, version(name)) for name in _PACKAGES)
