"""The command that takes a candidate or a whole study home: `export`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from spikefront.checks import validated
from spikefront.cli.candidates import recorded
from spikefront.cli.options import DEFAULT_DATABASE, DatabaseOption, PluginsOption, StudyName, registry_of
from spikefront.cli.writing import require_free, write_folder
from spikefront.components import Candidate, CandidateExporter, EvaluationRecord, Exporter, StudyExporter, StudyRecord
from spikefront.errors import InputError
from spikefront.exported import candidate_of
from spikefront.plugins import Registry
from spikefront.specification import Specification
from spikefront.storage import Database, queries
from spikefront.study_file import read_changes

E = TypeVar("E", CandidateExporter, StudyExporter)

OptionalId = Annotated[
    int | None, typer.Argument(metavar="[ID]", help="Number of the candidate; without it, the whole study.")
]


def export(
    name: StudyName,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder to write; must not exist or be empty.")],
    candidate: OptionalId = None,
    exporter: Annotated[
        str | None,
        typer.Option("--as", metavar="FORMAT", help="Exporter; safetensors for a candidate, csv for a study."),
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a parameter of the exporter; repeatable."),
    ] = None,
    db: DatabaseOption = DEFAULT_DATABASE,
    plugins_dir: PluginsOption = None,
) -> None:
    """Write a candidate's trained network, or a whole study, to a folder."""
    registry, changes = registry_of(plugins_dir), read_changes(change or ())
    write: Callable[[Path], object]
    if candidate is None:
        study_exporter = _exporter(registry, StudyExporter, exporter, changes)
        require_free(to)
        with Database.read_only(db) as database:
            study = study_record(database, name, registry)
        what, write = f"study '{name}'", lambda folder: study_exporter.export(study, folder)
    else:
        candidate_exporter = _exporter(registry, CandidateExporter, exporter, changes)
        require_free(to)
        with Database.read_only(db) as database:
            one = _candidate(database, name, candidate, registry)
        what, write = f"candidate {candidate} of '{name}'", lambda folder: candidate_exporter.export(one, folder)
    write_folder(to, write)
    typer.echo(f"Wrote {what} to {to}")


def study_record(database: Database, name: str, registry: Registry) -> StudyRecord:
    """Return what an exporter gets of a study.

    Raises:
        StorageError: There is no such study.
        InputError: A plugin of the study is not there.
    """
    archive = queries.archive(database, name)
    document = json.loads(archive.study.specification)
    return StudyRecord(
        name=name,
        document=document,
        objectives=archive.study.objectives,
        space=Specification.from_document(document, registry).space,
        evaluations=tuple(
            EvaluationRecord(
                number=row.number,
                generation=row.generation,
                genome=archive.genomes[row.genome_hash],
                measurements=row.measurements,
                failure=row.failure,
                on_front=row.number in archive.front,
                parents=() if row.ask is None else archive.parents[row.ask],
                budget=row.budget,
                reused=row.reused,
                seconds=row.seconds,
                finished_at=row.finished_at,
            )
            for row in archive.evaluations
        ),
    )


def _candidate(database: Database, name: str, candidate: int, registry: Registry) -> Candidate:
    """Return what an exporter gets of a candidate: the weights of the last retraining, if there was one."""
    study, row = recorded(database, name, candidate, registry)
    trained = [old for old in queries.retrainings(database, name, candidate) if old.has_weights]
    source = trained[-1] if trained else row
    means = {term: measurement.mean for term, measurement in source.measurements.items()}
    weights = queries.weights(database, name, source.number, source.purpose)
    return candidate_of(study, candidate, row.genome, means, weights)


def _exporter(registry: Registry, form: type[E], name: str | None, changes: dict[str, Any]) -> E:
    """Return the exporter of a name, or the default of its form.

    Raises:
        PluginError: There is no exporter of this name.
        InputError: It is of the other form; the hint names those that would fit.
    """
    known = registry.components(Exporter.kind)
    fitting = [other for other, found in known.items() if issubclass(found, form)]
    chosen = name or next((default for default in registry.defaults(Exporter.kind) if default in fitting), None)
    if chosen is None:
        raise InputError("--as: is missing", f"Name one of: {', '.join(sorted(fitting)) or 'no plugin gives any'}.")
    found = registry.get(Exporter, chosen)
    if not issubclass(found, form):
        formats = ", ".join(sorted(fitting)) or "none"
        if form is StudyExporter:
            message = f"--as {chosen}: is a format for one candidate, and no ID was given"
            hint = f"Give the ID of a candidate (see `spikefront front`); formats for a whole study: {formats}."
        else:
            message = f"--as {chosen}: is a format for a whole study, and the ID of a candidate was given"
            hint = f"Leave out the ID; formats for one candidate: {formats}."
        raise InputError(message, hint)
    return validated(found, changes, chosen)
