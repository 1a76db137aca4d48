"""A study: what is searched, for what, on what; read from a study file and checked as a whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from spikefront.components import (
    Algorithm,
    Coder,
    Component,
    Encoding,
    Executor,
    Fitness,
    Network,
    NeuronModel,
    Objective,
    Operator,
    Parts,
    SupervisedTask,
    Surrogate,
    Synapse,
    Task,
    Trainer,
)
from spikefront.errors import InputError, StudyFileError, did_you_mean
from spikefront.genome import Genome
from spikefront.plugins import Registry
from spikefront.sections import Section, parse_section
from spikefront.space import Gene, Space
from spikefront.study_file import read_document

COMPONENT_SECTIONS = ("task", "network", "neuron", "surrogate", "synapse", "coder", "encoding", "trainer")
"""Sections that describe a candidate; each is named after the kind of its component."""

_SECTIONS = {"study", *COMPONENT_SECTIONS, "regularisers", "search", "execution"}
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


S = TypeVar("S", bound=_Settings)
C = TypeVar("C", bound=Component)


class Settings(_Settings):
    """The [study] section."""

    name: str = Field(pattern=_NAME, max_length=100)
    seed: int = Field(0, ge=0)
    objectives: list[Any] = Field(min_length=1)
    columns: list[Any] = Field(default_factory=list)
    replicates: int = Field(1, ge=1, le=1000)
    keep: Literal["front", "all", "none"] = "front"


class Budget(_Settings):
    """The part of the [search] section that is not the algorithm's."""

    population: int = Field(24, ge=2)
    generations: int | None = Field(None, ge=1)
    evaluations: int | None = Field(None, ge=1)
    operators: list[Any] = Field(default_factory=list)
    reference: dict[str, tuple[float, float]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_budget(self) -> Budget:
        if (self.generations is None) == (self.evaluations is None):
            raise ValueError("give either generations or evaluations")
        return self

    @property
    def total(self) -> int:
        """Number of candidates that the search asks for."""
        return self.evaluations or self.population * (self.generations or 0)

    @property
    def last_generation(self) -> int:
        """Number of generations, a partial last one included."""
        return -(-self.total // self.population)


class Schedule(_Settings):
    """A weight that changes linearly from `start` to `end` during the first share `until` of the generations."""

    start: float
    end: float
    until: float = Field(1.0, gt=0, le=1)

    def at(self, generation: int, generations: int) -> float:
        """Return the weight of a generation, counted from 0."""
        span = self.until * max(generations - 1, 1)
        return self.start + (self.end - self.start) * min(generation / span, 1.0)


@dataclass(frozen=True)
class Regulariser:
    """A fitness term that moves an objective's value as the search sees it."""

    term: Fitness
    on: str
    weight: Schedule


@dataclass(frozen=True)
class Resolved:
    """One candidate of a study: components without anything left open."""

    task: Task
    trainer: Trainer
    parts: Parts


@dataclass(frozen=True)
class Study:
    """A whole study, checked.

    Attributes:
        document: The study as plain JSON values, as it was given.
        settings: Its [study] section.
        budget: How much is searched.
        sections: What describes a candidate; a list where a section may be given for each layer.
        objectives: Fitness terms that are searched for, in order.
        columns: Fitness terms that are recorded only.
        regularisers: Fitness terms that move objectives.
        operators: Evolution operators; for a gene the first that fits counts.
        algorithm: How it is searched.
        executor: Where it runs.
        space: All searched parameters.
    """

    document: Mapping[str, Any]
    settings: Settings
    budget: Budget
    sections: Mapping[str, tuple[Section, ...]]
    objectives: tuple[Fitness, ...]
    columns: tuple[Fitness, ...]
    regularisers: tuple[Regulariser, ...]
    operators: tuple[Operator, ...]
    algorithm: Algorithm
    executor: Executor
    space: Space

    @classmethod
    def from_file(cls, path: Path, registry: Registry, changes: Iterable[str] = ()) -> Study:
        """Read a study file.

        Args:
            path: A TOML file.
            registry: Known components.
            changes: Assignments `path=value` on top of it.

        Raises:
            StudyFileError: The file is wrong; the message has file, path, value, and what is allowed.
        """
        document = read_document(path, changes)
        try:
            return cls.from_document(document, registry)
        except InputError as error:
            raise StudyFileError(f"{path}: {error.message}", error.hint) from error

    @classmethod
    def from_document(cls, document: Mapping[str, Any], registry: Registry) -> Study:
        """Return the study that nested plain values describe; see `from_file`."""
        for key in document:
            if key not in _SECTIONS:
                raise StudyFileError(f"[{key}]: no such section", did_you_mean(key, _SECTIONS))
        settings = _settings(Settings, "study", document.get("study"))
        search = _table("search", document.get("search"))
        budget = _settings(Budget, "search", {k: v for k, v in search.items() if k in Budget.model_fields})
        sections = _candidate_sections(document, registry)
        algorithm = {k: v for k, v in search.items() if k not in Budget.model_fields}
        objectives = _terms("study.objectives", settings.objectives, registry)
        study = cls(
            document=document,
            settings=settings,
            budget=budget,
            sections=sections,
            objectives=objectives,
            columns=_terms("study.columns", settings.columns, registry, taken=objectives),
            regularisers=_regularisers(document.get("regularisers", []), objectives, registry),
            operators=_operators(budget.operators, registry),
            algorithm=_fixed("search", Algorithm, algorithm, registry, key="algorithm"),
            executor=_fixed("execution", Executor, document.get("execution", {}), registry),
            space=_space(sections),
        )
        _check_reference(study)
        return study

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.settings.name

    @property
    def problem_objectives(self) -> tuple[Objective, ...]:
        """The objectives as an algorithm sees them."""
        return tuple(Objective(term.name, term.direction) for term in self.objectives)

    def to_json(self) -> str:
        """Return the study as canonical JSON, from which `from_document` makes it again."""
        return json.dumps(self.document, sort_keys=True, separators=(",", ":"))

    @property
    def specification_hash(self) -> str:
        """SHA-256 of all that decides the outcome: everything but where it runs."""
        document = {key: value for key, value in self.document.items() if key != "execution"}
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

    def resolve(self, genome: Genome) -> Resolved:
        """Return the components that a genome stands for.

        Raises:
            StudyFileError: The genome's values do not go together.
        """
        made = {
            name: tuple(section.resolve(genome) for section in sections) for name, sections in self.sections.items()
        }
        arrays = {section.path: section.arrays(genome) for group in self.sections.values() for section in group}
        parts = Parts(
            network=_only(Network, made),
            neurons=tuple(_as(NeuronModel, neuron) for neuron in made["neuron"]),
            surrogate=_only(Surrogate, made),
            synapse=_only(Synapse, made),
            coder=_only(Coder, made),
            encoding=_only(Encoding, made),
            arrays=arrays,
        )
        return Resolved(_only(Task, made), _only(Trainer, made), parts)

    def resolved_document(self, genome: Genome) -> dict[str, Any]:
        """Return this study with the values of one genome in place of every domain, as plain JSON."""
        document: dict[str, Any] = json.loads(self.to_json())
        for name, sections in self.sections.items():
            tables = []
            for section in sections:
                component = section.resolve(genome)
                tables.append({"use": component.name, **component.model_dump(mode="json")})
            document[name] = tables if isinstance(document.get(name), list) else tables[0]
        return document

    def components(self) -> list[type[Component]]:
        """Return the classes of all components that the study may use."""
        used = [cls for group in self.sections.values() for section in group for cls in section.components.values()]
        terms = [*self.objectives, *self.columns, *(regulariser.term for regulariser in self.regularisers)]
        used += [type(component) for component in (*terms, *self.operators, self.algorithm, self.executor)]
        return list(dict.fromkeys(used))

    def check(self) -> None:
        """Refuse what can be known to fail before any candidate is tried.

        Raises:
            InputError: Data are missing, or a network does not fit its input.
        """
        for task in self.sections["task"][0].variants():
            if not isinstance(task, SupervisedTask):
                continue
            task.check()
            for network in self.sections["network"][0].variants():
                _as(Network, network).check(task.input_shape)


def _settings(model: type[S], path: str, table: Any) -> S:
    try:
        return model.model_validate_json(json.dumps(_table(path, table)))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([path, *map(str, first["loc"])])
        if first["type"] == "extra_forbidden":
            raise StudyFileError(
                f"{place}: no such key", did_you_mean(str(first["loc"][-1]), model.model_fields)
            ) from None
        if first["type"] == "missing":
            raise StudyFileError(f"{place}: is missing", f"[{path}] needs it.") from None
        reason = first["msg"].removeprefix("Value error, ").replace("Input should", "should")
        value = "" if isinstance(first["input"], dict) else f" = {first['input']!r}"
        hint = "Allowed keys: " + ", ".join(model.model_fields) + "."
        raise StudyFileError(f"{place}{value}: {reason}", hint) from None


def _table(path: str, value: Any) -> dict[str, Any]:
    if value is None:
        raise StudyFileError(f"[{path}]: the section is missing", "A study file needs [study], [task] and [search].")
    if not isinstance(value, dict):
        raise StudyFileError(f"{path} = {value!r}: should be a table", f"Write [{path}].")
    return value


def _candidate_sections(document: Mapping[str, Any], registry: Registry) -> dict[str, tuple[Section, ...]]:
    _table("task", document.get("task"))
    sections: dict[str, tuple[Section, ...]] = {}
    for kind in COMPONENT_SECTIONS:
        table = document.get(kind, {})
        default = registry.default(kind)
        if isinstance(table, list) and kind == "neuron" and table:
            paths = [(f"{kind}.{number}", entry) for number, entry in enumerate(table)]
        else:
            paths = [(kind, table)]
        sections[kind] = tuple(parse_section(path, kind, entry, registry, default) for path, entry in paths)
    for name, task in sections["task"][0].components.items():
        read = (task.sections if issubclass(task, Task) else frozenset()) | {"task", "trainer"}
        for kind in COMPONENT_SECTIONS:
            if kind in document and kind not in read:
                raise StudyFileError(f"[{kind}]: task '{name}' does not read this section", "Remove it.")
    return sections


def _as(contract: type[C], component: Component) -> C:
    """Return a component, whose kind a section has made sure of, as what it is."""
    if not isinstance(component, contract):
        raise TypeError(f"{component!r} is no {contract.__name__}")
    return component


def _only(contract: type[C], made: Mapping[str, tuple[Component, ...]]) -> C:
    return _as(contract, made[contract.kind][0])


def _fixed(path: str, contract: type[C], table: Any, registry: Registry, key: str = "use") -> C:
    """Return a component that cannot be searched."""
    kind = contract.kind
    if isinstance(table, dict) and key != "use":
        if "use" in table:
            raise StudyFileError(f"{path}.use: no such key", f"Here the key is '{key}'.")
        table = {("use" if name == key else name): value for name, value in table.items()}
    section = parse_section(path, kind, table, registry, registry.default(kind))
    genes = [name for name, _ in section.genes()]
    if genes:
        raise StudyFileError(f"{genes[0]}: cannot be searched", "Give a fixed value.")
    return _as(contract, section.resolve({}))


def _terms(path: str, names: list[Any], registry: Registry, taken: Iterable[Fitness] = ()) -> tuple[Fitness, ...]:
    terms: list[Fitness] = []
    for number, entry in enumerate(names):
        term = _fixed(f"{path}.{number}", Fitness, entry, registry)
        if any(term.name == other.name for other in (*terms, *taken)):
            raise StudyFileError(f"{path}.{number}: '{term.name}' is there already", "Name each fitness term once.")
        terms.append(term)
    return tuple(terms)


def _regularisers(tables: Any, objectives: tuple[Fitness, ...], registry: Registry) -> tuple[Regulariser, ...]:
    if not isinstance(tables, list):
        raise StudyFileError("regularisers: should be a list of tables", "Write [[regularisers]].")
    names = [objective.name for objective in objectives]
    regularisers: list[Regulariser] = []
    for number, table in enumerate(tables):
        path = f"regularisers.{number}"
        rest = dict(_table(path, table))
        on, weight = rest.pop("on", None), rest.pop("weight", None)
        if on not in names:
            raise StudyFileError(f"{path}.on = {on!r}: is no objective of this study", f"Allowed: {', '.join(names)}.")
        if isinstance(weight, int | float) and not isinstance(weight, bool):
            weight = {"start": weight, "end": weight}
        term = _fixed(path, Fitness, rest, registry)
        if any(other.term.name == term.name for other in regularisers) or term.name in names:
            raise StudyFileError(f"{path}.use = '{term.name}': is there already", "Use each fitness term once.")
        regularisers.append(Regulariser(term, on, _settings(Schedule, f"{path}.weight", weight)))
    return tuple(regularisers)


def _operators(entries: list[Any], registry: Registry) -> tuple[Operator, ...]:
    entries = [*entries, *registry.defaults("operator")]
    return tuple(_fixed(f"search.operators.{n}", Operator, entry, registry) for n, entry in enumerate(entries))


def _space(sections: Mapping[str, tuple[Section, ...]]) -> Space:
    genes: dict[str, Gene] = {}
    for group in sections.values():
        for section in group:
            for path, gene in section.genes():
                if path in genes:
                    raise StudyFileError(f"{path}: two components of a choice evolve an array of this name", "Use one.")
                genes[path] = gene
    return Space(genes)


def _check_reference(study: Study) -> None:
    names = [term.name for term in study.objectives]
    for name, (ideal, reference) in study.budget.reference.items():
        if name not in names:
            raise StudyFileError(f"search.reference.{name}: is no objective", f"Allowed: {', '.join(names)}.")
        if ideal == reference:
            raise StudyFileError(f"search.reference.{name}: ideal equals reference", "Give two different numbers.")
