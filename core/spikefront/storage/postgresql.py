"""All that is special to PostgreSQL: how transactions see each other, how long they wait, and what its errors mean.

No transaction can fail because of another one that runs at the same time, so none has to be repeated. One that only
reads sees one moment and neither waits nor lets wait. Those that write lock a study's row before anything else and add
genomes in the order of their hashes, so they queue and never wait for each other in a ring.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import NoSuchModuleError

from spikefront.errors import StorageError

BUSY_SECONDS = 30
"""How long a statement waits for a transaction of another program."""

IDLE_SECONDS = 60
"""How long the server keeps the locks of a program that sleeps in the middle of a transaction."""

READING: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
WRITING: dict[str, Any] = {"isolation_level": "READ COMMITTED"}

HINTS = {
    "lock timeout": f"Another program has been writing to it for {BUSY_SECONDS} s; wait for it or stop it.",
    "read-only transaction": "Open it for writing; a standby server cannot be written to.",
    "No space left": "What was recorded before is whole; free some space on the server and go on.",
    "could not extend file": "What was recorded before is whole; free some space on the server and go on.",
    "terminating connection": "The server was stopped. What was recorded before is whole; go on when it is back.",
    "closed the connection": "The server was stopped. What was recorded before is whole; go on when it is back.",
    "does not exist": "Make it first: `createdb NAME`, as a user who may.",
    "authentication failed": "Check user and password; a file ~/.pgpass (HOST:PORT:NAME:USER:PASSWORD) can hold it.",
    "permission denied": "The user needs the right to make tables: `GRANT CREATE ON SCHEMA public TO USER`.",
}
"""Part of a message of PostgreSQL -> what to do."""

_PACKAGES = {"psycopg": "'psycopg[binary]'"}
_OPENING = 0x5350494B  # "SPIK"; the key of the lock under which tables are made


def engine(url: URL, forms: str) -> Engine:
    """Return an engine for a server; it connects anew where the server was started anew.

    Raises:
        StorageError: The driver is missing; `forms` says which addresses there are.
    """
    try:
        made = create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        package = _PACKAGES.get(error.name or "", error.name)
        raise StorageError(f"{url} needs the package '{error.name}'", f"pip install {package}") from None
    except NoSuchModuleError:
        raise StorageError(f"there is no driver '{url.drivername}': {url}", forms) from None
    event.listen(made, "connect", _limit_waiting)
    return made


def lock_tables(connection: Connection) -> None:
    """Wait until nobody else changes the tables or a study, and keep others from it until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _OPENING})
    if inspect(connection).has_table("studies"):
        connection.execute(text("LOCK TABLE studies IN EXCLUSIVE MODE"))  # every writer needs a row of it


def back_up(url: URL, to: Path) -> None:
    """Write an archive of a database as it is at one moment, while others may write to it, with `pg_dump`.

    Raises:
        StorageError: There is no `pg_dump`, or it failed; the message has what it said.
    """
    program = _pg_dump()
    if program is None:
        raise StorageError(
            f"{url} cannot be copied: there is no program pg_dump here",
            "Install it (apt-get install postgresql-client), or have the server's operator make a copy; "
            "then `spikefront db upgrade --no-backup` goes on without.",
        )
    public = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    options = ["--format=custom", f"--lock-wait-timeout={BUSY_SECONDS}s", f"--file={to}"]
    command = [program, *options, public.render_as_string()]  # where anybody can see it, so without the password
    environment = {**os.environ, **({"PGPASSWORD": url.password} if url.password else {})}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode:
        raise StorageError(f"{url} cannot be copied: {' '.join(ended.stderr.split())}", "Nothing was changed.")


def _pg_dump() -> str | None:
    """Return the program: on the PATH, or the newest where Debian puts them."""
    found = (str(path) for path in Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))
    return shutil.which("pg_dump") or max(found, default=None)


def _limit_waiting(connection: Any, record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    connection.commit()
