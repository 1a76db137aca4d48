"""Versions of the tables: which a database has, and the way from each to this program's."""

from __future__ import annotations

import functools
from enum import Enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from spikefront.errors import StorageError

VERSION_TABLE = "spikefront_version"
MIGRATIONS = Path(__file__).parent / "migrations"


class Version(Enum):
    """How a database's tables relate to this program's."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"


def configuration(connection: Connection) -> Config:
    """Return the settings with which Alembic's commands work on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    return config


def revision(connection: Connection) -> str | None:
    """Return the revision of the tables, or None where there are none of ours."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def version(connection: Connection, label: str) -> Version:
    """Return how a database's tables relate to this program's.

    Raises:
        StorageError: They are another program's, or a newer Spikefront's; `label` names the database.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return Version.EMPTY
    found = revision(connection) if VERSION_TABLE in tables else None
    if found is None:
        listing = ", ".join(sorted(tables)[:3])
        raise StorageError(
            f"{label} belongs to another program: it has tables like {listing}", "Give another file or database."
        )
    if found not in _revisions(MIGRATIONS):
        raise StorageError(
            f"{label} was written by a newer Spikefront (revision {found})",
            "Upgrade the program: `pip install --upgrade spikefront`; a database does not go back.",
        )
    return Version.CURRENT if found == head() else Version.OLDER


def head() -> str:
    """Return the revision of this program's tables."""
    return _revisions(MIGRATIONS)[0]


@functools.cache
def _revisions(folder: Path) -> list[str]:
    """Return all revisions that this program knows, the newest first; Alembic compiles each one's file to tell."""
    return [script.revision for script in ScriptDirectory(str(folder)).walk_revisions()]


def upgrade(connection: Connection) -> None:
    """Make the tables, or bring them up to date, within the transaction of `connection`."""
    command.upgrade(configuration(connection), "head")
