"""Components and their parameters in words, for the documentation, the command line and the app."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from spikefront.checks import fields, limits, types_of
from spikefront.components import Component
from spikefront.study_parts import COMPONENT_SECTIONS

_WORDS = {bool: "true or false", int: "whole number", float: "number", str: "string"}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a component, in words.

    Attributes:
        name: What a study file calls it.
        type: What it holds: "number", "list of whole numbers", 'one of "hard", "soft"'.
        default: Its default as a study file writes it; "needed" where it has none, "none" where nothing is set.
        range: Limits of its value, "above 0, at most 1"; empty where there are none.
        description: What it means, with its unit.
        searchable: Whether a study may search it.
    """

    name: str
    type: str
    default: str
    range: str
    description: str
    searchable: bool


def parameters(component: type[Component]) -> list[Parameter]:
    """Return the parameters of a component, its own first and then those of its contract."""
    own = inspect.get_annotations(component)
    known = fields(component)
    names = sorted(known, key=lambda name: name not in own)
    searchable = component.kind in COMPONENT_SECTIONS
    return [
        Parameter(
            name=name,
            type=type_in_words(known[name].annotation),
            default=_default(known[name]),
            range=_range(known[name]),
            description=known[name].description or "",
            searchable=searchable,
        )
        for name in names
    ]


def summary(described: Any) -> str:
    """Return the first sentence of the docstring of a class or function; empty where it has none of its own."""
    return (inspect.cleandoc(described.__doc__ or "").split("\n\n")[0]).replace("\n", " ")


def type_in_words(annotation: Any) -> str:
    """Return what a field of this type holds; None, which stands for "not set", is left out."""
    words = [_one_type(option) for option in types_of(annotation) if option is not type(None)]
    return " or ".join(dict.fromkeys(words))


def written(value: Any) -> str:
    """Return a value as a study file writes it; "none" for None, which a study file cannot."""
    match value:
        case None:
            return "none"
        case BaseModel():
            return written(value.model_dump(mode="json", by_alias=True))
        case Mapping():
            items = ", ".join(f"{key} = {written(item)}" for key, item in value.items())
            return f"{{ {items} }}" if items else "{}"
        case list() | tuple():
            return f"[{', '.join(map(written, value))}]"
    return json.dumps(value)


def _one_type(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(map(written, inner))}"
    if origin in {tuple, list}:
        return f"list of {_plural(type_in_words(inner[0]))}"
    if origin is dict:
        return f"table of {_plural(type_in_words(inner[1]))}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "table"
    return _WORDS.get(kind, "any value")


def _plural(words: str) -> str:
    return f"{words}s" if words in {"number", "whole number", "string", "table"} else f"values, each {words}"


def _default(info: FieldInfo) -> str:
    return "needed" if info.is_required() else written(info.get_default(call_default_factory=True))


def _range(info: FieldInfo) -> str:
    """Return the limits of a field and, of a list, those of its entries."""
    each = [
        limit
        for option in types_of(info.annotation)
        for entry in get_args(option)
        if get_origin(entry) is Annotated
        for inner in entry.__metadata__
        for limit in limits(inner.metadata if isinstance(inner, FieldInfo) else [inner])
    ]
    return "; ".join(
        part for part in (", ".join(limits(info.metadata)), f"each {', '.join(each)}" if each else "") if part
    )
