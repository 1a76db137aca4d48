"""The form that builds a study: a part for each section of a study file, its fields from the components' schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st
from pydantic.fields import FieldInfo

from spikefront.components import Component
from spikefront.describe import parameters
from spikefront.plugins import Registry
from spikefront.settings import Budget, EarlyStop, Screening, Settings
from spikefront.study_parts import COMPONENT_SECTIONS, read_by
from spikefront_app import form_values as values
from spikefront_app.form_fields import ask_choice, ask_domain, ask_name, ask_names, ask_value
from spikefront_app.widgets import switch

_ELSEWHERE = ("name", "objectives", "columns", "population", "operators", "early_stop", "screening")
"""Fields of [study] and [search] that have a place of their own in the form."""


def study_form(registry: Registry) -> dict[str, Any]:
    """Show the form, and return the study that it says so far, as nested plain values.

    Raises:
        InputError: A value that is written in TOML is none.
    """
    document: dict[str, Any] = {}
    with st.expander("Study", expanded=True):
        document["study"] = _study(registry)
    with st.expander("Task", expanded=True):
        document["task"] = _component("task", registry)
    chosen = [registry.components("task")[name] for name in _named(document["task"])]
    read = frozenset.intersection(*map(read_by, chosen)) if chosen else frozenset()
    for kind in COMPONENT_SECTIONS[1:]:
        if kind in read:
            with st.expander(kind.capitalize()):
                document[kind] = _neurons(registry) if kind == "neuron" else _component(kind, registry)
    with st.expander("Regularisers"):
        document["regularisers"] = _regularisers(registry, document["study"])
    with st.expander("Search", expanded=True):
        document["search"] = _search(registry)
    with st.expander("Execution"):
        document["execution"] = _component("execution", registry, kind="executor", searchable=False)
    usual = {name: {"use": registry.default("executor" if name == "execution" else name)} for name in document}
    return {name: given for name, given in document.items() if given and given != usual[name]}


def _study(registry: Registry) -> dict[str, Any]:
    name = st.text_input("Name", "new-study", key="study.name", bind="query-params", help="Letters, digits, _ . and -.")
    terms = registry.components("fitness")
    objectives = ask_names("Objectives", list(terms), "study.objectives", ["accuracy", "energy"])
    columns = ask_names("Recorded only", [one for one in terms if one not in objectives], "study.columns")
    table: dict[str, Any] = {"name": name, "objectives": _terms("study.objectives", objectives, terms)}
    if columns:
        table["columns"] = _terms("study.columns", columns, terms)
    return table | _values("study", values.known_fields([Settings], [*_ELSEWHERE, "plugins"]))


def _terms(path: str, names: Iterable[str], known: Mapping[str, type[Component]]) -> list[Any]:
    """Return entries of a list of fitness terms or operators, each with the parameters that are set."""
    return [values.term(name, _values(f"{path}.{name}", values.known_fields([known[name]]))) for name in names]


def _component(section: str, registry: Registry, kind: str = "", searchable: bool = True) -> dict[str, Any]:
    """Show the part of a section that names a component, or a choice of some."""
    known = registry.components(kind or section)
    first = registry.default(kind or section) or ("digits" if "digits" in known else next(iter(known)))
    if searchable:
        names = ask_names("Component; more than one: the search chooses", list(known), f"{section}.use", [first])
    else:
        names = [ask_choice("Component", list(known), f"{section}.use", first)]
    chosen = [known[name] for name in names]
    _described(chosen)
    given = _values(section, values.known_fields(chosen), searchable)
    return values.component_table(names, given)


def _neurons(registry: Registry) -> Any:
    """Show the part of the neurons: one model for all layers, or a list with one for each."""
    several = (
        "More than 1: a model for each layer that fires, from the input on; the last one serves all that are left."
    )
    number = st.number_input("Neuron models", 1, 16, key="neurons", bind="query-params", help=several)
    if number == 1:
        return _component("neuron", registry)
    entries = []
    for place in range(int(number)):
        st.markdown(f"**Layer {place + 1}**")
        entries.append(_component(f"neuron.{place}", registry, kind="neuron"))
    return entries


def _described(components: list[type[Component]]) -> None:
    """Show what components are, and a table of their parameters."""
    if not components:
        return
    st.caption(values.summary_of(components))
    rows = [{"component": cls.name} | asdict(one) for cls in components for one in parameters(cls)]
    if rows:
        with st.popover("Parameters", icon=":material/info:"):
            st.dataframe(pd.DataFrame(rows).drop(columns="searchable"), hide_index=True)


def _values(path: str, known: Mapping[str, FieldInfo], searchable: bool = False) -> dict[str, Any]:
    """Ask which parameters are set and which are searched, and for their values; the others keep their defaults."""
    if not known:
        return {}
    needed = [name for name, info in known.items() if info.is_required()]
    fixed = ask_names(f"Fixed parameters of {path}", list(known), f"{path}.set", needed)
    free = [name for name in known if name not in fixed]
    searched = ask_names(f"Searched parameters of {path}", free, f"{path}.search") if searchable and free else []
    given = {name: ask_value(f"{path}.{name}", known[name]) for name in fixed}
    return given | {name: ask_domain(f"{path}.{name}", known[name]) for name in searched}


def _regularisers(registry: Registry, study: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Show the fitness terms that move objectives."""
    known = registry.components("fitness")
    taken = [_name(entry) for entry in (*study["objectives"], *study.get("columns", ()))]
    entries = []
    for name in ask_names("Regularisers", [one for one in known if one not in taken], "regularisers"):
        path = f"regularisers.{name}"
        first, second, third = st.columns(3)
        with first:
            on = ask_choice(f"{name} moves", [_name(entry) for entry in study["objectives"]], f"{path}.on", "accuracy")
        with second:
            weight = st.number_input(
                f"Weight of {name}", value=0.02, format="%g", key=f"{path}.weight", bind="query-params"
            )
        with third:
            end = st.number_input(
                "at last",
                value=None,
                format="%g",
                key=f"{path}.end",
                bind="query-params",
                placeholder="the same",
                help="Over the generations, the weight changes linearly to this one.",
            )
        schedule = weight if end is None else {"start": weight, "end": end}
        entries.append({"use": name, "on": on, "weight": schedule, **_values(path, values.known_fields([known[name]]))})
    return entries


