"""All that is special to PostgreSQL: how transactions see each other, how long they wait, and what its errors mean.

No transaction can fail because of another one that runs at the same time, so none has to be repeated. One that only
reads sees one moment and neither waits nor lets wait. Those that write lock a study's row before anything else and add
genomes in the order of their hashes, so they queue and never wait for each other in a ring.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
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
    "No space left": "Free some space on the server and go on.",
    "could not extend file": "Free some space on the server and go on.",
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
    """Wait until nobody else makes or changes the tables, and keep others from it until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _OPENING})


def _limit_waiting(connection: Any, record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    connection.commit()
