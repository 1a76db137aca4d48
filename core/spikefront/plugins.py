"""Finding plugins, setting broken ones aside, and looking components up by kind and name."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pluggy
import typer

from spikefront import hookspecs
from spikefront.components import KINDS, Component
from spikefront.errors import PluginError, did_you_mean
from spikefront.hookspecs import HOOKS, PROJECT
from spikefront.sources import Sources

ENTRY_POINT_GROUP = "spikefront"
DEFAULT_SOURCES = Sources()
C = TypeVar("C", bound=Component)


@dataclass(frozen=True)
class Plugin:
    """One plugin and what became of it.

    Attributes:
        name: Name of the entry point with the module, or path of the file.
        version: Version of the distribution; empty for a file.
        origin: Distribution, folder or "code".
        reason: Why the plugin was set aside; empty where it is in use.
        components: What it provides: (kind, name).
    """

    name: str
    version: str
    origin: str
    reason: str = ""
    components: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Found:
    """A module that is to be a plugin, not yet imported; `maybe` where it may also be a helper of one."""

    name: str
    version: str
    origin: str
    load: Callable[[], ModuleType]
    maybe: bool = False


class Registry:
    """All usable components, and the story of every plugin."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []
        self._components: dict[str, dict[str, type[Component]]] = {kind: {} for kind in KINDS}
        self._providers: dict[tuple[str, str], Plugin] = {}
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)

    def components(self, kind: str) -> Mapping[str, type[Component]]:
        """Return the components of a kind, by name."""
        return self._components[kind]

    def get(self, contract: type[C], name: str) -> type[C]:
        """Return a component's class, by the contract of its kind and its name.

        Raises:
            PluginError: There is no such component; the hint has the closest name and plugins set aside.
        """
        kind = contract.kind
        known = self._components[kind]
        if name not in known:
            aside = [plugin for plugin in self.plugins if plugin.reason]
            hint = did_you_mean(name, known)
            if aside:
                hint += " Plugins set aside: " + "; ".join(f"{p.name} ({p.reason})" for p in aside) + "."
            raise PluginError(f"unknown {kind} '{name}'", hint)
        component = known[name]
        if not issubclass(component, contract):
            raise TypeError(f"{kind} '{name}' is no {contract.__name__}")
        return component

    def provider(self, kind: str, name: str) -> Plugin:
        """Return the plugin that gave a component."""
        return self._providers[kind, name]

    def defaults(self, kind: str) -> tuple[str, ...]:
        """Return the components that serve where a study file names none, the most general last."""
        given: list[dict[str, tuple[str, ...]]] = self._manager.hook.spikefront_defaults()
        return tuple(name for names in given for name in names.get(kind, ()) if name in self._components[kind])

    def default(self, kind: str) -> str:
        """Return the component that serves where a study file names none, or ""."""
        return next(iter(self.defaults(kind)), "")

    def add_commands(self, cli: typer.Typer) -> None:
        """Let plugins add commands to the program."""
        self._manager.hook.spikefront_commands(cli=cli)

    def add(self, found: _Found) -> None:
        """Import a plugin and take its components, or set it aside with the reason."""
        try:
            module = found.load()
            if found.maybe and not _has_hooks(module):
                return
            components = self._register(module, found)
        except (Exception, SystemExit) as error:
            self.plugins.append(Plugin(found.name, found.version, found.origin, _reason(error)))
            return
        listing = tuple((component.kind, component.name) for component in components)
        plugin = Plugin(found.name, found.version, found.origin, "", listing)
        self.plugins.append(plugin)
        for component in components:
            self._components[component.kind][component.name] = component
            self._providers[component.kind, component.name] = plugin

    def _register(self, module: ModuleType, found: _Found) -> list[type[Component]]:
        if self._manager.is_registered(module):
            raise PluginError("this module is loaded already, under another name")
        self._manager.register(module, found.name)
        try:
            self._refuse_unknown_hooks(module)
            return list(self._collect(module))
        except BaseException:
            self._manager.unregister(module)
            raise

    def _refuse_unknown_hooks(self, module: ModuleType) -> None:
        known = [name for name in vars(hookspecs) if name.startswith(f"{PROJECT}_")]
        for caller in self._manager.get_hookcallers(module) or []:
            if not caller.has_spec():
                raise PluginError(f"there is no hook '{caller.name}'", did_you_mean(caller.name, known))

    def _collect(self, module: ModuleType) -> Iterator[type[Component]]:
        for caller in self._manager.get_hookcallers(module) or []:
            if caller.name not in HOOKS:
                continue
            kind = HOOKS[caller.name]
            for implementation in caller.get_hookimpls():
                if implementation.plugin is module:
                    provided: list[Any] = implementation.function()  # type: ignore[assignment]
                    for component in provided:
                        yield self._checked(kind, component)

    def _checked(self, kind: str, component: Any) -> type[Component]:
        contract = KINDS[kind]
        if not (isinstance(component, type) and issubclass(component, contract)):
            raise PluginError(f"{component!r} is not a subclass of {contract.__name__}")
        if not isinstance(getattr(component, "name", None), str):
            raise PluginError(f"{component.__name__} has no class attribute 'name'")
        if inspect.isabstract(component):
            missing = ", ".join(sorted(component.__abstractmethods__))
            raise PluginError(f"{kind} '{component.name}' lacks {missing}")
        if component.name in self._components[kind]:
            owner = self._providers[kind, component.name].name
            raise PluginError(f"{kind} '{component.name}' is provided by plugin '{owner}' already")
        return component


@functools.cache
def load(sources: Sources = DEFAULT_SOURCES) -> Registry:
    """Return the registry of all plugins found; the same one for the same sources in one process."""
    registry = Registry()
    for found in _find(sources):
        registry.add(found)
    return registry


def _find(sources: Sources) -> Iterator[_Found]:
    if sources.installed:
        for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
            yield from _installed(point)
    for name in sources.modules:
        yield _Found(name, "", "code", functools.partial(importlib.import_module, name))
    for folder in sources.folders:
        for path in sorted(Path(folder).glob("*.py")):
            yield _Found(str(path), "", folder, functools.partial(_import_file, path))


def _installed(point: EntryPoint) -> Iterator[_Found]:
    """Yield the module of an entry point; of a package, every module in it."""
    origin, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    try:
        spec = importlib.util.find_spec(point.module)
    except (Exception, SystemExit):
        spec = None  # the import below tells the reason
    if spec is None or spec.submodule_search_locations is None:
        yield _Found(point.name, version, origin, point.load)
        return
    for module in (point.module, *_walk(point.module, list(spec.submodule_search_locations))):
        name = f"{point.name}{module.removeprefix(point.module)}"
        yield _Found(name, version, origin, functools.partial(importlib.import_module, module), maybe=True)


def _has_hooks(module: ModuleType) -> bool:
    return any(hasattr(value, f"{PROJECT}_impl") for value in vars(module).values())


def _walk(package: str, locations: list[str]) -> Iterator[str]:
    """Yield the modules below a package without importing them."""
    for info in pkgutil.iter_modules(locations):
        name = f"{package}.{info.name}"
        if info.ispkg:
            yield from _walk(name, [f"{location}/{info.name}" for location in locations])
        elif not info.name.startswith("_"):
            yield name


def _import_file(path: Path) -> ModuleType:
    name = f"spikefront_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _reason(error: BaseException) -> str:
    if isinstance(error, PluginError):
        return " ".join(str(error).split())
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