def _search(registry: Registry) -> dict[str, Any]:
    known = registry.components("algorithm")
    first, second, third = st.columns(3)
    with first:
        algorithm = ask_choice("Algorithm", list(known), "search.algorithm", registry.default("algorithm"))
    with second:
        population = ask_value("search.population", Budget.model_fields["population"])
    with third:
        generations = st.number_input("Generations", 1, value=10, key="search.generations", bind="query-params")
    _described([known[algorithm]])
    table = {"algorithm": algorithm, "population": population, "generations": int(generations)}
    table |= _values("search", values.known_fields([Budget, known[algorithm]], [*_ELSEWHERE, "generations"]))
    if "evaluations" in table:
        del table["generations"]
    operators = registry.components("operator")
    if used := ask_names("Operators before the usual ones", list(operators), "search.operators"):
        table["operators"] = _terms("search.operators", used, operators)
    if switch("Stop candidates early that others leave behind", "search.early_stop"):
        table["early_stop"] = _values("search.early_stop", values.known_fields([EarlyStop]))
    predictors = registry.components("predictor")
    if predictor := ask_name("Train only candidates that a score speaks for", list(predictors), "search.screening"):
        fields = values.known_fields([Screening, predictors[predictor]])
        table["screening"] = {"use": predictor, **_values("search.screening", fields)}
    return table


def _name(entry: Any) -> str:
    return str(entry["use"] if isinstance(entry, Mapping) else entry)


def _named(table: Mapping[str, Any]) -> list[str]:
    use = table.get("use", [])
    return list(use["choice"]) if isinstance(use, Mapping) else [use] if use else []
