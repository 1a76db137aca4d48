"""Leases: one process at a time searches a study, and one that has lost its lease cannot write.

Each holder has a fencing number, one more than the holder before; every write of a holder checks in its own
transaction that the number is still the last one. What counts is the clock of the server on PostgreSQL, and on SQLite,
whose file belongs to one machine, that machine's.
"""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from spikefront.errors import LeaseError
from spikefront.storage import schema


def now(session: Session) -> datetime:
    """Return the moment by which leases run out, UTC."""
    if session.get_bind().dialect.name == "postgresql":
        return session.scalars(select(func.clock_timestamp(type_=schema.Utc))).one()
    return datetime.now(UTC)


def take(session: Session, study: int, name: str, host: str, process: int, seconds: float) -> int:
    """Take the lease of a study that is locked in this transaction, and return the new holder's fencing number.

    It is free where nobody holds it, where it has run out, and where its holder was a process of this machine that is
    no more. Were that a mistake, of machines that share a name, the former holder still could not write.

    Raises:
        LeaseError: Another process holds it; the message says which one, the hint for how long.
    """
    lease, moment = session.get(schema.Lease, study), now(session)
    if lease is None:
        lease = schema.Lease(study_id=study, fence=0)
        session.add(lease)
    elif not lease.released and moment < lease.expires_at and not (lease.host == host and _gone(lease.process)):
        raise _held(name, lease, moment)
    lease.fence += 1
    lease.host, lease.process, lease.released = host, process, False
    lease.acquired_at = lease.renewed_at = moment
    lease.expires_at = moment + timedelta(seconds=seconds)
    return lease.fence


def _gone(process: int) -> bool:
    """Tell whether this machine has no such process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is another user's
        return False
    return False


def check(session: Session, study: int, name: str, fence: int) -> None:
    """Make sure that `fence` still holds the lease of a study that is locked in this transaction.

    A lease that has run out is still the holder's as long as nobody else took it.

    Raises:
        LeaseError: Another process has taken over, or the holder has released it.
    """
    lease = schema.Lease
    found = select(lease.fence, lease.released, lease.process, lease.host).where(lease.study_id == study)
    last, released, process, host = session.execute(found).one()
    if last != fence:
        raise LeaseError(
            f"study '{name}': another process has taken over: process {process} on {host}",
            "This process slept for longer than its lease; it writes no more, and what it recorded before is kept.",
        )
    if released:
        raise LeaseError(f"study '{name}': this process has released its lease", "Acquire it before writing.")


def renew(session: Session, study: int, name: str, fence: int, seconds: float) -> None:
    """Let the holder's lease run out `seconds` from now.

    Raises:
        LeaseError: It is another's by now.
    """
    check(session, study, name, fence)
    moment = now(session)
    values = {"renewed_at": moment, "expires_at": moment + timedelta(seconds=seconds)}
    session.execute(update(schema.Lease).where(schema.Lease.study_id == study).values(values))


def release(session: Session, study: int, fence: int) -> None:
    """Free the lease if it is still the holder's."""
    mine = (schema.Lease.study_id == study, schema.Lease.fence == fence)
    session.execute(update(schema.Lease).where(*mine).values(released=True))


def _held(name: str, lease: schema.Lease, moment: datetime) -> LeaseError:
    age, silent = (round((moment - since).total_seconds()) for since in (lease.acquired_at, lease.renewed_at))
    left = math.ceil((lease.expires_at - moment).total_seconds())
    return LeaseError(
        f"study '{name}' is being searched already, by process {lease.process} on {lease.host}, "
        f"for {age} s, last heard of {silent} s ago",
        f"Stop that process, or wait {left} s if it is dead: its lease runs out then.",
    )
