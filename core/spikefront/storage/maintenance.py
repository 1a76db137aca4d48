"""What the operator of a database does: bring its tables up to date, and copy it."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from spikefront.errors import StorageError
from spikefront.storage import migration, postgresql, sqlite
from spikefront.storage.database import Database
from spikefront.storage.migration import Version


@dataclass(frozen=True)
class Upgrade:
    """What was done to the tables of a database.

    Attributes:
        before: Revision that was found.
        after: Revision now; the same where nothing was to be done.
        copy: The database as it was before; None where none was made.
    """

    before: str
    after: str
    copy: Path | None = None


def upgrade(where: str | Path, *, backup: bool = True) -> Upgrade:
    """Bring the tables of a database up to date, wholly or not at all.

    Args:
        where: A file or a database URL.
        backup: Copy the database first; nothing is changed where that fails.

    Raises:
        StorageError: It cannot be opened, copied or changed; the message says why, the hint what to do.
    """
    with Database.connect(where, write=True) as database, database.tables() as connection:
        before = _revision(database, connection)
        if migration.version(connection, database.label) is Version.CURRENT:
            return Upgrade(before, before)
        copy = _copy(database, _copy_name(database, before)) if backup else None
        migration.upgrade(connection)
        return Upgrade(before, migration.head(), copy)


def back_up(where: str | Path, to: Path | None = None) -> Path:
    """Copy a database as it is at one moment, while others may write to it, and return the path of the copy.

    The copy is whole, or it is not there. That of an SQLite database is one too; that of a PostgreSQL database is an
    archive of `pg_dump` that `pg_restore` reads.

    Args:
        where: A file or a database URL, of this or an older revision.
        to: A file that does not exist; by default one beside an SQLite database, and in the working folder for a
            server, whose name has the revision and the time.

    Raises:
        StorageError: It cannot be read or copied; the message says why, the hint what to do.
    """
    with Database.connect(where, write=False) as database:
        with database.read() as session:
            revision = _revision(database, session.connection())
        return _copy(database, to or _copy_name(database, revision))


def _revision(database: Database, connection: Connection) -> str:
    if migration.version(connection, database.label) is Version.EMPTY:
        raise StorageError(f"{database.label} is empty: it has no studies", "There is nothing to keep or to change.")
    return str(migration.revision(connection))


def _copy_name(database: Database, revision: str) -> Path:
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    if database.path:
        return database.path.with_name(f"{database.path.name}.{revision}-{now}.bak")
    return Path(f"{Path(database.url.database or 'spikefront').name}.{revision}-{now}.dump")


def _copy(database: Database, to: Path) -> Path:
    """Copy to a temporary name, and rename it when it is whole."""
    if to.exists():
        raise StorageError(f"{to} is there already", "Name a new file.")
    unfinished = to.with_name(f"{to.name}.part")
    try:
        if database.path:
            sqlite.back_up(database.path, unfinished)
        else:
            postgresql.back_up(database.url, unfinished)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(to)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(
            f"{database.label} cannot be copied to {to}: {error}", "Free some space, or name a file in another folder."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return to
