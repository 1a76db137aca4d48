"""Worker processes whose end is never mistaken: pebble waits for ever for one that exits with 0 amid a job."""

from __future__ import annotations

import os
import platform
import resource
from multiprocessing import popen_spawn_posix
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from typing import Any


class _Popen(popen_spawn_posix.Popen):
    """Keeps what the kernel says about a process when it ends: its largest resident size, in bytes."""

    peak_memory = 0

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        if self.returncode is None:
            try:
                pid, status, usage = os.wait4(self.pid, flag)
            except OSError:  # somebody else has waited for it
                return None
            if pid == self.pid:
                self.returncode = os.waitstatus_to_exitcode(status)
                self.peak_memory = _bytes(usage)
        return self.returncode


def _bytes(usage: resource.struct_rusage) -> int:
    return usage.ru_maxrss * 1024


class Worker(SpawnProcess):
    """A worker has no reason to end by itself, so that an exit code of 0 counts as one of 255."""

    @staticmethod
    def _Popen(process: BaseProcess) -> _Popen:  # noqa: N802
        return _Popen(process)

    @property
    def exitcode(self) -> int | None:
        code = super().exitcode
        return 255 if code == 0 else code

    @property
    def peak_memory(self) -> int:
        """Largest resident size in bytes, 0 while it lives; never below that of the process that started it."""
        return getattr(getattr(self, "_popen", None), "peak_memory", 0)

    @property
    def place(self) -> str:
        """Host and process."""
        return f"{platform.node()}:{self.pid}"


class Context(SpawnContext):
    """Starts workers one after the other.

    Attributes:
        worker: The last one; None before the first.
    """

    worker: Worker | None = None

    def Process(self, *args: Any, **options: Any) -> Worker:  # type: ignore[override]  # noqa: N802
        """Make the next worker."""
        self.worker = Worker(*args, **options)
        return self.worker
