"""The registry: taking plugins in, setting broken ones aside, and looking components up by kind and name."""

from __future__ import annotations

import functools
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar, get_args, get_type_hints

import pluggy
import pydantic
import typer
from pydantic import TypeAdapter, ValidationError

from spikefront import hookspecs
from spikefront.bounded import HangError, bounded
from spikefront.components import KINDS, Component
from spikefront.discovery import Found, find
from spikefront.errors import PluginError, did_you_mean, shown
from spikefront.hookspecs import HOOKS, PROJECT
from spikefront.sources import DISABLED_VARIABLE, Sources
from spikefront.views import View

DEFAULT_SOURCES = Sources()
C = TypeVar("C", bound=Component)

PATIENCE = 20.0
"""Time that a plugin may take to be imported, and for each call of a hook, in seconds."""

_DEFAULTS, _VIEWS = "spikefront_defaults", "spikefront_views"
_NOT_THEIRS = ("<frozen", str(Path(pydantic.__file__).parent), str(Path(__file__).parent))
"""Where the places of errors are not looked for: a plugin's author cannot mend them."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Plugin:
    """One plugin and what became of it.

    Attributes:
        name: Name of the entry point with the module, or path of the file.
        version: Version of the distribution; empty for a file.
        origin: Distribution, folder or "code".
        reason: Why the plugin was set aside, or its commands were; empty where nothing is wrong.
        remedy: What to do about it.
        disabled: Whether it was left alone because somebody said so.
        components: What it provides: (kind, name).
        hooks: Names of the hooks that it implements.
    """

    name: str
    version: str
    origin: str
    reason: str = ""
    remedy: str = ""
    disabled: bool = False
    components: tuple[tuple[str, str], ...] = ()
    hooks: tuple[str, ...] = ()

    @property
    def state(self) -> Literal["in use", "set aside", "disabled"]:
        """What became of it."""
        if self.disabled:
            return "disabled"
        return "set aside" if self.reason and not self.hooks else "in use"


@dataclass(frozen=True)
class _Provided:
    """What a plugin gives: see `Registry`."""

    hooks: tuple[str, ...]
    components: list[type[Component]]
    defaults: list[Mapping[str, tuple[str, ...]]]
    views: list[View]


class Registry:
    """All usable components, and the story of every plugin.

    Attributes:
        sources: Where the plugins were looked for.
        plugins: All that were found, in order.
        views: Pages for the web app.
    """

    def __init__(self, sources: Sources = DEFAULT_SOURCES) -> None:
        self.sources = sources
        self.plugins: list[Plugin] = []
        self.views: list[View] = []
        self._components: dict[str, dict[str, type[Component]]] = {kind: {} for kind in KINDS}
        self._providers: dict[tuple[str, str], Plugin] = {}
        self._defaults: list[Mapping[str, tuple[str, ...]]] = []
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)

    @classmethod
    def of(cls, sources: Sources) -> Registry:
        """Return a registry of all plugins found, which nobody else has.

        Raises:
            InputError: A folder of plugins is not there.
        """
        registry = cls(sources)
        for found in find(sources):
            registry.add(found)
        return registry

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
            hint = " ".join([did_you_mean(name, known), *self._not_in_use()])
            raise PluginError(f"unknown {kind} {shown(name)}", hint)
        component = known[name]
        if not issubclass(component, contract):
            raise TypeError(f"{kind} '{name}' is no {contract.__name__}")
        return component

    def _not_in_use(self) -> Iterator[str]:
        """Yield a sentence on the plugins that were set aside, and one on those that are disabled."""
        aside = [plugin for plugin in self.plugins if plugin.state == "set aside"]
        disabled = [plugin for plugin in self.plugins if plugin.state == "disabled"]
        if aside:
            yield "Plugins set aside: " + "; ".join(f"{p.name} ({p.reason})" for p in aside) + "."
        if disabled:
            yield "Disabled plugins: " + ", ".join(p.name for p in disabled) + "."

    @property
    def usable_sources(self) -> Sources:
        """The sources for another process, in which nothing is imported that was set aside in this one."""
        names = (plugin.name for plugin in self.plugins if plugin.state == "set aside")
        return replace(self.sources, disabled=tuple(dict.fromkeys((*self.sources.disabled, *names))))

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
                bounded(functools.partial(implementation.function, cli), PATIENCE)
            except (Exception, SystemExit) as error:
                reason, remedy = _reason(error)
                self.plugins = [
                    replace(plugin, reason=f"its commands were left out: {reason}", remedy=remedy)
                    if plugin.name == implementation.plugin_name
                    else plugin
                    for plugin in self.plugins
                ]

    def add(self, found: Found) -> None:
        """Import a plugin and take its components, or set it aside with the reason.

        What it prints goes to the standard error: the output may be read by a program.
        """
        with redirect_stdout(sys.stderr):
            self._add(found)

    def _add(self, found: Found) -> None:
        plugin = Plugin(found.name, found.version, found.origin)
        if found.disabled:
            self.plugins.append(replace(plugin, disabled=True))
            return
        try:
            module = bounded(found.load, PATIENCE)
            if found.maybe and not _has_hooks(module):
                return
            provided = self._register(module, found)
        except (Exception, SystemExit) as error:
            reason, remedy = _reason(error)
            self.plugins.append(replace(plugin, reason=reason, remedy=remedy))
            return
        listing = tuple((component.kind, component.name) for component in provided.components)
        plugin = replace(plugin, components=listing, hooks=provided.hooks)
        self.plugins.append(plugin)
        self._defaults += provided.defaults
        self.views += provided.views
        for component in provided.components:
            self._components[component.kind][component.name] = component
            self._providers[component.kind, component.name] = plugin

    def _register(self, module: ModuleType, found: Found) -> _Provided:
        """Return what a module provides; where that fails, none of its hooks stay."""
        if self._manager.is_registered(module):
            raise PluginError("this module is loaded already, under another name", "Name it in one place only.")
        if not _has_hooks(module):
            raise PluginError(
                "it has no function that is marked with @spikefront.hookimpl",
                "Mark its hooks, or let the file's name begin with an underscore if it is no plugin.",
            )
        try:
            self._manager.register(module, found.name)
            implementations = dict(self._implementations(module))
            return _Provided(
                hooks=tuple(implementations),
                components=self._collect(implementations),
                defaults=[_checked_defaults(given) for given in _called(implementations, _DEFAULTS)],
                views=[view for given in _called(implementations, _VIEWS) for view in self._checked_views(given)],
            )
        except BaseException:
            if self._manager.is_registered(module):
                self._manager.unregister(module)
            raise

    def _checked_views(self, given: Any) -> list[View]:
        """Return pages for the web app whose names are free."""
        if not isinstance(given, list | tuple) or not all(isinstance(view, View) for view in given):
            raise PluginError(f"hook '{_VIEWS}' returned {shown(given)}", "It should return a list of View.")
        for number, view in enumerate(given):
            if not _NAME.fullmatch(view.name):
                message = f"the name {view.name!r} of a page is not lower-case words joined by hyphens"
                raise PluginError(message, "Name it like 'spike-trains'.")
            if any(view.name == other.name for other in (*self.views, *given[:number])):
                raise PluginError(f"there is a page '{view.name}' already", "Rename it.")
        return list(given)

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
            provided = bounded(function, PATIENCE)
            if not isinstance(provided, list | tuple):
                raise PluginError(f"hook '{hook}' returned {shown(provided)}", "It should return a list of classes.")
            for component in provided:
                components.append(self._checked(HOOKS[hook], component, components))
        return components

    def _checked(self, kind: str, component: Any, before: list[type[Component]]) -> type[Component]:
        """Return a component that fulfils its contract and whose name is free."""
        contract = KINDS[kind]
        if not (isinstance(component, type) and issubclass(component, contract)):
            raise PluginError(
                f"{component!r} is not a subclass of {contract.__name__}", "Derive it, and return the class."
            )
        for attribute in sorted(component.__class_vars__):
            if not hasattr(component, attribute):
                raise PluginError(f"{component.__name__} has no class attribute '{attribute}'", "Set it in the class.")
            _check_attribute(contract, component, attribute)
        name = component.name
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            message = f"the name {name!r} of {component.__name__} is not lower-case words joined by hyphens"
            raise PluginError(message, "Name it like 'ce-lif'.")
        if inspect.isabstract(component):
            missing = ", ".join(sorted(component.__abstractmethods__))
            raise PluginError(f"{kind} '{name}' lacks {missing}", f"Write what {contract.__name__} says of it.")
        if any(component.kind == other.kind and name == other.name for other in before):
            raise PluginError(f"{kind} '{name}' is provided twice by this plugin", "Rename one of them.")
        if name in self._components[kind]:
            other = self._providers[kind, name].name
            message = f"{kind} '{name}' is provided by plugin '{other}' already"
            raise PluginError(message, f"Rename it, or leave one of them out with {DISABLED_VARIABLE}.")
        return component


@functools.cache
def load(sources: Sources = DEFAULT_SOURCES) -> Registry:
    """Return the registry of all plugins found; the same one for the same sources in one process.

    Raises:
        InputError: A folder of plugins is not there.
    """
    return Registry.of(sources)


def _has_hooks(module: ModuleType) -> bool:
    return any(hasattr(value, f"{PROJECT}_impl") for value in vars(module).values())


def _called(implementations: Mapping[str, Callable[..., Any]], name: str) -> list[Any]:
    """Return what the hook of a name gives, if a plugin implements it."""
    return [bounded(implementations[name], PATIENCE)] if name in implementations else []


def _check_attribute(contract: type[Component], component: type[Component], attribute: str) -> None:
    """Refuse a class attribute that is not what the contract says."""
    wanted = _class_attributes(contract).get(attribute)
    value = getattr(component, attribute)
    try:
        if wanted:
            wanted.validate_python(value, strict=True)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].replace("Input should", "should")
        message = f"{component.__name__}: the class attribute {attribute} = {shown(value)} {reason}"
        raise PluginError(message, f"See {contract.__name__}.") from None


@functools.cache
def _class_attributes(contract: type[Component]) -> dict[str, TypeAdapter[Any]]:
    """Return what each class attribute of a contract may hold; its kind and name are looked at on their own."""
    hints = get_type_hints(contract)
    own = {name: get_args(hints[name]) for name in contract.__class_vars__ - Component.__class_vars__ if name in hints}
    return {name: TypeAdapter(inner[0]) for name, inner in own.items() if inner}


def _checked_defaults(given: Any) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(given, Mapping):
        raise PluginError(f"hook '{_DEFAULTS}' returned {shown(given)}", "It should return kind -> names.")
    for kind, names in given.items():
        if kind not in KINDS:
            raise PluginError(f"hook '{_DEFAULTS}': there is no kind '{kind}'", did_you_mean(str(kind), KINDS))
        if not isinstance(names, list | tuple):
            raise PluginError(f"hook '{_DEFAULTS}': {kind} is {shown(names)}", "It should be a list of names.")
    return {kind: tuple(names) for kind, names in given.items()}


def _reason(error: BaseException) -> tuple[str, str]:
    """Return why a plugin was set aside, and what to do about it, each in one line."""
    match error:
        case PluginError():
            reason, remedy = error.message, error.hint
        case pluggy.PluginValidationError():
            reason, remedy = str(error), "See the arguments of the hook in `spikefront.hookspecs`."
        case HangError():
            reason = str(error)
            remedy = f"Let it do its work when a component is used, or leave it out with {DISABLED_VARIABLE}."
        case SyntaxError():
            reason = f"SyntaxError: {error.msg} ({Path(error.filename or '').name}:{error.lineno})"
            remedy = "Mend that line."
        case _:
            frames = traceback.extract_tb(error.__traceback__)
            theirs = [frame for frame in frames if not frame.filename.startswith(_NOT_THEIRS)] or frames
            reason = f"{type(error).__name__}: {error} ({Path(theirs[-1].filename).name}:{theirs[-1].lineno})"
            remedy = "Mend that line, or leave the plugin out with " + DISABLED_VARIABLE + "."
            if isinstance(error, ModuleNotFoundError):
                remedy = f"Install {(error.name or '').partition('.')[0]}: the plugin needs it."
    return " ".join(reason.split()), " ".join(remedy.split())
