"""The command that takes a candidate or a whole study home: `export`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from spikefront.checks import validated
from spikefront.cli.options import DatabaseOption, PluginsOption, StudyName, registry_of
from spikefront.cli.writing import require_free, write_folder
from spikefront.components import CandidateExporter, Exporter, StudyExporter
from spikefront.errors import InputError
from spikefront.plugins import Registry
from spikefront.storage import DEFAULT_DATABASE
from spikefront.study import Study
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
        record = Study.open(name, db=db, plugins=plugins_dir or ()).record()
        what, write = f"study '{name}'", lambda folder: study_exporter.export(record, folder)
    else:
        candidate_exporter = _exporter(registry, CandidateExporter, exporter, changes)
        require_free(to)
        one = Study.open(name, db=db, plugins=plugins_dir or ()).candidate(candidate)
        what, write = f"candidate {candidate} of '{name}'", lambda folder: candidate_exporter.export(one, folder)
    write_folder(to, write)
    typer.echo(f"Wrote {what} to {to}")


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
