"""Study files: reading TOML, and changing single values from the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spikefront.errors import StudyFileError


def read_document(path: Path, changes: Iterable[str] = ()) -> dict[str, Any]:
    """Return a study file as nested plain values.

    Args:
        path: A TOML file.
        changes: Assignments `path=value` that are made on top, values in TOML; a bare word is a string.

    Raises:
        StudyFileError: The file is missing or broken, or a change cannot be made.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        near = sorted(path.parent.glob("*.toml")) if path.parent.is_dir() else []
        hint = f"There are: {', '.join(map(str, near))}." if near else "Give the path of a .toml file."
        raise StudyFileError(f"{path}: no such study file", hint) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyFileError(f"{path}: cannot be read: {error}", "Give the path of a .toml file.") from None
    except tomllib.TOMLDecodeError as error:
        raise StudyFileError(f"{path}: not valid TOML: {error}", "Strings need quotes; see https://toml.io.") from None
    for change in changes:
        _assign(document, change)
    return document


def _assign(document: dict[str, Any], change: str) -> None:
    """Make one assignment `path=value` in place."""
    path, equals, text = change.partition("=")
    keys = [key.strip() for key in path.split(".")]
    if not equals or not all(keys):
        raise StudyFileError(f"--set {change}: not an assignment", "Write it as --set search.population=12.")
    target: Any = document
    for key in keys[:-1]:
        target = _descend(target, key, change)
    if isinstance(target, list):
        target[_index(target, keys[-1], change)] = _value(text)
    else:
        target[keys[-1]] = _value(text)


def _descend(target: Any, key: str, change: str) -> Any:
    if isinstance(target, list):
        return target[_index(target, key, change)]
    child = target.setdefault(key, {})
    if not isinstance(child, dict | list):
        raise StudyFileError(f"--set {change}: '{key}' is {child!r} and holds no table", "Check the path.")
    return child


def _index(items: list[Any], key: str, change: str) -> int:
    if not key.isdigit() or int(key) >= len(items):
        raise StudyFileError(f"--set {change}: '{key}' is no entry of a list of {len(items)}", "Entries count from 0.")
    return int(key)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
