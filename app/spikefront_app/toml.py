"""Study files as text: what `tomllib` reads again as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomli_w


def dumps(document: Mapping[str, Any]) -> str:
    """Return a study as TOML: a section for each table, and everything below in one line, as people write it.

    What is None is left out: a study file cannot say it.
    """
    loose = {key: value for key, value in document.items() if not _is_section(value)}
    parts = [_lines(loose)] if loose else []
    for name, value in document.items():
        if isinstance(value, Mapping):
            parts.append(f"[{_key(name)}]\n{_lines(value)}")
        elif _is_section(value):
            parts += [f"[[{_key(name)}]]\n{_lines(entry)}" for entry in value]
    return "\n".join(parts)


def value_text(value: Any) -> str:
    """Return one value as a study file writes it."""
    match value:
        case Mapping():
            items = ", ".join(f"{_key(key)} = {value_text(item)}" for key, item in value.items() if item is not None)
            return f"{{ {items} }}" if items else "{}"
        case list() | tuple():
            return f"[{', '.join(map(value_text, value))}]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")


def _is_section(value: Any) -> bool:
    tables = isinstance(value, list | tuple) and len(value) > 0 and all(isinstance(entry, Mapping) for entry in value)
    return isinstance(value, Mapping) or tables


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {value_text(value)}\n" for key, value in table.items() if value is not None)


def _key(key: str) -> str:
    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")
