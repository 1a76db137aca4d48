"""A pytest plugin for the tests of Spikefront plugins: a small study, a database, and a registry of chosen plugins.

pytest finds it by its entry point wherever Spikefront is installed, so nothing heavy is imported before a test asks for
a fixture.
"""

from __future__ import annotations

import copy
import functools
import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from spikefront.components import Component
    from spikefront.plugins import Registry
    from spikefront.storage import Database

_DISTRIBUTION = "spikefront"

_STUDY: dict[str, Any] = {
    "study": {"name": "digits-small", "seed": 1, "objectives": ["accuracy", "energy"]},
    "task": {"use": "digits", "train": 100, "validation": 50},
    "network": {"use": "mlp", "hidden": [8]},
    "neuron": {"use": "lif", "tau": {"low": 1.5, "high": 3.0}},
    "coder": {"use": "direct", "steps": 2},
    "trainer": {"use": "surrogate-gradient", "epochs": 1},
    "search": {"algorithm": "nsga2", "population": 4, "generations": 2},
    "execution": {"use": "inline"},
}


@pytest.fixture
def spikefront_study() -> dict[str, Any]:
    """A study of eight small networks for scikit-learn's digits, as a plain dict to be changed; it runs in seconds."""
    return copy.deepcopy(_STUDY)


@pytest.fixture
def spikefront_database(tmp_path: Path) -> Iterator[Database]:
    """An open, empty SQLite database in a folder of the test."""
    from spikefront.storage import Database

    with Database.open(tmp_path / "spikefront.db", create=True) as database:
        yield database


@pytest.fixture
def spikefront_registry() -> Callable[..., Registry]:
    """A function that returns a registry of the built-in plugins and of those given, and of no other installed ones.

    It takes modules, names of modules, and classes of components. A plugin that would be set aside is a PluginError.
    """
    return _registry


def _registry(*plugins: ModuleType | str | type[Component]) -> Registry:
    from spikefront.discovery import Found, find
    from spikefront.errors import PluginError
    from spikefront.plugins import Registry
    from spikefront.sources import Sources

    modules = list(_modules(plugins))
    registry = Registry(Sources(modules=tuple(module.__name__ for module in modules)))
    for found in find(Sources()):
        if found.origin == _DISTRIBUTION:
            registry.add(found)
    for module in modules:
        registry.add(Found(module.__name__, "", "code", functools.partial(_itself, module)))
    aside = [f"{plugin.name} ({plugin.reason})" for plugin in registry.plugins if plugin.reason]
    if aside:
        raise PluginError(f"plugins set aside: {'; '.join(aside)}")
    return registry


def _modules(plugins: Iterable[ModuleType | str | type[Component]]) -> Iterator[ModuleType]:
    """Yield modules, and one that provides all components that are given as classes."""
    from spikefront.hookspecs import HOOKS
    from spikefront.sources import hookimpl

    hooks = {kind: hook for hook, kind in HOOKS.items()}
    given: dict[str, list[type[Component]]] = {}
    for plugin in plugins:
        if isinstance(plugin, type):
            given.setdefault(hooks[plugin.kind], []).append(plugin)
        else:
            yield importlib.import_module(plugin) if isinstance(plugin, str) else plugin
    if given:
        module = ModuleType("components_of_a_test")
        for hook, components in given.items():
            setattr(module, hook, hookimpl(_providing(hook, components)))
        yield module


def _providing(hook: str, components: list[type[Component]]) -> Callable[[], list[type[Component]]]:
    """Return an implementation of a hook."""

    def provide() -> list[type[Component]]:
        return components

    provide.__name__ = hook
    return provide


def _itself(module: ModuleType) -> ModuleType:
    return module
