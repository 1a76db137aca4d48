"""Checks of what a user wrote: each refuses in one sentence with the place, the value and what is allowed."""

from __future__ import annotations

import json
import math
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from spikefront.domains import is_domain
from spikefront.errors import StudyFileError, did_you_mean, shown

LARGEST = 2**53
"""Largest whole number of a study file: what JSON and float64 hold exactly."""

M = TypeVar("M", bound=BaseModel)

_REASONS = {
    "bool_type": "should be true or false",
    "dict_type": "should be a table",
    "float_type": "should be a number",
    "int_from_float": "should be a whole number",
    "int_type": "should be a whole number",
    "list_type": "should be a list",
    "string_pattern_mismatch": "has characters that are not allowed here",
    "string_too_long": "is too long",
    "string_type": "should be a string",
    "too_short": "is too short",
    "tuple_type": "should be a list",
}
_LIMITS = {
    "gt": "above",
    "ge": "at least",
    "lt": "below",
    "le": "at most",
    "min_length": "length at least",
    "max_length": "length at most",
}


def plain(value: Any, path: str = "") -> Any:
    """Return a copy of nested values of a study file.

    Raises:
        StudyFileError: One of them is no number, string, boolean, list or table, or a number that cannot be used.
    """
    match value:
        case None | bool() | str():
            return value
        case int() if abs(value) <= LARGEST:
            return value
        case float() if math.isfinite(value):
            return value
        case list() | tuple():
            return [plain(item, f"{path}.{number}") for number, item in enumerate(value)]
        case Mapping():
            return {str(key): plain(item, f"{path}.{key}" if path else str(key)) for key, item in value.items()}
        case int():
            raise StudyFileError(f"{path} = {shown(value)}: is too large", f"Whole numbers go up to {LARGEST}.")
        case float():
            raise StudyFileError(f"{path} = {value}: is not finite", "Give a number.")
    hint = "Use numbers, strings, booleans, lists and tables."
    raise StudyFileError(f"{path} = {shown(value)}: a {type(value).__name__} has no meaning here", hint)


def table(path: str, value: Any) -> dict[str, Any]:
    """Return a table of a study file.

    Raises:
        StudyFileError: It is missing, or something else.
    """
    if value is None:
        raise StudyFileError(f"[{path}]: the section is missing", "A study file needs [study], [task] and [search].")
    if not isinstance(value, dict):
        raise StudyFileError(f"{path} = {shown(value)}: should be a table", f"Write [{path}].")
    return value


def validated(model: type[M], values: Mapping[str, Any], path: str) -> M:
    """Return a model made from values of a study file, strictly typed: no number from a string, no 2.0 for 2.

    Args:
        model: Settings or a component.
        values: Plain values by the names of its fields.
        path: Where they stand.

    Raises:
        StudyFileError: A key is unknown or missing, or a value is not allowed.
    """
    try:
        return model.model_validate_json(json.dumps(dict(values)), strict=True)
    except ValidationError as error:
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        raise _refusal(model, first, path) from None


def _refusal(model: type[BaseModel], error: ErrorDetails, path: str) -> StudyFileError:
    kind, keys, value = error["type"], error["loc"], error["input"]
    place = ".".join([path, *map(str, keys)])
    inner, own = _innermost(model, keys)
    if kind == "extra_forbidden":
        return StudyFileError(f"{place}: no such key", did_you_mean(str(own[-1]), fields(inner)))
    hint = _hint(inner, own)
    if kind == "missing":
        return StudyFileError(f"{place}: is missing", hint)
    if keys and is_domain(value):
        return StudyFileError(f"{place} = {shown(value)}: cannot be searched", hint)
    reason = _REASONS.get(kind) or error["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return StudyFileError(f"{place} = {shown(value)}: {reason}" if keys else f"{place}: {reason}", hint)


def _innermost(model: type[BaseModel], keys: tuple[int | str, ...]) -> tuple[type[BaseModel], tuple[int | str, ...]]:
    """Return the model of the table within a table that a path leads to, and the path from there."""
    while len(keys) > 1 and str(keys[0]) in fields(model):
        annotation = fields(model)[str(keys[0])].annotation
        options = [option for option in (annotation, *get_args(annotation)) if isinstance(option, type)]
        inner = next((option for option in options if issubclass(option, BaseModel)), None)
        if inner is None:
            break
        model, keys = inner, keys[2 if isinstance(keys[1], int) else 1 :]
    return model, keys


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by what a study file calls them."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _hint(model: type[BaseModel], keys: tuple[int | str, ...]) -> str:
    known = fields(model)
    if not keys or str(keys[0]) not in known:
        return f"Keys: {', '.join(known)}."
    info = known[str(keys[0])]
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    told = default and not isinstance(default, BaseModel)
    words = [info.description or "see the docs", *limits(info.metadata), *([f"default {default!r}"] if told else [])]
    return f"{keys[0]}: {'; '.join(words)}."


def limits(metadata: Iterable[Any]) -> Iterator[str]:
    """Yield the limits of a field in words, from its metadata."""
    for limit in metadata:
        for attribute, words in _LIMITS.items():
            bound = getattr(limit, attribute, None)
            if bound is not None:
                yield f"{words} {bound}"


def tables_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models of the tables that a field may hold a list of."""
    lists = [option for option in types_of(annotation) if typing.get_origin(option) in {tuple, list}]
    inner = [one for option in lists for part in get_args(option) for one in types_of(part)]
    return [one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)]


def types_of(annotation: Any) -> list[Any]:
    """Return the types of which a field holds one."""
    if typing.get_origin(annotation) in {types.UnionType, typing.Union}:
        return [option for part in get_args(annotation) for option in types_of(part)]
    if typing.get_origin(annotation) is typing.Annotated:
        return types_of(get_args(annotation)[0])
    return [annotation]
