"""The plugin that adds `spikefront app` to the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from spikefront import hookimpl
from spikefront.cli.options import DATABASE_VARIABLE, DatabaseOption, PluginsOption
from spikefront.cli.output import print_note
from spikefront.sources import FOLDERS_VARIABLE, Sources
from spikefront.storage import DEFAULT_DATABASE

HERE = "127.0.0.1"
ENTRY = Path(__file__).with_name("main.py")
PRIMARY = {"light": "#0072B2", "dark": "#56B4E9"}
"""Two blues of `theme.COLOURS`, which is not read here: plotly would slow down all commands."""


@hookimpl
def spikefront_commands(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command()(app)


def app(
    db: DatabaseOption = DEFAULT_DATABASE,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve at.")] = 8501,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    address: Annotated[str, typer.Option(metavar="IP", help="Address to serve at; 0.0.0.0 for all.")] = HERE,
    plugins_dir: PluginsOption = None,
) -> None:
    """Browse studies and their fronts in a web browser, on this machine only unless --address says otherwise."""
    if address != HERE:
        print_note(
            f"Whoever reaches {address}:{port} can look at {label_of(db)} and launch studies: there is no login, "
            "unless you set up Streamlit's own (docs/app.md)."
        )
    folders = Sources.here(plugins_dir or ()).folders
    environment = {**os.environ, DATABASE_VARIABLE: db, FOLDERS_VARIABLE: os.pathsep.join(folders)}
    raise typer.Exit(subprocess.call(server_command(address, port, headless=not browser), env=environment))  # noqa: S603


def server_command(address: str, port: int, *, headless: bool) -> list[str]:
    """Return the command that serves the app; `headless` opens no browser."""
    options = {
        "server.address": address,
        "server.port": str(port),
        "server.headless": str(headless).lower(),
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "viewer",
        **{f"theme.{theme}.primaryColor": colour for theme, colour in PRIMARY.items()},
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(ENTRY), *arguments]


def label_of(database: str) -> str:
    """Return a file, or a database URL without its password, for messages."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(database).render_as_string(hide_password=True) if "://" in database else database
    except ArgumentError:
        return "the database"
