"""All that is special to SQLite: the file, its settings, how transactions begin, and what its errors mean."""

from __future__ import annotations

import functools
import math
import os
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, QueuePool, create_engine, event

from spikefront.errors import StorageError

BUSY_SECONDS = 30.0
IMMEDIATE = "spikefront_immediate"
"""Execution option of an engine whose transactions take the write lock at once."""

HINTS = {
    "database is locked": f"Another program has been writing to it for {BUSY_SECONDS:.0f} s; wait for it or stop it.",
    "disk is full": "What was recorded before is whole; free some space and go on.",
    "disk I/O error": "What was recorded before is whole; free some space, or check the disk and the quota, and go on.",
    "readonly": "Open it for writing, or make the file and its folder writable.",
    "read-only": "Open it for writing, or make the file and its folder writable.",
    "malformed": "The file is damaged; restore it from a copy.",
    "not a database": "The file is damaged, or it is something else; give another file.",
    "unable to open": "Check that the file and its folder may be read and written.",
}
"""Part of a message of SQLite -> what to do."""

_LONGEST, _SHORTEST, _AGEING = 0.02, 0.001, 0.05
"""Seconds between two tries for the write lock: at first, at last, and in how long they come closer."""

_HEADER = b"SQLite format 3\0"


def check_file(path: Path, write: bool, create: bool) -> None:
    """Refuse a path that cannot be opened, without touching it.

    Args:
        path: The database.
        write: Whether it is to be written to.
        create: Whether it may be missing.

    Raises:
        StorageError: The message says what is wrong with the path.
    """
    if path.is_dir():
        raise StorageError(f"{path} is a folder", f"Give a file in it, like {path / 'spikefront.db'}.")
    if not path.parent.is_dir():
        raise StorageError(f"the folder {path.parent} does not exist", "Make it first, or give another file.")
    if not path.exists():
        if not create:
            raise StorageError(f"there is no database {path}", "`spikefront run FILE` makes one.")
        if not os.access(path.parent, os.W_OK):
            raise StorageError(f"the folder {path.parent} is not writable", "Give a file in another folder.")
        return
    if not os.access(path, os.R_OK):
        raise StorageError(f"{path} is not readable", "Change its permissions, or give another file.")
    if write and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise StorageError(f"{path} or its folder is not writable", "Change the permissions, or give another file.")
    with path.open("rb") as file:
        if file.read(len(_HEADER)) not in {b"", _HEADER}:
            raise StorageError(f"{path} is not a database", "Give another file.")


def writer(path: Path, create: bool) -> Engine:
    """Return an engine that writes to a file; without `create` it never makes one."""
    engine = create_engine("sqlite://", creator=lambda: _connect(path, "rwc" if create else "rw"), poolclass=QueuePool)
    return _with_transactions(engine)


@functools.lru_cache(maxsize=8)
def reader(path: Path) -> Engine:
    """Return an engine that never makes nor changes a file, and never keeps a writer waiting.

    It keeps no connection between transactions, so what `_connect` finds in the folder is never out of date. What it
    keeps is how statements read in SQL, which takes longer to work out than most take to run: all who look at a file
    share it.
    """
    return _with_transactions(create_engine("sqlite://", creator=lambda: _connect(path, "ro"), poolclass=NullPool))


def use_write_ahead_log(engine: Engine) -> None:
    """Let readers and a writer work at the same time; the file remembers it."""
    with closing(engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA journal_mode = WAL")


def back_up(path: Path, to: Path) -> None:
    """Copy a database to a new file as it is at one moment, while others may write to it."""
    with closing(_connect(path, "ro")) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


def _connect(path: Path, mode: Literal["ro", "rw", "rwc"]) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    if mode == "ro" and not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists():
        # A reader needs two files beside the database; where it cannot make them, nobody is writing either.
        uri += "&immutable=1"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA trusted_schema = OFF")  # nothing in a stranger's file calls functions of ours
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _with_transactions(engine: Engine) -> Engine:
    """Let SQLAlchemy begin transactions: the driver would do so late, and never with the write lock."""

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(IMMEDIATE):
            _begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    event.listen(engine, "begin", begin)
    return engine


def _begin_writing(connection: Connection) -> None:
    """Take the write lock; who has waited longest asks most often, and so comes next.

    SQLite itself asks ever more rarely: among many writers some would starve, each overtaken by those that come later.
    """
    tries = connection.connection.cursor()
    tries.execute("PRAGMA busy_timeout = 0")
    start = time.monotonic()
    try:
        while (waited := time.monotonic() - start) < BUSY_SECONDS:
            try:
                tries.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
            else:
                return
            time.sleep(max(_SHORTEST, _LONGEST * math.exp(-waited / _AGEING)) * random.uniform(0.5, 1))  # noqa: S311
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # for the last time: an error of this one is explained
    finally:
        tries.execute(f"PRAGMA busy_timeout = {1000 * BUSY_SECONDS:.0f}")
        tries.close()
