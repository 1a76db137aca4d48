"""The `spikefront` program.

`main` turns errors into one message and an exit code: 0 done, 1 nothing usable, 2 wrong input,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from spikefront.cli import candidates, databases, exporting, failing, new, reading, running
from spikefront.cli.options import registry_of
from spikefront.cli.plugins import plugins
from spikefront.errors import SpikefrontError
from spikefront.sources import NONE_VARIABLE

WRONG_INPUT = 2
NO_PLUGINS = "--no-plugins"


def build() -> typer.Typer:
    """Return the program with its own commands and those of plugins."""
    cli = typer.Typer(
        callback=_spikefront,
        name="spikefront",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    commands: list[Callable[..., None]] = [running.run, running.resume]
    commands += [reading.studies, reading.show, reading.front, reading.analyse, failing.failures]
    commands += [candidates.retrain, candidates.test, exporting.export, new.new, reading.version]
    for command in commands:
        cli.command()(command)
    cli.add_typer(plugins, name="plugins")
    cli.add_typer(databases.db)
    registry_of().add_commands(cli)
    return cli


def _spikefront(
    no_plugins: Annotated[bool, typer.Option(NO_PLUGINS, help="Load no plugins but Spikefront's own.")] = False,
) -> None:
    """Search spiking neural networks for the best trade-offs of accuracy, parameters and energy."""


def main() -> None:
    """Run the program."""
    if NO_PLUGINS in sys.argv:  # plugins are loaded before the command line is read: they may add to it
        os.environ[NONE_VARIABLE] = "1"
    try:
        build()()
    except SpikefrontError as error:
        console = Console(stderr=True, soft_wrap=True, highlight=False)
        console.print("[bold red]error:[/] ", end="")
        console.print(error.message, markup=False)
        if error.hint:
            console.print(error.hint, markup=False, style="dim")
        sys.exit(WRONG_INPUT)
