"""The plugin that adds `spikefront app` to the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from spikefront import hookimpl
from spikefront.cli.options import DatabaseOption
from spikefront.storage import DEFAULT_DATABASE

ENTRY = Path(__file__).with_name("main.py")


@hookimpl
def spikefront_commands(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command()(app)


def app(
    db: DatabaseOption = DEFAULT_DATABASE,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 8501,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Browse studies and their fronts in a web browser, on this machine only."""
    from spikefront.storage import Database
    from spikefront_app.tables import DATABASE_VARIABLE

    with Database.read_only(db):
        pass  # a database that cannot be read is told here, not on a page
    command = [sys.executable, "-m", "streamlit", "run", str(ENTRY)]
    options = {
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.headless": str(not browser).lower(),
        "browser.gatherUsageStats": "false",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    raise typer.Exit(subprocess.call([*command, *arguments], env={**os.environ, DATABASE_VARIABLE: db}))  # noqa: S603
