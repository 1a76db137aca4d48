"""Domains as a study file writes them: `{ low, high, step, log }`, `{ choice }` or `{ low, high, each }`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from spikefront.errors import StudyFileError, did_you_mean, shown
from spikefront.space import Choice, Integer, ListOf, Real

Single = Choice | Integer | Real
Searched = Single | ListOf
"""A domain that a study file can describe; arrays are declared by components."""

Numbers = bool | None
"""Whether the numbers that a parameter holds are whole; None where it is no number."""

MANY = 256
"""Whole numbers of a range that are looked at one by one."""

_KEYS = ("low", "high", "step", "log", "choice", "each")


def is_domain(value: Any) -> bool:
    """Tell whether a value of a study file is meant as a domain."""
    return isinstance(value, dict) and any(key in value for key in _KEYS)


def parse_domain(path: str, table: dict[str, Any], holds: Numbers | Mapping[str, Numbers]) -> Searched:
    """Return the domain that a table describes.

    Args:
        path: Where it stands in the file.
        table: See `is_domain`.
        holds: What the parameter holds: numbers or something else; of a list of tables, what each of their keys holds.

    Raises:
        StudyFileError: An unknown key, a missing end, an empty choice, an impossible range.
    """
    if isinstance(holds, Mapping) and "choice" not in table:
        return _list(path, table, holds)
    return _single(path, table, None if isinstance(holds, Mapping) else holds)


def ends(domain: Searched) -> list[Any]:
    """Return the smallest and the largest value of a range, or all values of a choice.

    Of a list they are short ones in which each key takes the ends of its domain in turn, and a longest one.
    """
    match domain:
        case Choice(values):
            return list(values)
        case Integer(low=low, high=high):
            return [low, domain.project(high)]
        case Real(low=low, high=high):
            return [low, high]
        case ListOf(each, low, high):
            first = {key: ends(one)[0] for key, one in each.items()}
            tables = [{**first, key: value} for key, one in each.items() for value in ends(one)]
            return [*([one] * max(low, 1) for one in tables), [tables[-1]] * high]


def every(domain: Searched) -> list[Any]:
    """Return all values of a domain, or its ends where there are too many."""
    if isinstance(domain, Integer) and (domain.high - domain.low) // domain.step < MANY:
        return list(range(domain.low, domain.high + 1, domain.step))
    return ends(domain)


def _single(path: str, table: dict[str, Any], whole: Numbers) -> Single:
    """Return a domain that is no list."""
    _require_keys(path, table)
    if "choice" in table:
        return _choice(path, table)
    if "each" in table:
        raise StudyFileError(f"{path} = {shown(table)}: this parameter is no list of tables", "Leave each out.")
    if whole is None:
        raise StudyFileError(f"{path} = {shown(table)}: this parameter has no range", "Use { choice = [...] }.")
    for key in ("low", "high"):
        if key not in table:
            raise StudyFileError(f"{path}.{key}: is missing", "A range has low and high.")
    return _range(path, table, whole)


def _list(path: str, table: dict[str, Any], holds: Mapping[str, Numbers]) -> ListOf:
    """Return the domain of a list of tables, of which `holds` has the keys."""
    _require_keys(path, table)
    each, hint = table.get("each"), "A searched list is { low = 2, high = 8, each = { key = value or domain } }."
    if not isinstance(each, dict) or not each or set(table) != {"low", "high", "each"}:
        raise StudyFileError(f"{path} = {shown(table)}: describes no list", hint)
    keys: dict[str, Single] = {}
    for key, value in each.items():
        place = f"{path}.each.{key}"
        if key not in holds:
            raise StudyFileError(f"{place}: no such key", did_you_mean(key, holds))
        keys[key] = _single(place, value, holds[key]) if is_domain(value) else Choice((value,))
    length = _range(path, {"low": table["low"], "high": table["high"]}, whole=True)
    if length.low < 0 or length.high < 1:
        raise StudyFileError(f"{path} = {shown(table)}: low is below 0, or high below 1", hint)
    return ListOf(dict(sorted(keys.items())), int(length.low), int(length.high))


def _require_keys(path: str, table: dict[str, Any]) -> None:
    for key in table:
        if key not in _KEYS:
            raise StudyFileError(f"{path}.{key}: no such key of a domain", did_you_mean(key, _KEYS))


def _choice(path: str, table: dict[str, Any]) -> Choice:
    values = table["choice"]
    if len(table) > 1:
        raise StudyFileError(f"{path} = {shown(table)}: 'choice' stands alone", "Give a choice or a range, not both.")
    if not isinstance(values, list) or not values:
        raise StudyFileError(f"{path}.choice = {shown(values)}: is empty or no list", "List at least one value.")
    return Choice(tuple(values))


def _range(path: str, table: dict[str, Any], whole: bool) -> Integer | Real:
    for key in ("low", "high", "step"):
        _require_number(f"{path}.{key}", table.get(key, 1), whole)
    low, high, step, log = table["low"], table["high"], table.get("step"), table.get("log", False)
    here = f"{path} = {shown(table)}"
    if not isinstance(log, bool):
        raise StudyFileError(
            f"{path}.log = {shown(log)}: should be true or false", "A logarithmic range has log = true."
        )
    if low > high:
        raise StudyFileError(f"{here}: low is above high", "Swap them.")
    if log and low <= 0:
        raise StudyFileError(f"{here}: a logarithmic range cannot touch 0", "Raise low above 0, or drop log.")
    if step is not None and not whole:
        raise StudyFileError(f"{here}: only whole numbers have a step", "Use { choice = [...] } for a few numbers.")
    if step is not None and step <= 0:
        raise StudyFileError(f"{path}.step = {step}: should be above 0", "Without a step, it is 1.")
    if not math.isfinite(high - low):
        raise StudyFileError(f"{here}: the range is too wide", "Its width has to be a finite number.")
    return Integer(low, high, step or 1, log) if whole else Real(float(low), float(high), log)


def _require_number(path: str, value: Any, whole: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        wanted = "a whole number, as the parameter is" if whole else "a number"
        raise StudyFileError(f"{path} = {shown(value)}: should be {wanted}", "A range has low and high.")
