"""Commands about a database as a whole: bring it up to date, copy it, check it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikefront.cli.options import DEFAULT_DATABASE, DatabaseOption
from spikefront.storage import maintenance

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
