"""The lease of a running search: nobody else may write to its study meanwhile."""

from __future__ import annotations

import os
import socket
from threading import Event, Thread
from types import TracebackType
from typing import Self

from spikefront.errors import LeaseError, StorageError
from spikefront.storage import StudyStore

SECONDS = 30.0
"""How long a lease holds that is not renewed."""


class Lease:
    """Held within its `with` block, where a thread renews it.

    Args:
        store: The study's record; from now on it refuses to write once another process holds the lease.
        seconds: How long the lease holds without renewal.

    Attributes:
        lost: Whether another process has taken it.

    Raises:
        LeaseError: On entering, another process holds it.
    """

    def __init__(self, store: StudyStore, seconds: float = SECONDS) -> None:
        self._store = store
        self._seconds = seconds
        self._done = Event()
        self._thread = Thread(target=self._renew, name="lease", daemon=True)
        self.lost = False

    def __enter__(self) -> Self:
        self._store.acquire(socket.gethostname(), os.getpid(), self._seconds)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        if not self.lost:
            self._store.release()

    def _renew(self) -> None:
        while not self._done.wait(self._seconds / 3):
            try:
                self._store.renew(self._seconds)
            except LeaseError:  # the next write says so
                self.lost = True
                return
            except StorageError:  # busy for long; the lease may still hold at the next try
                continue
