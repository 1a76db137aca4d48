"""Commands about a database as a whole: bring it up to date, copy it, check it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikefront.cli.options import DatabaseOption
from spikefront.storage import DEFAULT_DATABASE, Database, integrity, maintenance, queries

db = typer.Typer(name="db", help="Keep a database in order: upgrade, check, backup.", no_args_is_help=True)


@db.command()
def upgrade(
    where: DatabaseOption = DEFAULT_DATABASE,
    backup: Annotated[bool, typer.Option(help="Copy the database first; nothing is changed where that fails.")] = True,
) -> None:
    """Bring a database of an older Spikefront up to date."""
    done = maintenance.upgrade(where, backup=backup)
    if done.copy:
        typer.echo(f"Copied it to {done.copy}")
    if done.before == done.after:
        typer.echo(f"Nothing to do: it has revision {done.after} already")
    else:
        typer.echo(f"Upgraded from revision {done.before} to {done.after}")


@db.command()
def backup(
    where: DatabaseOption = DEFAULT_DATABASE,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write; must not exist. Named by default.")
    ] = None,
) -> None:
    """Copy a database, while studies may run in it."""
    typer.echo(f"Copied it to {maintenance.back_up(where, to)}")


@db.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Studies to check; all of the database by default.")
    ] = None,
    where: DatabaseOption = DEFAULT_DATABASE,
) -> None:
    """Check that a database and its studies are whole, in order, and as they were written.

    Prints one line for each finding, and then exits with code 1.
    """
    with Database.read_only(where) as database:
        findings = integrity.check_file(database)
        for name in names or [study.name for study in queries.studies(database)]:
            found = integrity.check_study(database, name)
            findings += [f"study '{name}': {finding}" for finding in found]
            if not found:
                study = queries.study(database, name)
                typer.echo(f"study '{name}': in order, {study.evaluations} evaluations, {study.failed} failed")
    for finding in findings:
        typer.echo(finding)
    if findings:
        raise typer.Exit(1)
