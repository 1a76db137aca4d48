"""Commands that only read: studies, one study, its front, analyses of it; the version."""

from __future__ import annotations

import json
from collections import Counter
from importlib.metadata import version as installed_version
from typing import Annotated, Any

import typer
from rich.console import Console

from spikefront.cli.options import (
    DatabaseOption,
    Format,
    FormatOption,
    PluginsOption,
    StudyName,
    registry_of,
)
from spikefront.cli.output import print_listing
from spikefront.errors import SpikefrontError
from spikefront.search.record import changes_since, recorded_specification
from spikefront.search.screening import recorded_standing
from spikefront.storage import DEFAULT_DATABASE, Database, StudyRow, queries
from spikefront.study import Study
from spikefront.study_file import read_changes


def studies(db: DatabaseOption = DEFAULT_DATABASE, form: FormatOption = Format.table) -> None:
    """List the studies of a database."""
    with Database.read_only(db) as database:
        rows = [
            {
                "name": row.name,
                "state": row.state,
                "objectives": ", ".join(objective.name for objective in row.objectives),
                "evaluations": row.evaluations,
                "failed": row.failed,
                "reused": row.reused,
                "created": row.created_at.isoformat(timespec="seconds"),
            }
            for row in queries.studies(database)
        ]
    print_listing(rows, form, "Studies")


def show(
    name: StudyName,
    db: DatabaseOption = DEFAULT_DATABASE,
    form: FormatOption = Format.table,
    plugins_dir: PluginsOption = None,
) -> None:
    """Show a study: state, counts, reference point, search space, and which plugins gave its components."""
    with Database.read_only(db) as database:
        row = queries.study(database, name)
        standing = recorded_standing(database, name)
    facts: dict[str, Any] = {
        "name": row.name,
        "state": row.state,
        "seed": row.seed,
        "objectives": ", ".join(f"{o.name} ({o.direction}, {o.unit})" for o in row.objectives),
        "evaluations": row.evaluations,
        "failed": row.failed,
        "reused": row.reused,
        "reference": {name: list(pair) for name, pair in (row.reference or {}).items()},
        **({"screening": str(standing)} if standing else {}),
        "created": row.created_at.isoformat(timespec="seconds"),
        "updated": row.updated_at.isoformat(timespec="seconds"),
        "spikefront": row.spikefront_version,
        "specification": json.loads(row.specification),
        "plugins": [f"{p.kind} {p.name}: {p.plugin} {p.version}".rstrip() for p in row.plugins],
        **_changed(row, plugins_dir),
    }
    if form is Format.json:
        Console().print_json(data=facts)
        return
    lines = [
        (key, value) for key, value in facts.items() if key not in {"specification", "plugins", "changed", "missing"}
    ]
    lines += [(f"[{section}]", value) for section, value in facts["specification"].items()]
    lines += [("plugin", line) for line in facts["plugins"]]
    lines += [("changed since", line) for line in facts.get("changed", [])]
    lines += [("not here", line) for line in facts.get("missing", [])]
    print_listing([{"": key, "value": _text(value)} for key, value in lines], form, f"Study '{name}'")


def front(name: StudyName, db: DatabaseOption = DEFAULT_DATABASE, form: FormatOption = Format.table) -> None:
    """List the candidates of a study that no other dominates, by their pure objective values."""
    with Database.read_only(db) as database:
        print_front(database, name, form)


def print_front(database: Database, name: str, form: Format) -> None:
    """Print the front of a study."""
    rows = front_rows(database, name)
    if form is Format.table:
        rows = [_brief(row) for row in rows]
    print_listing(rows, form, f"Front of '{name}'")


def front_rows(database: Database, name: str) -> list[dict[str, Any]]:
    """Return the front of a study as plain values, the first objective ordering it."""
    study = queries.study(database, name)
    objectives = [objective.name for objective in study.objectives]
    return [
        {
            "id": row.number,
            "objectives": {name: row.mean(name) for name in objectives},
            "standard_errors": {name: row.measurements[name].standard_error for name in objectives},
            "measurements": {name: row.mean(name) for name in row.measurements if name not in objectives},
            "genome": row.genes,
            "seed": study.seed,
            "generation": row.generation,
        }
        for row in queries.front(database, name)
    ]


def analyse(
    name: StudyName,
    analysis: Annotated[str, typer.Argument(metavar="ANALYSIS", help="What to make of it, for example hypervolume.")],
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a parameter of it; repeatable.")
    ] = None,
    db: DatabaseOption = DEFAULT_DATABASE,
    form: FormatOption = Format.table,
    plugins_dir: PluginsOption = None,
) -> None:
    """Print a table that an analysis makes of a study."""
    study = Study.open(name, db=db, plugins=plugins_dir or ())
    table = study.analyse(analysis, **read_changes(changes or ()))
    print_listing(json.loads(table.to_json(orient="records", double_precision=15)), form, f"{analysis} of '{name}'")


def version() -> None:
    """Print the version."""
    print(installed_version("spikefront"))  # noqa: T201


def _changed(row: StudyRow, plugins_dir: list[str] | None) -> dict[str, list[str]]:
    """Return what has changed since a study was recorded, or what is missing to tell it."""
    try:
        return {"changed": changes_since(row, recorded_specification(row, registry_of(plugins_dir)))}
    except SpikefrontError as error:
        return {"missing": [f"{error.message}. {error.hint}"]}


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the front for a table: objectives and genes, without arrays and with short names."""
    genes = {path: _text(value) for path, value in row["genome"].items() if not isinstance(value, dict)}
    last = Counter(path.rpartition(".")[2] for path in genes)
    short = {path: path.rpartition(".")[2] if last[path.rpartition(".")[2]] == 1 else path for path in genes}
    short |= {path: path.rpartition(".")[0] for path in genes if path.endswith(".use")}
    named = {short[path]: value for path, value in genes.items()}
    return {"id": row["id"], **row["objectives"], "generation": row["generation"], **named}


def _text(value: Any) -> Any:
    match value:
        case {"$array": shape}:
            return f"array {' x '.join(map(str, shape))}"
        case dict():
            return ", ".join(f"{key} = {item}" for key, item in value.items())
        case [dict(), *_]:
            return f"{len(value)} entries"
        case list():
            return " ".join(map(str, value))
    return value
