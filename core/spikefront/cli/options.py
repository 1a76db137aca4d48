"""Options that commands share, and where they look for plugins."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from spikefront.plugins import Registry, load
from spikefront.sources import Sources


class Format(StrEnum):
    """How a listing is printed."""

    table = "table"
    json = "json"
    csv = "csv"


DATABASE_VARIABLE = "SPIKEFRONT_DB"
"""Names the database where no option does; options can be read by all users of a machine, variables cannot."""

DatabaseOption = Annotated[
    str, typer.Option("--db", metavar="URL", envvar=DATABASE_VARIABLE, help="Database that holds the studies.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="How the listing is printed.")]
PluginsOption = Annotated[
    list[str] | None, typer.Option("--plugins-dir", metavar="DIR", help="Folder of single-file plugins; repeatable.")
]
StudyName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the study.")]
CandidateId = Annotated[int, typer.Argument(metavar="ID", help="Number of the candidate in its study.")]


def registry_of(folders: list[str] | None = None) -> Registry:
    """Return the registry of a command: with the plugins of its folders, and those that the environment names."""
    return load(Sources.here(folders or ()))
