"""The reference of hooks, made from `spikefront.hookspecs`."""

from __future__ import annotations

import inspect

from spikefront import hookspecs
from spikefront.hookspecs import HOOKS, PROJECT


def hook_names() -> list[str]:
    """Return the names of all hooks, in the order of their module."""
    return [name for name in vars(hookspecs) if name.startswith(f"{PROJECT}_")]


def hook_text(name: str) -> str:
    """Return a hook's signature and what it should return."""
    function = getattr(hookspecs, name)
    signature = str(inspect.signature(function)).replace("'", "")
    return f"```python\ndef {name}{signature}: ...\n```\n\n{inspect.cleandoc(function.__doc__ or '')}"


def hooks_page() -> str:
    """Return the reference of hooks."""
    parts = [
        "# Hooks",
        "A plugin is a module with functions of these names, marked with `@spikefront.hookimpl`; it may have "
        "any number of them. A hook that provides components returns their classes.",
    ]
    for name in hook_names():
        parts += [f"## `{name}` {{ #{name} }}", hook_text(name)]
        if name in HOOKS:
            parts += [f"Contract and example: [{HOOKS[name]}](../plugins/{HOOKS[name]}.md)."]
    return "\n\n".join(parts)
