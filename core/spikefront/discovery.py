"""Where plugins are found: installed distributions, modules named by code, folders of single files."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from spikefront.errors import InputError, PluginError
from spikefront.sources import FOLDERS_VARIABLE, Sources

ENTRY_POINT_GROUP = "spikefront"
OURS = "spikefront"
"""The distribution that Spikefront's own plugins come with."""


@dataclass(frozen=True)
class Found:
    """A module that is to be a plugin, not yet imported.

    Attributes:
        name: Name of the entry point with the module, name of the module, or path of the file.
        version: Version of the distribution; empty where there is none.
        origin: Distribution, folder or "code".
        load: Imports it.
        maybe: Whether it may also be a helper of other plugins, without hooks.
        disabled: Whether it is to be left alone.
    """

    name: str
    version: str
    origin: str
    load: Callable[[], ModuleType]
    maybe: bool = False
    disabled: bool = False


def find(sources: Sources) -> Iterator[Found]:
    """Yield all modules that are to be plugins; nothing is imported but the packages they are in.

    Raises:
        InputError: A folder is not there.
    """
    for found in _found(sources):
        yield replace(found, disabled=True) if sources.disables(found.name, found.origin) else found


def find_at(path: str) -> Iterator[Found]:
    """Yield the plugins of a file, of a folder of single files, or of a package that is not installed.

    Raises:
        InputError: There is no such file or folder.
    """
    place = Path(path).resolve()
    if place.suffix == ".py" and place.is_file():
        yield Found(str(place), "", str(place.parent), functools.partial(_import_file, place))
    elif (place / "__init__.py").is_file():
        sys.path.insert(0, str(place.parent))
        for module in (place.name, *_walk(place.name, [str(place)])):
            yield Found(module, "", str(place), functools.partial(importlib.import_module, module), maybe=True)
    elif place.is_dir():
        yield from _files(str(place))
    else:
        raise InputError(
            f"{path}: no such file or folder, and no such plugin", "See `spikefront plugins` for those that are loaded."
        )


def _found(sources: Sources) -> Iterator[Found]:
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        origin, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
        if sources.others or origin == OURS:
            whole = Found(point.name, version, origin, point.load)
            yield from [whole] if sources.disables(point.name, origin) else _modules(point, whole)
    if not sources.others:
        return
    for name in sources.modules:
        yield Found(name, "", "code", functools.partial(importlib.import_module, name))
    for folder in sources.folders:
        if not Path(folder).is_dir():
            raise InputError(
                f"{folder}: no such folder of plugins", f"Check --plugins-dir, {FOLDERS_VARIABLE} and the study file."
            )
        yield from _files(folder)


def _files(folder: str) -> Iterator[Found]:
    for path in sorted(Path(folder).glob("[!_]*.py")):
        yield Found(str(path), "", folder, functools.partial(_import_file, path))


def _modules(point: EntryPoint, whole: Found) -> Iterator[Found]:
    """Yield the module of an entry point; of a package, every module in it."""
    try:
        spec = importlib.util.find_spec(point.module)
    except (Exception, SystemExit):
        spec = None  # the import below tells the reason
    if spec is None or spec.submodule_search_locations is None:
        yield whole
        return
    for module in (point.module, *_walk(point.module, list(spec.submodule_search_locations))):
        name = f"{point.name}{module.removeprefix(point.module)}"
        yield replace(whole, name=name, load=functools.partial(importlib.import_module, module), maybe=True)


def _walk(package: str, locations: list[str]) -> Iterator[str]:
    """Yield the modules below a package without importing them."""
    for info in pkgutil.iter_modules(locations):
        name = f"{package}.{info.name}"
        if info.ispkg:
            yield from _walk(name, [f"{location}/{info.name}" for location in locations])
        elif not info.name.startswith("_"):
            yield name


def _import_file(path: Path) -> ModuleType:
    """Import a file under a name of its own, so that files of the same name in two folders can live together."""
    name = f"spikefront_plugin_{path.stem}_{hashlib.sha256(bytes(path.resolve())).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
