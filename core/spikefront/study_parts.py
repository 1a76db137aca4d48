"""From the tables of a study file to the parts of a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from spikefront.checks import table, validated
from spikefront.components import Component, Fitness, Operator, Predictor, Task
from spikefront.domains import is_domain
from spikefront.errors import StudyFileError, did_you_mean, shown
from spikefront.plugins import Registry
from spikefront.sections import Section, parse_section
from spikefront.settings import Budget, Schedule
from spikefront.settings import Screening as ScreeningSettings
from spikefront.space import Gene, Space

COMPONENT_SECTIONS = ("task", "network", "neuron", "surrogate", "synapse", "coder", "encoding", "trainer")
"""Sections that describe a candidate; each is named after the kind of its component."""

C = TypeVar("C", bound=Component)


@dataclass(frozen=True)
class Regulariser:
    """A fitness term that moves an objective's value as the search sees it."""

    term: Fitness
    on: str
    weight: Schedule


@dataclass(frozen=True)
class Screening:
    """A predictor of which candidates deserve training, and how far it is followed."""

    predictor: Predictor
    settings: ScreeningSettings


def candidate_sections(document: Mapping[str, Any], registry: Registry) -> dict[str, tuple[Section, ...]]:
    """Return the sections that describe a candidate; [[neuron]] may be a list, an entry for each layer that fires.

    Raises:
        StudyFileError: One of them is wrong, or the task does not read it.
    """
    if "task" not in document:
        table("task", None)
    sections: dict[str, tuple[Section, ...]] = {}
    for kind in COMPONENT_SECTIONS:
        given = document.get(kind, {})
        entries = {kind: given}
        if isinstance(given, list) and given and kind == "neuron":
            entries = {f"{kind}.{number}": entry for number, entry in enumerate(given)}
        sections[kind] = tuple(parse_section(path, kind, entry, registry) for path, entry in entries.items())
    for name, task in sections["task"][0].components.items():
        for kind in COMPONENT_SECTIONS:
            if kind in document and kind not in read_by(task):
                raise StudyFileError(f"[{kind}]: task '{name}' does not read this section", "Remove it.")
    return sections


def read_by(task: type[Component]) -> frozenset[str]:
    """Return the sections of a study file that mean something to a task."""
    return (task.sections if issubclass(task, Task) else frozenset()) | {"task", "trainer"}


def as_kind(contract: type[C], component: Component) -> C:
    """Return a component, whose kind a section has made sure of, as what it is."""
    if not isinstance(component, contract):
        raise TypeError(f"{component!r} is no {contract.__name__}")
    return component


def fixed(
    path: str, contract: type[C], given: Any, registry: Registry, *, key: str = "use", others: Iterable[str] = ()
) -> C:
    """Return a component that cannot be searched; see `parse_section`."""
    section = parse_section(path, contract.kind, given, registry, key=key, others=tuple(others))
    if section.is_choice:
        raise StudyFileError(f"{path}.{key}: cannot be searched", "Name one component.")
    for name in section.parameters:
        if is_domain(given[name]):
            raise StudyFileError(f"{path}.{name} = {shown(given[name])}: cannot be searched", "Give a fixed value.")
    return as_kind(contract, section.resolve({}))


def read_terms(path: str, entries: list[Any], registry: Registry, taken: Iterable[Fitness] = ()) -> tuple[Fitness, ...]:
    """Return the fitness terms of a list; each may be in it, and in those `taken` before, only once."""
    terms: list[Fitness] = []
    for number, entry in enumerate(entries):
        term = fixed(f"{path}.{number}", Fitness, entry, registry)
        if any(term.name == other.name for other in (*terms, *taken)):
            raise StudyFileError(f"{path}.{number} = '{term.name}': is there already", "Name each fitness term once.")
        terms.append(term)
    return tuple(terms)


def read_regularisers(
    entries: Any, objectives: tuple[Fitness, ...], columns: tuple[Fitness, ...], registry: Registry
) -> tuple[Regulariser, ...]:
    """Return the regularisers of [[regularisers]]."""
    if not isinstance(entries, list):
        raise StudyFileError("regularisers: should be a list of tables", "Write [[regularisers]].")
    found: list[Regulariser] = []
    for number, entry in enumerate(entries):
        path = f"regularisers.{number}"
        regulariser = _regulariser(path, table(path, entry), [term.name for term in objectives], registry)
        name = regulariser.term.name
        if any(name == other.name for other in (*objectives, *columns, *(one.term for one in found))):
            raise StudyFileError(f"{path}.use = '{name}': is there already", "Use each fitness term once.")
        found.append(regulariser)
    return tuple(found)


