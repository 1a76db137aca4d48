"""What a search finds in the database when it starts: the study's record, new or there already."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from spikefront.components import Component
from spikefront.discovery import OURS
from spikefront.errors import InputError, PluginError, StorageError
from spikefront.job import Evaluation
from spikefront.plugins import Registry
from spikefront.search.archive import Archive, Entry
from spikefront.source_hash import source_hash
from spikefront.sources import DISABLED_VARIABLE
from spikefront.specification import Specification
from spikefront.storage import (
    Database,
    EvaluationDetail,
    Provenance,
    Purpose,
    StudyObjective,
    StudyRow,
    StudyStore,
    queries,
)


def open_store(study: Specification, database: Database) -> StudyStore:
    """Return the study's record: the one that is there, if it is of the same study, or a new one."""
    known = {row.name: row for row in queries.studies(database)}
    if study.name not in known:
        return StudyStore.create(
            database,
            study.name,
            specification=study.to_json(),
            specification_hash=study.specification_hash,
            seed=study.settings.seed,
            objectives=[StudyObjective(term.name, term.direction, term.unit) for term in study.objectives],
            plugins=[_provenance(component, study.registry) for component in study.components()],
        )
    if known[study.name].specification_hash != study.specification_hash:
        raise StorageError(
            f"study '{study.name}' is recorded already, with another specification",
            "Give this one another name (--set study.name=...), use another database (--db), "
            "or go back to the specification that is recorded to continue it.",
        )
    return StudyStore.open(database, study.name)


def recorded_specification(
    row: StudyRow, registry: Registry, execution: Mapping[str, Any] | None = None
) -> Specification:
    """Return what a recorded study was told to search.

    Args:
        row: The study.
        registry: Known components.
        execution: Keys to change in the section [execution].

    Raises:
        PluginError: A component that it needs is not here; the message says which plugin gave it and how to get it.
    """
    for one in row.plugins:
        if one.name not in registry.components(one.kind):
            raise PluginError(
                f"study '{row.name}' needs {one.kind} '{one.name}' of plugin {_called(one)}, which is not in use here",
                _way_to_get(one, registry),
            )
    document = json.loads(row.specification)
    if execution:
        document["execution"] = document.get("execution", {}) | execution
    return Specification.from_document(document, registry)


def _way_to_get(missing: Provenance, registry: Registry) -> str:
    """Return what to do about a component that is not here."""
    for plugin in registry.plugins:
        if plugin.name == missing.plugin and plugin.state != "in use":
            return f"It is {plugin.state}. {plugin.reason or f'Take it out of {DISABLED_VARIABLE}.'}"
    if not registry.sources.others and missing.origin != OURS:
        return "Leave out --no-plugins."
    match missing.origin:
        case "":
            return "Give its folder with --plugins-dir, or install it."
        case "code":
            return f"Give the module {missing.plugin} as a plugin, in Python."
        case folder if os.path.isabs(folder):
            return f"Give its folder: --plugins-dir {folder}"
        case distribution:
            return f"Install it: pip install {distribution}=={missing.version}"


def _called(one: Provenance) -> str:
    return f"'{one.plugin}' {one.version}".strip()


def _provenance(component: type[Component], registry: Registry) -> Provenance:
    plugin = registry.provider(component.kind, component.name)
    return Provenance(
        component.kind, component.name, plugin.name, plugin.version, plugin.origin, source_hash(component)
    )


def changes_since(row: StudyRow, study: Specification) -> list[str]:
    """Return what differs between the plugins of today and those that a study was recorded with, a sentence each."""
    then = {(one.kind, one.name): one for one in row.plugins}
    found = []
    for component in study.components():
        now = _provenance(component, study.registry)
        old = then.get((now.kind, now.name), now)
        if (old.plugin, old.version) != (now.plugin, now.version):
            found.append(f"{now.kind} '{now.name}' was of {_called(old)}, now of {_called(now)}")
        elif old.source and old.source != now.source:
            found.append(f"the code of {now.kind} '{now.name}' in plugin {_called(now)} has changed")
    if (today := version("spikefront")) != row.spikefront_version:
        found.append(f"Spikefront was {row.spikefront_version}, now {today}")
    return found


def recorded_entries(database: Database, study: Specification, archive: Archive) -> dict[int, Entry]:
    """Return what earlier runs recorded, by number."""
    rows = queries.evaluations(database, study.name, "search")
    genomes = queries.genomes(database, {row.genome_hash for row in rows})
    return {
        row.number: Entry(
            row.number,
            row.generation,
            genomes[row.genome_hash],
            row.measurements,
            archive.regularised(row.measurements, row.generation),
            row.reused,
            row.budget,
        )
        for row in rows
    }


def candidate_row(database: Database, study: str, candidate: int) -> EvaluationDetail:
    """Return the evaluation of a candidate of a search that gave something.

    Raises:
        StorageError: There is no such study or candidate.
        InputError: The candidate failed.
    """
    row = queries.evaluation(database, study, candidate)
    if row.failure:
        message = f"candidate {candidate} of '{study}' failed: {row.failure.message}"
        raise InputError(message, f"See `spikefront front {study}` for those that did not.")
    return row


def recorded_evaluation(database: Database, study: str, number: int, purpose: Purpose = "search") -> Evaluation:
    """Return a recorded evaluation as it came from its worker; without weights where they were dropped."""
    row = queries.evaluation(database, study, number, purpose)
    return Evaluation(
        row.genome,
        measurements=row.measurements,
        failure=row.failure,
        history=tuple({key: value for key, value in line.items() if value is not None} for line in row.history),
        recording=row.recording,
        samples=row.samples,
        seconds=row.seconds,
        peak_memory=row.peak_memory,
        worker=row.worker,
        weights=queries.weights(database, study, number, purpose) if row.has_weights else b"",
    )
