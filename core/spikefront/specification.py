"""A study: what is searched, for what, on what; read from a study file and checked as a whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from spikefront.checks import plain, table, validated
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
from spikefront.plugins import Registry, load
from spikefront.sections import Section
from spikefront.settings import Budget, Settings
from spikefront.space import Space
from spikefront.study_file import read_document
from spikefront.study_parts import (
    COMPONENT_SECTIONS,
    Regulariser,
    Screening,
    as_kind,
    candidate_sections,
    check_reference,
    fixed,
    read_by,
    read_operators,
    read_regularisers,
    read_screening,
    read_terms,
    space_of,
)

_SECTIONS = {"study", *COMPONENT_SECTIONS, "regularisers", "search", "execution"}

C = TypeVar("C", bound=Component)


@dataclass(frozen=True)
class Resolved:
    """One candidate of a study: components without anything left open."""

    task: Task
    trainer: Trainer
    parts: Parts


@dataclass(frozen=True)
class Specification:
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
        screening: Which candidates deserve training, guessed beforehand; None where all are trained.
        space: All searched parameters.
        registry: The plugins that its names are looked up in.
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
    screening: Screening | None
    space: Space
    registry: Registry = field(compare=False, repr=False)

    @classmethod
    def from_file(cls, path: Path, registry: Registry, changes: Iterable[str] = ()) -> Specification:
        """Read a study file.

        Args:
            path: A TOML file.
            registry: Known components; those of the folders in `study.plugins` are added.
            changes: Assignments `path=value` on top of it.

        Raises:
            StudyFileError: The file is wrong; the message has file, path, value, and what is allowed.
        """
        document = read_document(path, changes)
        try:
            return cls.from_document(document, registry, path.parent)
        except InputError as error:
            raise StudyFileError(f"{path}: {error.message}", error.hint) from error

    @classmethod
    def from_document(cls, document: Mapping[str, Any], registry: Registry, folder: str | Path = ".") -> Specification:
        """Return the study that nested plain values describe; `study.plugins` is relative to `folder`."""
        document = plain(document)
        for key in document:
            if key not in _SECTIONS:
                raise StudyFileError(f"[{key}]: no such section", did_you_mean(key, _SECTIONS))
        settings = validated(Settings, table("study", document.get("study")), "study")
        if document["study"].pop("plugins", None):  # where they are is no part of what the study is
            registry = load(registry.sources.beside(Path(folder) / name for name in settings.plugins))
        search = table("search", document.get("search"))
        budget = validated(Budget, {k: v for k, v in search.items() if k in Budget.model_fields}, "search")
        algorithm = {k: v for k, v in search.items() if k not in Budget.model_fields}
        sections = candidate_sections(document, registry)
        objectives = read_terms("study.objectives", settings.objectives, registry)
        columns = read_terms("study.columns", settings.columns, registry, taken=objectives)
        regularisers = read_regularisers(document.get("regularisers", []), objectives, columns, registry)
        terms = (*objectives, *columns, *(regulariser.term for regulariser in regularisers))
        check_reference(budget, objectives)
        others = Budget.model_fields
        searched = fixed("search", Algorithm, algorithm, registry, key="algorithm", others=others)
        if budget.wait < 1 and not searched.partial:
            raise StudyFileError(
                f"search.wait = {budget.wait:g}: algorithm '{searched.name}' can only be told of whole generations",
                "Leave it out, or use another algorithm, for example 'nsga2'.",
            )
        return cls(
            document=document,
            settings=settings,
            budget=budget,
            sections=sections,
            objectives=objectives,
            columns=columns,
            regularisers=regularisers,
            operators=read_operators(budget.operators, registry),
            algorithm=searched,
            executor=fixed("execution", Executor, document.get("execution", {}), registry),
            screening=read_screening(budget.screening, objectives, terms, registry),
            space=space_of(sections),
            registry=registry,
        )

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.settings.name

    @property
    def problem_objectives(self) -> tuple[Objective, ...]:
        """The objectives as an algorithm sees them."""
        return tuple(Objective(term.name, term.direction) for term in self.objectives)

    @property
    def hands_on_weights(self) -> bool:
        """Whether what candidates have learnt is needed until the search ends."""
        return self.budget.inherits or self.algorithm.wants_weights

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
            InputError: The genome lacks a value, or its values do not go together.
        """
        made = {
            name: tuple(section.resolve(genome) for section in sections) for name, sections in self.sections.items()
        }
        arrays = {section.path: section.arrays(genome) for group in self.sections.values() for section in group}
        parts = Parts(
            network=_only(Network, made),
            neurons=tuple(as_kind(NeuronModel, neuron) for neuron in made["neuron"]),
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
        task = self.sections["task"][0].resolve(genome)
        for name in read_by(type(task)):
            made = [section.resolve(genome) for section in self.sections[name]]
            tables = [{"use": component.name, **component.model_dump(mode="json")} for component in made]
            document[name] = tables if isinstance(document.get(name), list) else tables[0]
        return document

    def components(self) -> list[type[Component]]:
        """Return the classes of all components that the study may use."""
        used = [cls for group in self.sections.values() for section in group for cls in section.components.values()]
        terms = [*self.objectives, *self.columns, *(regulariser.term for regulariser in self.regularisers)]
        used += [type(component) for component in (*terms, *self.operators, self.algorithm, self.executor)]
        used += [type(self.screening.predictor)] if self.screening else []
        return list(dict.fromkeys(used))

    def check(self) -> None:
        """Refuse what can be known to fail before any candidate is tried.

        Raises:
            InputError: Data are missing, a network does not fit its input, or an operator has nothing to work on.
        """
        for number, operator in enumerate(self.operators):
            if operator.genes != "*" and not any(fnmatchcase(path, operator.genes) for path in self.space):
                message = f"search.operators.{number}.genes = '{operator.genes}': no searched parameter is called that"
                raise StudyFileError(message, did_you_mean(operator.genes, self.space))
        for task in self.sections["task"][0].variants():
            if isinstance(task, SupervisedTask):
                task.check()
                for network in self.sections["network"][0].variants():
                    as_kind(Network, network).check(task.input_shape)


def _only(contract: type[C], made: Mapping[str, tuple[Component, ...]]) -> C:
    return as_kind(contract, made[contract.kind][0])