def _regulariser(path: str, given: dict[str, Any], objectives: list[str], registry: Registry) -> Regulariser:
    own = {key: value for key, value in given.items() if key not in {"on", "weight"}}
    term = fixed(path, Fitness, own, registry, others=("on", "weight"))
    for key in ("on", "weight"):
        if key not in given:
            raise StudyFileError(f"{path}.{key}: is missing", "A regulariser has use, on and weight.")
    on, weight = given["on"], given["weight"]
    if on not in objectives:
        hint = did_you_mean(str(on), objectives)
        raise StudyFileError(f"{path}.on = {shown(on)}: is no objective of this study", hint)
    if isinstance(weight, int | float) and not isinstance(weight, bool):
        weight = {"start": weight, "end": weight}
    if not isinstance(weight, dict) or is_domain(weight):
        reason = "cannot be searched" if is_domain(weight) else "should be a number or a schedule"
        raise StudyFileError(f"{path}.weight = {shown(weight)}: {reason}", "A schedule is { start = .., end = .. }.")
    return Regulariser(term, on, validated(Schedule, weight, f"{path}.weight"))


def read_operators(entries: list[Any], registry: Registry) -> tuple[Operator, ...]:
    """Return the operators that a study names, and behind them those that serve where it names none."""
    entries = [*entries, *registry.defaults("operator")]
    return tuple(fixed(f"search.operators.{n}", Operator, entry, registry) for n, entry in enumerate(entries))


def read_screening(
    budget: Budget, objectives: tuple[Fitness, ...], terms: Iterable[Fitness], registry: Registry
) -> Screening | None:
    """Return the screening of [search.screening], or None where there is none.

    Raises:
        StudyFileError: Unknown key or predictor, a value that is not allowed, or no such objective.
    """
    given, early_stop = budget.screening, budget.early_stop
    if given is None:
        return None
    path, keys = "search.screening", ScreeningSettings.model_fields
    given = {"use": given} if isinstance(given, str) else table(path, given)
    own = {key: value for key, value in given.items() if key not in keys}
    predictor = fixed(path, Predictor, own, registry, others=keys)
    settings = validated(ScreeningSettings, {key: value for key, value in given.items() if key in keys}, path)
    names = [term.name for term in objectives]
    if settings.objective not in names:
        message = f"{path}.objective = {shown(settings.objective)}: is no objective of this study"
        raise StudyFileError(message, did_you_mean(settings.objective, names))
    if any(term.name == predictor.name for term in terms):
        message = f"{path}.use = '{predictor.name}': is the name of a fitness term of this study as well"
        raise StudyFileError(message, "Their values could not be told apart; use only one of them.")
    if early_stop and settings.budget >= early_stop.rungs[0]:
        message = f"{path}.budget = {settings.budget}: the first rung of early_stop is {early_stop.rungs[0]}"
        raise StudyFileError(message, "Screening comes before it: give a smaller budget.")
    return Screening(predictor, settings)


def space_of(sections: Mapping[str, tuple[Section, ...]]) -> Space:
    """Return all that is searched in some sections.

    Raises:
        StudyFileError: Two things have the same path.
    """
    genes: dict[str, Gene] = {}
    for section in (one for group in sections.values() for one in group):
        for path, gene in section.genes():
            if path in genes:
                hint = "Choose between components whose arrays have different names."
                raise StudyFileError(f"{path}: an evolved array has the name of another gene", hint)
            genes[path] = gene
    return Space(genes)


def check_reference(budget: Budget, objectives: Iterable[Fitness]) -> None:
    """Refuse bounds of the hypervolume that belong to no objective, or leave no room."""
    names = [term.name for term in objectives]
    for name, (ideal, reference) in budget.reference.items():
        if name not in names:
            raise StudyFileError(f"search.reference.{name}: is no objective", did_you_mean(name, names))
        if ideal == reference:
            hint = "Give two different numbers."
            raise StudyFileError(f"search.reference.{name}: ideal and reference are both {ideal}", hint)
