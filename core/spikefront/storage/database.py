"""Opening a database, and transactions in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from spikefront.errors import StorageError
from spikefront.storage import migration, postgresql, sqlite
from spikefront.storage.migration import Version

DEFAULT_DATABASE = "sqlite:///spikefront.db"
"""Where studies are recorded if nobody says where."""

BACKENDS = ("sqlite", "postgresql")
_READING: dict[str, dict[str, Any]] = {"sqlite": {}, "postgresql": postgresql.READING}
"""Options with which all queries of a transaction see the same moment; SQLite always does so."""

_WRITING: dict[str, dict[str, Any]] = {"sqlite": {sqlite.IMMEDIATE: True}, "postgresql": postgresql.WRITING}
"""Options with which transactions that write queue up, and none fails because of another."""

_HINTS = {"sqlite": sqlite.HINTS, "postgresql": postgresql.HINTS}

_FORMS = "Give a file, sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME."


class Database:
    """An open database; close it, or use it as a context.

    Attributes:
        label: Its path or its URL without the password, for messages.
        path: Its file; None on a server.
        url: Its address.
    """

    def __init__(self, engine: Engine, path: Path | None, url: URL, writable: bool) -> None:
        self.label = str(path or url)
        self.path, self.url = path, url
        self._hints = _HINTS[engine.dialect.name]
        self._reading = engine.execution_options(**_READING[engine.dialect.name])
        self._writing = engine.execution_options(**_WRITING[engine.dialect.name]) if writable else self._reading

    @classmethod
    def open(cls, where: str | Path, *, create: bool = False) -> Database:
        """Open a database for writing.

        Args:
            where: A file or a database URL.
            create: Make the file and the tables where there are none.

        Raises:
            StorageError: It cannot be opened; the message says why, the hint what to do.
        """
        database = cls.connect(where, write=True, create=create)
        with database._closed_on_error():
            database._prepare(create)
        return database

    @classmethod
    def read_only(cls, where: str | Path) -> Database:
        """Open a database to look at; nothing is made or changed, and no writer has to wait.

        Args:
            where: A file or a database URL.

        Raises:
            StorageError: It cannot be opened; the message says why, the hint what to do.
        """
        database = cls.connect(where, write=False)
        with database._closed_on_error():
            database._require_current(create=False)
        return database

    @classmethod
    def connect(cls, where: str | Path, *, write: bool, create: bool = False) -> Database:
        """Open a database whatever its tables are, for those who keep it in order.

        Args:
            where: A file or a database URL.
            write: Open it for writing.
            create: Whether a file may be missing.

        Raises:
            StorageError: It cannot be opened; the message says why, the hint what to do.
        """
        path, url = _locate(where)
        if path:
            sqlite.check_file(path, write, create)
            engine = sqlite.writer(path, create) if write else sqlite.reader(path)
        else:
            engine = postgresql.engine(url, _FORMS)
        return cls(engine, path, url, write)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session in which all queries see the same moment."""
        with self._explained(), Session(self._reading) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose changes are all kept, or none of them where an exception leaves the block."""
        with self._explained(), Session(self._writing) as session, session.begin():
            yield session

    @contextmanager
    def tables(self) -> Iterator[Connection]:
        """Give a connection that may change the tables, while nobody else does so or writes to a study."""
        with self._explained(), self._writing.begin() as connection:
            if self.path is None:
                postgresql.lock_tables(connection)
            yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self._reading.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _prepare(self, create: bool) -> None:
        found = self._require_current(create)  # nothing of another program's file is touched
        if self.path:
            sqlite.use_write_ahead_log(self._reading)
        if found is Version.EMPTY:
            with self.tables() as connection:
                if migration.version(connection, self.label) is Version.EMPTY:  # and not made by others in between
                    migration.upgrade(connection)

    def _require_current(self, create: bool) -> Version:
        """Refuse tables that are not this program's; with `create`, there may be none."""
        with self._reading.begin() as connection:
            found, revision = migration.version(connection, self.label), migration.revision(connection)
        if found is Version.OLDER:
            raise StorageError(
                f"{self.label} was written by an older Spikefront (revision {revision})",
                f"`spikefront db upgrade --db {self.label}` brings it up to date, and keeps a copy.",
            )
        if found is Version.EMPTY and not create:
            raise StorageError(f"{self.label} is empty: it has no studies", "`spikefront run FILE` makes one.")
        return found

    @contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            with self._explained():
                yield
        except BaseException:
            self.close()
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the driver's errors into ours."""
        try:
            yield
        except DBAPIError as error:
            reason = " ".join(str(error.orig).split())
            raise StorageError(f"{self.label}: {reason}", self._hint(error, reason)) from error

    def _hint(self, error: DBAPIError, reason: str) -> str:
        """Return what to do about an error of the driver."""
        if isinstance(error, IntegrityError):
            return "A number is taken or an ask was never recorded; one program at a time may write to a study."
        known = (hint for part, hint in self._hints.items() if part in reason)
        return next(known, "Check that the database is there, and that the address, user and password are right.")


def _locate(where: str | Path) -> tuple[Path | None, URL]:
    """Return the file of an SQLite database, or None, and the URL."""
    if isinstance(where, Path) or "://" not in where:
        if not str(where):
            raise StorageError("the name of the database is empty", _FORMS)
        return Path(where), URL.create("sqlite", database=str(where))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        raise StorageError("the address of the database is not a database URL", _FORMS) from None
    if url.get_backend_name() not in BACKENDS:
        raise StorageError(f"{url.get_backend_name()} databases are not supported: {url}", _FORMS)
    if url.get_backend_name() != "sqlite":
        return None, url
    if url.database in {None, "", ":memory:"} or url.query or url.host:
        raise StorageError(f"{where} does not name a file only", _FORMS)
    return Path(str(url.database)), url
