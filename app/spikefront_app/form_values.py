"""From the type of a parameter to what a form asks for, and from what was filled in to a study file: pure functions."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from spikefront.checks import fields, limits, types_of
from spikefront.components import Component
from spikefront.describe import summary, type_in_words, written
from spikefront.errors import InputError

Entry = Literal["flag", "whole", "number", "choice", "text", "toml"]
"""What a form asks with: a switch, a number, a list to choose from, a text, or a value in TOML."""


def entry_of(info: FieldInfo) -> Entry:
    """Return what a form asks for a field with."""
    options = [option for option in types_of(info.annotation) if option is not type(None)]
    if all(get_origin(option) is Literal for option in options):
        return "choice"
    single: dict[Any, Entry] = {bool: "flag", int: "whole", float: "number", str: "text"}
    numbers = {option for option in options if option in {int, float}}
    if numbers:
        return "number" if float in numbers else "whole"
    return single.get(options[0], "toml") if len(options) == 1 else "toml"


def choices_of(info: FieldInfo) -> list[str]:
    """Return what a field of a few values may hold."""
    return [
        str(value) for option in types_of(info.annotation) if option is not type(None) for value in get_args(option)
    ]


def start_of(info: FieldInfo) -> Any:
    """Return what a form shows first for a field: its default, or the least that is allowed."""
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    if default is not None:
        return default
    least = [bound for limit in info.metadata for name in ("ge", "gt") if (bound := getattr(limit, name, None))]
    return max([1, *least])


def caption(name: str, info: FieldInfo) -> str:
    """Return the help of a field: what it means, its type, its range, its default."""
    default = "needed" if info.is_required() else f"default {written(info.get_default(call_default_factory=True))}"
    parts = [type_in_words(info.annotation), ", ".join(limits(info.metadata)), default]
    return f"{info.description or name.replace('_', ' ')} ({'; '.join(filter(None, parts))})"


def known_fields(models: Iterable[type[BaseModel]], without: Iterable[str] = ()) -> dict[str, FieldInfo]:
    """Return the fields of some components or tables together, by what a study file calls them."""
    left_out = set(without)
    return {name: info for model in models for name, info in fields(model).items() if name not in left_out}


def parsed(place: str, text: str) -> Any:
    """Return a value in TOML.

    Raises:
        InputError: It is none.
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError, RecursionError) as error:
        hint = 'Write it as in a study file: 2.5, "max", [32, 64].'
        raise InputError(f"{place} = {text}: no value of a study file: {error}", hint) from None


def listed(place: str, text: str) -> list[Any]:
    """Return the values of a list without its brackets, `[32], [64, 32]`.

    Raises:
        InputError: One of them is no value.
    """
    values: list[Any] = parsed(place, f"[{text}]")
    return values


def range_of(low: float, high: float, log: bool, step: int | None = None) -> dict[str, Any]:
    """Return a domain as a study file writes it; what is as by default is left out."""
    domain: dict[str, Any] = {"low": low, "high": high}
    if step is not None and step != 1:
        domain["step"] = step
    return domain | ({"log": True} if log else {})


def component_table(names: list[str], values: Mapping[str, Any], key: str = "use") -> dict[str, Any]:
    """Return the table of a component, or of a choice between some, with the values that were given."""
    use: Any = names[0] if len(names) == 1 else {"choice": names}
    return ({key: use} if names else {}) | dict(values)


def term(name: str, values: Mapping[str, Any]) -> Any:
    """Return an entry of a list of fitness terms or operators: its name, or a table where it has parameters."""
    return {"use": name, **values} if values else name


def summary_of(components: Iterable[type[Component]]) -> str:
    """Return the first sentences of some components, each behind its name."""
    return "  \n".join(f"**{component.name}**: {summary(component)}" for component in components)
