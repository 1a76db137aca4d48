"""One section of a study file: a component, or a choice of components, with fixed and searched parameters."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from spikefront.checks import tables_in, types_of, validated
from spikefront.components import KINDS, Component, Ranges
from spikefront.components.base import searched
from spikefront.domains import Numbers, ends, every, is_domain, parse_domain
from spikefront.errors import InputError, PluginError, StudyFileError, did_you_mean, shown
from spikefront.genome import Genome, same
from spikefront.plugins import Registry
from spikefront.space import Choice, Gene


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
        """Return the component that a genome chooses, with its parameters.

        Raises:
            InputError: The genome lacks a value, or holds one that is not allowed.
        """
        name = _taken(genome, f"{self.path}.use") if self.is_choice else next(iter(self.components))
        if name not in self.components:
            raise InputError(f"genome: {self.path}.use = {shown(name)}", did_you_mean(str(name), self.components))
        cls = self.components[name]
        own = self._own(cls)
        values = {key: _taken(genome, f"{self.path}.{key}") if searched(own[key]) else own[key] for key in own}
        return validated(cls, values, self.path)

    def arrays(self, genome: Genome) -> dict[str, Any]:
        """Return the evolved arrays of this section, by name."""
        prefix = f"{self.path}."
        return {path.removeprefix(prefix): a for path, a in genome.arrays.items() if path.startswith(prefix)}

    def variants(self, most: int = 256) -> Iterator[Component]:
        """Yield each possible component with the ends of its domains.

        These are all combinations of them, or, where those are more than `most`, each end beside the first and beside
        the last ends of the other parameters.
        """
        for cls in self.components.values():
            own = self._own(cls)
            for values in _combinations([ends(v) if searched(v) else [v] for v in own.values()], most):
                yield validated(cls, dict(zip(own, values, strict=True)), self.path)

    def _own(self, cls: type[Component]) -> dict[str, Any]:
        """Return the parameters that one of the components has."""
        return {key: value for key, value in self.parameters.items() if key in cls.model_fields}

    def _ranges(self, cls: type[Component]) -> dict[str, Any]:
        first = next(iter(Section(self.path, {cls.name: cls}, self.parameters).variants()))
        ranges = {name: getattr(first, name) for name in cls.model_fields}
        return ranges | {key: value for key, value in self._own(cls).items() if searched(value)}


def parse_section(
    path: str,
    kind: str,
    table: Any,
    registry: Registry,
    *,
    key: str = "use",
    others: Collection[str] = (),
) -> Section:
    """Return a section of a study file, checked; its parameters are sorted, so that their order decides nothing.

    Args:
        path: Where it stands in the file.
        kind: Kind of its component.
        table: Its content; a string stands for a component without parameters.
        registry: Known components.
        key: Key that names the component; without it, the registry's default serves.
        others: Keys that the table may have beside, already taken out of it.

    Raises:
        StudyFileError: Unknown component or key, wrong type, impossible range.
    """
    if isinstance(table, str):
        table = {key: table}
    if not isinstance(table, dict):
        hint = f"Write a table with {key} = '...', or the name of a component."
        raise StudyFileError(f"{path} = {shown(table)}: should be a table", hint)
    given = dict(sorted(table.items()))
    components = _components(f"{path}.{key}", kind, given.pop(key, None) or registry.default(kind), registry)
    fields = {name for cls in components.values() for name in cls.model_fields}
    parameters: dict[str, Any] = {}
    for name, value in given.items():
        if name not in fields:
            who = " or ".join(f"'{component}'" for component in components)
            hint = did_you_mean(name, {*fields, *others, key})
            raise StudyFileError(f"{path}.{name}: {kind} {who} has no such parameter", hint)
        holds = _holds(name, components.values())
        parameters[name] = parse_domain(f"{path}.{name}", value, holds) if is_domain(value) else value
    return _checked(Section(path, components, parameters))


def _components(place: str, kind: str, use: Any, registry: Registry) -> dict[str, type[Component]]:
    names = use["choice"] if isinstance(use, dict) and set(use) == {"choice"} else [use]
    if not use:
        raise StudyFileError(f"{place}: is missing", f"Allowed: {', '.join(sorted(registry.components(kind)))}.")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        hint = f"Allowed: {', '.join(sorted(registry.components(kind)))}."
        raise StudyFileError(f"{place} = {shown(use)}: should name a {kind}, or a choice of them", hint)
    if len(set(names)) < len(names):
        raise StudyFileError(f"{place} = {shown(names)}: a component is named twice", "Name each once.")
    try:
        return {name: registry.get(KINDS[kind], name) for name in names}
    except PluginError as error:
        raise StudyFileError(f"{place}: {error.message}", error.hint) from None


def _checked(section: Section) -> Section:
    """Check every value of each domain and combinations of their ends; give choices the form that fields give them."""
    parameters = dict(section.parameters)
    for cls in section.components.values():
        own = [key for key in parameters if key in cls.model_fields]
        first = {key: ends(parameters[key])[0] if searched(parameters[key]) else parameters[key] for key in own}
        for key in own:
            domain = parameters[key]
            if searched(domain):
                made = [validated(cls, {**first, key: value}, section.path) for value in every(domain)]
                if isinstance(domain, Choice):
                    parameters[key] = _distinct(f"{section.path}.{key}", [m.model_dump(mode="json")[key] for m in made])
    checked = Section(section.path, section.components, parameters)
    for _ in checked.variants():
        pass
    return checked


def _distinct(path: str, values: list[Any]) -> Choice:
    for number, value in enumerate(values):
        if any(same(value, other) for other in values[:number]):
            raise StudyFileError(f"{path}.choice: {shown(value)} is listed twice", "List each value once.")
    return Choice(tuple(values))


def _combinations(values: list[list[Any]], most: int) -> Iterator[tuple[Any, ...]]:
    if math.prod(map(len, values)) <= most:
        yield from product(*values)
        return
    for others in ([options[0] for options in values], [options[-1] for options in values]):
        for position, options in enumerate(values):
            for value in options:
                yield (*others[:position], value, *others[position + 1 :])


def _taken(genome: Mapping[str, Any], path: str) -> Any:
    if path not in genome:
        raise InputError(f"genome: {path} is missing", "Use a genome of this study.")
    return genome[path]


def _holds(name: str, components: Collection[type[BaseModel]]) -> Numbers | dict[str, Numbers]:
    """Return what a parameter holds in at least one of the components; see `parse_domain`."""
    fields = [cls.model_fields[name] for cls in components if name in cls.model_fields]
    tables = [table for info in fields for table in tables_in(info.annotation)]
    if tables:
        return {key: _is_whole([one.model_fields[key] for one in tables if key in one.model_fields])
                for table in tables for key in table.model_fields}  # fmt: skip
    return _is_whole(fields)


def _is_whole(fields: Collection[FieldInfo]) -> Numbers:
    found = [option for info in fields for option in types_of(info.annotation)]
    return int in found if int in found or float in found else None
