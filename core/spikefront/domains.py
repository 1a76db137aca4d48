"""Domains as a study file writes them: `{ low, high, step, log }` or `{ choice }`."""

from __future__ import annotations

import math
from typing import Any

from spikefront.errors import StudyFileError, did_you_mean, shown
from spikefront.space import Choice, Integer, Real

Searched = Choice | Integer | Real
"""A domain that a study file can describe; arrays are declared by components."""

MANY = 256
"""Whole numbers of a range that are looked at one by one."""

_KEYS = ("low", "high", "step", "log", "choice")


def is_domain(value: Any) -> bool:
    """Tell whether a value of a study file is meant as a domain."""
    return isinstance(value, dict) and any(key in value for key in _KEYS)


def parse_domain(path: str, table: dict[str, Any], whole: bool | None) -> Searched:
    """Return the domain that a table describes.

    Args:
        path: Where it stands in the file.
        table: See `is_domain`.
        whole: Whether its numbers are whole; None where the parameter is no number.

    Raises:
        StudyFileError: An unknown key, a missing end, an empty choice, an impossible range.
    """
    for key in table:
        if key not in _KEYS:
            raise StudyFileError(f"{path}.{key}: no such key of a domain", did_you_mean(key, _KEYS))
    if "choice" in table:
        return _choice(path, table)
    if whole is None:
        raise StudyFileError(f"{path} = {shown(table)}: this parameter has no range", "Use { choice = [...] }.")
    for key in ("low", "high"):
        if key not in table:
            raise StudyFileError(f"{path}.{key}: is missing", "A range has low and high.")
    return _range(path, table, whole)


def ends(domain: Searched) -> list[Any]:
    """Return the smallest and the largest value of a range, or all values of a choice."""
    match domain:
        case Choice(values):
            return list(values)
        case Integer(low=low, high=high):
            return [low, domain.project(high)]
        case Real(low=low, high=high):
            return [low, high]


def every(domain: Searched) -> list[Any]:
    """Return all values of a domain, or its ends where there are too many."""
    if isinstance(domain, Integer) and (domain.high - domain.low) // domain.step < MANY:
        return list(range(domain.low, domain.high + 1, domain.step))
    return ends(domain)


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
