"""Widgets of the form that builds a study: one for a value, some for a domain. Their values stand in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from spikefront.describe import written
from spikefront_app import form_values as values

_BOUND: dict[str, Any] = {"bind": "query-params"}


def ask_names(label: str, options: Sequence[str], key: str, default: Sequence[str] = ()) -> list[str]:
    """Return some of the names that are offered."""
    known = [name for name in default if name in options]
    return [str(name) for name in st.multiselect(label, options, known, key=key, placeholder="None", **_BOUND)]


def ask_choice(label: str, options: Sequence[str], key: str, default: str = "", hint: str = "") -> str:
    """Return one of the names that are offered."""
    index = options.index(default) if default in options else 0
    return str(st.selectbox(label, options, index, key=key, help=hint or None, **_BOUND))


def ask_name(label: str, options: Sequence[str], key: str) -> str:
    """Return one of the names that are offered, or ""."""
    return str(st.selectbox(label, options, None, key=key, placeholder="None", **_BOUND) or "")


def ask_value(path: str, info: FieldInfo) -> Any:
    """Return the value of a parameter.

    Raises:
        InputError: It is written in TOML, and is no value.
    """
    hint, first = values.caption(path.rpartition(".")[2], info), values.start_of(info)
    match values.entry_of(info):
        case "flag":
            return st.toggle(path, bool(first), key=path, help=hint, **_BOUND)
        case "choice":
            return ask_choice(path, values.choices_of(info), path, str(first), hint)
        case "whole":
            return int(st.number_input(path, value=int(first), step=1, key=path, help=hint, **_BOUND))
        case "number":
            return float(st.number_input(path, value=float(first), format="%g", key=path, help=hint, **_BOUND))
        case "text":
            default = "" if info.is_required() else str(info.get_default(call_default_factory=True) or "")
            return st.text_input(path, default, key=path, help=hint, **_BOUND)
    text = st.text_input(f"{path}, in TOML", written(first), key=path, help=hint, **_BOUND)
    return values.parsed(path, text)


def ask_domain(path: str, info: FieldInfo) -> dict[str, Any]:
    """Return a domain for a parameter: a range of numbers, or a choice.

    Raises:
        InputError: A choice is written in TOML, and one of its entries is no value.
    """
    entry, hint = values.entry_of(info), values.caption(path.rpartition(".")[2], info)
    if entry == "flag":
        st.caption(f"{path}: true or false")
        return {"choice": [True, False]}
    if entry == "choice":
        options = values.choices_of(info)
        return {"choice": ask_names(f"{path}, one of", options, f"{path}.choice", options)}
    if entry in {"toml", "text"}:
        first = written(values.start_of(info))
        text = st.text_input(f"{path}, one of (TOML, commas between)", first, key=f"{path}.choice", help=hint, **_BOUND)
        return {"choice": values.listed(path, text)}
    return _ask_range(path, info, hint, whole=entry == "whole")


def _ask_range(path: str, info: FieldInfo, hint: str, whole: bool) -> dict[str, Any]:
    number = int if whole else float
    first = number(values.start_of(info))
    arguments: dict[str, Any] = {"step": 1} if whole else {"format": "%g"}
    columns = st.columns([3, 3, 2, 3], vertical_alignment="bottom")
    with columns[0]:
        low = st.number_input(f"{path} from", value=first, key=f"{path}.low", help=hint, **arguments, **_BOUND)
    with columns[1]:
        high = st.number_input("to", value=number(first * 2 or 1), key=f"{path}.high", **arguments, **_BOUND)
    with columns[2]:
        log = st.toggle("log", key=f"{path}.log", help="Drawn evenly on a logarithmic scale.", **_BOUND)
    with columns[3]:
        step = int(st.number_input("step", 1, value=1, key=f"{path}.step", **_BOUND)) if whole else None
        text = st.text_input("or one of", key=f"{path}.choice", placeholder="1, 2, 4", **_BOUND)
    return {"choice": values.listed(path, text)} if text.strip() else values.range_of(low, high, log, step)
