"""The reference of what `spikefront` gives to programs."""

from __future__ import annotations

import inspect

import spikefront
from spikefront.components import Component

MODULES = ("spikefront.exported", "spikefront.plugins", "spikefront.sources", "spikefront.describe", "spikefront.errors")
"""Modules of which a program may need more than `spikefront` itself has."""


def python_page() -> str:
    """Return the reference of the Python interface."""
    contracts, others = [], []
    for name in spikefront.__all__:
        value = getattr(spikefront, name)
        if inspect.isclass(value) and issubclass(value, Component):
            kind = getattr(value, "kind", "")
            contracts.append(f"[`{name}`](../plugins/{kind}.md)" if kind else f"`{name}`")
        else:
            others.append(name)
    parts = ["# Python", f"The contracts of components: {', '.join(contracts)}.", "## spikefront"]
    parts += [f"::: {_home(name)}\n    options:\n      heading_level: 3\n      show_root_heading: true" for name in others]
    parts += ["::: spikefront.components.base\n    options:\n      heading_level: 3"]
    parts += [f"## {module}\n\n::: {module}\n    options:\n      heading_level: 3" for module in MODULES]
    return "\n\n".join(parts)


def _home(name: str) -> str:
    """Return where something of `spikefront` is defined, for a static reader of the source."""
    value = getattr(spikefront, name)
    module = getattr(value, "__module__", "")
    return f"{module}.{name}" if module.startswith("spikefront.") else f"spikefront.sources.{name}"
