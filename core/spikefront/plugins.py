"""The registry: taking plugins in, setting broken ones aside, and looking components up by kind and name."""

from __future__ import annotations

import functools
import inspect
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pluggy
import typer

from spikefront import hookspecs
from spikefront.components import KINDS, Component
from spikefront.discovery import Found, find
from spikefront.errors import PluginError, did_you_mean, shown
from spikefront.hookspecs import HOOKS, PROJECT
from spikefront.sources import Sources

DEFAULT_SOURCES = Sources()
C = TypeVar("C", bound=Component)

_DEFAULTS = "spikefront_defaults"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


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


class Registry:
    """All usable components, and the story of every plugin."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []
        self._components: dict[str, dict[str, type[Component]]] = {kind: {} for kind in KINDS}
        self._providers: dict[tuple[str, str], Plugin] = {}
        self._defaults: list[Mapping[str, tuple[str, ...]]] = []
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
            raise PluginError(f"unknown {kind} {shown(name)}", hint)
        component = known[name]
        if not issubclass(component, contract):
            raise TypeError(f"{kind} '{name}' is no {contract.__name__}")
        return component

    def provider(self, kind: str, name: str) -> Plugin:
        """Return the plugin that gave a component."""
        return self._providers[kind, name]

    def defaults(self, kind: str) -> tuple[str, ...]:
        """Return the components that serve where a study file names none, those of the last plugin first."""
        names = (name for given in reversed(self._defaults) for name in given.get(kind, ()))
        return tuple(dict.fromkeys(name for name in names if name in self._components[kind]))

    def default(self, kind: str) -> str:
        """Return the component that serves where a study file names none, or ""."""
        return next(iter(self.defaults(kind)), "")

    def add_commands(self, cli: typer.Typer) -> None:
        """Let plugins add commands to the program; one that fails to is marked, and the others go on."""
        for implementation in self._manager.hook.spikefront_commands.get_hookimpls():
            try:
                implementation.function(cli)
            except (Exception, SystemExit) as error:
                reason = f"its commands were left out: {_reason(error)}"
                self.plugins = [
                    replace(plugin, reason=reason) if plugin.name == implementation.plugin_name else plugin
                    for plugin in self.plugins
                ]

    def add(self, found: Found) -> None:
        """Import a plugin and take its components, or set it aside with the reason."""
        try:
            module = found.load()
            if found.maybe and not _has_hooks(module):
                return
            components, defaults = self._register(module, found)
        except (Exception, SystemExit) as error:
            self.plugins.append(Plugin(found.name, found.version, found.origin, _reason(error)))
            return
        listing = tuple((component.kind, component.name) for component in components)
        plugin = Plugin(found.name, found.version, found.origin, "", listing)
        self.plugins.append(plugin)
        self._defaults += defaults
        for component in components:
            self._components[component.kind][component.name] = component
            self._providers[component.kind, component.name] = plugin

    def _register(
        self, module: ModuleType, found: Found
    ) -> tuple[list[type[Component]], list[Mapping[str, tuple[str, ...]]]]:
        """Return what a module provides; where that fails, none of its hooks stay."""
        if self._manager.is_registered(module):
            raise PluginError("this module is loaded already, under another name")
        if not _has_hooks(module):
            raise PluginError("it has no function that is marked with @spikefront.hookimpl")
        try:
            self._manager.register(module, found.name)
            implementations = dict(self._implementations(module))
            components = self._collect(implementations)
            defaults = [
                _checked_defaults(function()) for name, function in implementations.items() if name == _DEFAULTS
            ]
        except BaseException:
            if self._manager.is_registered(module):
                self._manager.unregister(module)
            raise
        return components, defaults

    def _implementations(self, module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
        known = [name for name in vars(hookspecs) if name.startswith(f"{PROJECT}_")]
        for caller in self._manager.get_hookcallers(module) or []:
            if not caller.has_spec():
                raise PluginError(f"there is no hook '{caller.name}'", did_you_mean(caller.name, known))
            yield from ((caller.name, one.function) for one in caller.get_hookimpls() if one.plugin is module)

    def _collect(self, implementations: Mapping[str, Callable[..., Any]]) -> list[type[Component]]:
        components: list[type[Component]] = []
        for hook, function in implementations.items():
            if hook not in HOOKS:
                continue
            provided = function()
            if not isinstance(provided, list | tuple):
                raise PluginError(f"hook '{hook}' returned {shown(provided)}", "It should return a list of classes.")
            for component in provided:
                components.append(self._checked(HOOKS[hook], component, components))
        return components

    def _checked(self, kind: str, component: Any, before: list[type[Component]]) -> type[Component]:
        """Return a component that fulfils its contract and whose name is free."""
        contract = KINDS[kind]
        if not (isinstance(component, type) and issubclass(component, contract)):
            raise PluginError(f"{component!r} is not a subclass of {contract.__name__}")
        for attribute in sorted(component.__class_vars__):
            if not hasattr(component, attribute):
                raise PluginError(f"{component.__name__} has no class attribute '{attribute}'")
        name = component.name
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise PluginError(f"the name {name!r} of {component.__name__} is not lower-case words joined by hyphens")
        if inspect.isabstract(component):
            raise PluginError(f"{kind} '{name}' lacks {', '.join(sorted(component.__abstractmethods__))}")
        if any(component.kind == other.kind and name == other.name for other in before):
            raise PluginError(f"{kind} '{name}' is provided twice by this plugin")
        if name in self._components[kind]:
            raise PluginError(f"{kind} '{name}' is provided by plugin '{self._providers[kind, name].name}' already")
        return component


@functools.cache
def load(sources: Sources = DEFAULT_SOURCES) -> Registry:
    """Return the registry of all plugins found; the same one for the same sources in one process.

    Raises:
        InputError: A folder of plugins is not there.
    """
    registry = Registry()
    for found in find(sources):
        registry.add(found)
    return registry


def _has_hooks(module: ModuleType) -> bool:
    return any(hasattr(value, f"{PROJECT}_impl") for value in vars(module).values())


def _checked_defaults(given: Any) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(given, Mapping):
        raise PluginError(f"hook '{_DEFAULTS}' returned {shown(given)}", "It should return kind -> names.")
    for kind, names in given.items():
        if kind not in KINDS:
            raise PluginError(f"hook '{_DEFAULTS}': there is no kind '{kind}'", did_you_mean(str(kind), KINDS))
        if not isinstance(names, list | tuple):
            raise PluginError(f"hook '{_DEFAULTS}': {kind} is {shown(names)}", "It should be a list of names.")
    return {kind: tuple(names) for kind, names in given.items()}


def _reason(error: BaseException) -> str:
    """Return why a plugin was set aside, in one line."""
    text = str(error)
    if not isinstance(error, PluginError | pluggy.PluginValidationError):
        last = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
    return " ".join(text.split())
