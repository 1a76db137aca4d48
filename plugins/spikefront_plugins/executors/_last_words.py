"""What a worker leaves behind when it dies with a job: since when it was at it, and where in the code it was."""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LastWords:
    """What is known of a job that never ended.

    Attributes:
        seconds: Time since it began.
        traceback: Where it was when a signal ended it; empty where none did that can be noticed.
    """

    seconds: float
    traceback: str


@contextlib.contextmanager
def leaving_words(path: Path) -> Iterator[None]:
    """Write to a file, within this context, that the job began; and its traceback when a signal ends this process.

    Where the file cannot be written, the job runs without.
    """
    try:
        file = path.open("w", encoding="utf-8")
    except OSError:
        yield
        return
    with file:
        with contextlib.suppress(OSError):
            file.write(f"{time.time()}\n")
            file.flush()
        faulthandler.enable(file, all_threads=False)
        faulthandler.register(signal.SIGTERM, file, all_threads=False, chain=True)
        try:
            yield
        finally:
            faulthandler.unregister(signal.SIGTERM)
            faulthandler.disable()


def last_words(path: Path) -> LastWords | None:
    """Read the file of a job and remove it; None where the job never began."""
    try:
        began, _, words = path.read_text(encoding="utf-8", errors="replace").partition("\n")
        path.unlink()
    except OSError:
        return None
    return LastWords(max(time.time() - float(began), 0.0) if began else 0.0, words.strip())
