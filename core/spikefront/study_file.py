"""Study files: reading TOML, and changing single values from the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spikefront.errors import StudyFileError, did_you_mean, shown


def read_document(path: Path, changes: Iterable[str] = ()) -> dict[str, Any]:
    """Return a study file as nested plain values.

    Args:
        path: A TOML file.
        changes: Assignments `path=value` that are made on top, values in TOML; a bare word is a string.

    Raises:
        StudyFileError: The file is missing or broken, or a change cannot be made.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        near = [file.name for file in path.parent.glob("*.toml")]
        hint = did_you_mean(path.name, near) if near else "Give the path of a .toml file."
        raise StudyFileError(f"{path}: no such study file", hint) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyFileError(f"{path}: cannot be read: {error}", "Give the path of a .toml file.") from None
    except (ValueError, RecursionError) as error:
        raise StudyFileError(f"{path}: not valid TOML: {error}", "Strings need quotes; see https://toml.io.") from None
    for change in changes:
        _assign(document, change)
    return document


def read_changes(changes: Iterable[str]) -> dict[str, Any]:
    """Return assignments `path=value` as nested plain values, see `read_document`.

    Raises:
        StudyFileError: A change cannot be made.
    """
    document: dict[str, Any] = {}
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
        target = target[_index(target, key, change)] if isinstance(target, list) else target.setdefault(key, {})
        if not isinstance(target, dict | list):
            message = f"--set {change}: '{key}' is {shown(target)} and holds no table"
            raise StudyFileError(message, f"Set the whole of '{key}', as a table.")
    last = _index(target, keys[-1], change) if isinstance(target, list) else keys[-1]
    target[last] = _value(text, change)


def _index(items: list[Any], key: str, change: str) -> int:
    positions = [str(position) for position in range(len(items))]
    if key not in positions:
        raise StudyFileError(f"--set {change}: '{key}' is no entry of a list of {len(items)}", "Entries count from 0.")
    return int(key)


def _value(text: str, change: str) -> Any:
    """Return a value in TOML; a bare word is a string."""
    try:
        value, *more = tomllib.loads(f"value = {text}").values()
    except (ValueError, RecursionError) as error:
        if not text.strip() or text.strip()[0] in "[{\"'":
            raise StudyFileError(f"--set {change}: not a TOML value: {error}", "See https://toml.io.") from None
        return text.strip()
    return text.strip() if more else value
