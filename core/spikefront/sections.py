"""One section of a study file: a component, or a choice of components, with fixed and searched parameters."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

from pydantic import ValidationError

from spikefront.components import KINDS, Component, Ranges
from spikefront.components.base import searched
from spikefront.errors import InputError, PluginError, StudyFileError, did_you_mean
from spikefront.genome import Genome
from spikefront.plugins import Registry
from spikefront.space import Choice, Domain, Gene, Integer, Real, Tensor

_RANGE_KEYS = {"low", "high", "step", "log"}


@dataclass(frozen=True)
class Section:
    """A component as a study file describes it.

    Attributes:
        path: Where it stands: "neuron", "neuron.0".
        components: The components it may be, by name; more than one where `use` is a choice.
        parameters: Values given in the file: plain JSON, or a domain where it is searched.
    """

    path: str
    components: Mapping[str, type[Component]]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_choice(self) -> bool:
        """Whether the component itself is searched."""
        return len(self.components) > 1

    def genes(self) -> Iterator[tuple[str, Gene]]:
        """Yield path and gene of everything that is searched here."""
        selector = f"{self.path}.use" if self.is_choice else ""
        if selector:
            yield selector, Gene(Choice(tuple(self.components)))
        for name, value in self.parameters.items():
            if searched(value):
                owners = frozenset(key for key, cls in self.components.items() if name in cls.model_fields)
                always = owners == frozenset(self.components)
                yield f"{self.path}.{name}", Gene(value, *(("", frozenset[str]()) if always else (selector, owners)))
        for component, cls in self.components.items():
            for name, domain in cls.evolved_arrays(Ranges(self._ranges(cls))).items():
                owner = frozenset({component}) if selector else frozenset[str]()
                yield f"{self.path}.{name}", Gene(domain, selector, owner)

    def resolve(self, genome: Mapping[str, Any]) -> Component:
        """Return the component that a genome chooses, with its parameters."""
        name = genome[f"{self.path}.use"] if self.is_choice else next(iter(self.components))
        cls = self.components[name]
        values = {
            key: genome[f"{self.path}.{key}"] if searched(value) else value
            for key, value in self.parameters.items()
            if key in cls.model_fields
        }
        return _validated(cls, values, self.path)

    def arrays(self, genome: Genome) -> dict[str, Any]:
        """Return the evolved arrays of this section, by name."""
        prefix = f"{self.path}."
        return {path.removeprefix(prefix): a for path, a in genome.arrays.items() if path.startswith(prefix)}

    def variants(self, most: int = 256) -> Iterator[Component]:
        """Yield each possible component with combinations of the ends of its domains, at most so many."""
        for cls in self.components.values():
            own = {key: value for key, value in self.parameters.items() if key in cls.model_fields}
            ends = [_ends(value) if searched(value) else [value] for value in own.values()]
            for values in islice(product(*ends), most):
                yield _validated(cls, dict(zip(own, values, strict=True)), self.path)

    def _ranges(self, cls: type[Component]) -> dict[str, Any]:
        first = next(iter(Section(self.path, {cls.name: cls}, self.parameters).variants()))
        ranges = {name: getattr(first, name) for name in cls.model_fields}
        return ranges | {k: v for k, v in self.parameters.items() if k in ranges and searched(v)}


def parse_section(path: str, kind: str, table: Any, registry: Registry, default: str = "") -> Section:
    """Return a section of a study file, checked.

    Args:
        path: Where it stands in the file.
        kind: Kind of its component.
        table: Its content; a string stands for a component without parameters.
        registry: Known components.
        default: Component to use where the table names none.

    Raises:
        StudyFileError: Unknown component or key, wrong type, impossible range.
        PluginError: The component's plugin was set aside.
    """
    if isinstance(table, str):
        table = {"use": table}
    if not isinstance(table, dict):
        raise StudyFileError(f"{path} = {table!r}: should be a table", f"Write [{path}] with use = '...'.")
    given = dict(table)
    components = _components(path, kind, given.pop("use", default), registry)
    known = {name: field for cls in components.values() for name, field in cls.model_fields.items()}
    parameters: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            who = " or ".join(f"'{name}'" for name in components)
            raise StudyFileError(f"{path}.{key}: {kind} {who} has no such parameter", did_you_mean(key, known))
        whole = _is_integer(known[key].annotation)
        parameters[key] = _domain(f"{path}.{key}", value, whole) if _is_domain(value) else value
    return _normalised(Section(path, components, parameters))


def _components(path: str, kind: str, use: Any, registry: Registry) -> dict[str, type[Component]]:
    names = use["choice"] if isinstance(use, dict) and set(use) == {"choice"} else [use]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        allowed = ", ".join(sorted(registry.components(kind)))
        raise StudyFileError(f"{path}.use = {use!r}: should name a {kind}, or a choice of them", f"Allowed: {allowed}.")
    if len(set(names)) < len(names):
        raise StudyFileError(f"{path}.use = {names}: a component is named twice", "Name each once.")
    try:
        return {name: registry.get(KINDS[kind], name) for name in names}
    except PluginError as error:
        raise StudyFileError(f"{path}.use: {error.message}", error.hint) from None


def _normalised(section: Section) -> Section:
    """Check every parameter at the ends of its domain, and bring values to the form that fields give them."""
    parameters = dict(section.parameters)
    for cls in section.components.values():
        own = {key: value for key, value in section.parameters.items() if key in cls.model_fields}
        first = {key: _ends(value)[0] if searched(value) else value for key, value in own.items()}
        plain = _validated(cls, first, section.path).model_dump(mode="json")
        for key, value in own.items():
            if not searched(value):
                parameters[key] = plain[key]
                continue
            ends = [
                _validated(cls, {**first, key: end}, section.path).model_dump(mode="json")[key] for end in _ends(value)
            ]
            parameters[key] = Choice(tuple(ends)) if isinstance(value, Choice) else value
    return Section(section.path, section.components, parameters)


def _validated(cls: type[Component], values: Mapping[str, Any], path: str) -> Component:
    """Return the component; refuse in one sentence what pydantic refuses, strictly typed as in the file."""
    try:
        return cls.model_validate_json(json.dumps(dict(values)), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([path, *map(str, first["loc"])])
        reason = first["msg"].removeprefix("Value error, ").replace("Input should", "should")
        raise StudyFileError(f"{place} = {first['input']!r}: {reason}", _help(cls, first["loc"])) from None
    except TypeError as error:
        raise StudyFileError(f"{path}: {error}", "Use numbers, strings, booleans and lists.") from None


def _help(cls: type[Component], place: tuple[int | str, ...]) -> str:
    info = cls.model_fields.get(str(place[0])) if place else None
    if info is None:
        return f"See {cls.kind} '{cls.name}'."
    limits = ", ".join(repr(limit) for limit in info.metadata)
    default = "" if info.is_required() else f"; default {info.get_default(call_default_factory=True)!r}"
    return f"{place[0]}: {info.description or 'see the docs'}{f' ({limits})' if limits else ''}{default}."


def _is_domain(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and set(value) <= _RANGE_KEYS | {"choice"}


def _is_integer(annotation: Any) -> bool | None:
    """Tell whether a field holds whole numbers; None where it holds no numbers."""
    options = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
    if float in options:
        return False
    return True if int in options else None


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in {types.UnionType, typing.Union}


def _domain(path: str, table: dict[str, Any], whole: bool | None) -> Domain:
    """Return the domain that a table describes."""
    if "choice" in table:
        values = table["choice"]
        if len(table) > 1:
            raise StudyFileError(f"{path} = {table}: 'choice' stands alone", "Give a choice or a range, not both.")
        if not isinstance(values, list) or not values:
            raise StudyFileError(f"{path}.choice = {values!r}: is empty or no list", "List at least one value.")
        return Choice(tuple(values))
    if whole is None:
        raise StudyFileError(f"{path} = {table}: this parameter has no range", "Use { choice = [...] }.")
    missing = {"low", "high"} - set(table)
    if missing:
        raise StudyFileError(f"{path} = {table}: '{missing.pop()}' is missing", "A range has low and high.")
    return _range(path, table, whole)


def _range(path: str, table: dict[str, Any], whole: bool) -> Domain:
    low, high, step, log = table["low"], table["high"], table.get("step"), table.get("log", False)
    numbers = [value for value in (low, high, step) if value is not None]
    kinds = int if whole else (int, float)
    if any(isinstance(n, bool) or not isinstance(n, kinds) for n in numbers) or not isinstance(log, bool):
        wanted = "whole numbers" if whole else "numbers"
        raise StudyFileError(f"{path} = {table}: low, high and step should be {wanted}, log true or false", "Mend it.")
    if low > high:
        raise StudyFileError(f"{path} = {table}: low is above high", "Swap them.")
    if log and low <= 0:
        raise StudyFileError(f"{path} = {table}: a logarithmic range cannot touch 0", "Raise low above 0, or drop log.")
    if step is not None and (step <= 0 or not whole):
        text = "step should be above 0" if whole else "step belongs to whole numbers"
        raise StudyFileError(f"{path} = {table}: {text}", "Use { choice = [...] } for a few numbers.")
    return Integer(low, high, step or 1, log) if whole else Real(float(low), float(high), log)


def _ends(domain: Domain) -> list[Any]:
    match domain:
        case Choice(values):
            return list(values)
        case Integer(low=low, high=high):
            return [low, domain.project(high)]
        case Real(low=low, high=high):
            return [low, high]
        case Tensor():
            raise InputError("an array cannot be a parameter")
