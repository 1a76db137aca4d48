"""Failures as data: how often each genome failed, and all failures of a study by what went wrong."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from spikefront.job import Failure, FailureKind
from spikefront.search.runner import NEVER_AGAIN
from spikefront.storage import Database, queries

_FRAME = re.compile(r'^\s*File "(.+)", line (\d+), in (.+)$', re.MULTILINE)
_PYTHON = "Traceback (most recent call last)"
_NUMBER = re.compile(r"\d+(\.\d+)?([eE][-+]?\d+)?")


@dataclass(frozen=True)
class Failed:
    """One failure of a study.

    Attributes:
        candidate: ID of the candidate.
        failure: What went wrong.
        again: Whether it was tried again; otherwise it is what was recorded of the candidate.
        worker: Host and process.
        seconds: Time that it took.
        peak_memory: Largest resident size of the worker, in bytes.
    """

    candidate: int
    failure: Failure
    again: bool
    worker: str
    seconds: float
    peak_memory: int

    @property
    def place(self) -> str:
        """File, line and function where an error was raised; empty where nothing was."""
        frames = _FRAME.findall(self.failure.traceback) if _PYTHON in self.failure.traceback else []
        return "{}:{} {}".format(*frames[-1]) if frames else ""

    @property
    def reason(self) -> str:
        """First line of the message."""
        return next(iter(self.failure.message.splitlines()), "")


@dataclass(frozen=True)
class Group:
    """Failures of one kind with one cause: an error raised at one place, or one message but for its numbers."""

    failures: tuple[Failed, ...]

    @property
    def first(self) -> Failed:
        """The failure that stands for the others: one with a traceback, if there is any."""
        return next((one for one in self.failures if one.failure.traceback), self.failures[0])

    @property
    def candidates(self) -> tuple[int, ...]:
        """IDs of the candidates, each once."""
        return tuple(sorted({one.candidate for one in self.failures}))


def recorded_failures(database: Database, study: str) -> dict[str, Counter[FailureKind]]:
    """Return how often each genome failed while it was searched: hash -> kind -> times, failed tries included.

    Raises:
        StorageError: There is no such study.
    """
    counts: dict[str, Counter[FailureKind]] = defaultdict(Counter)
    for attempt in queries.attempts(database, study):
        counts[attempt.genome_hash][attempt.failure.kind] += 1
    for row in queries.failures(database, study):
        if row.failure and row.purpose in {"search", "rung"}:
            counts[row.genome_hash][row.failure.kind] += 1
    return dict(counts)


def failures_of(database: Database, study: str) -> list[Failed]:
    """Return all failures of a study, failed tries first.

    Raises:
        StorageError: There is no such study.
    """
    tries = [
        Failed(one.number, one.failure, again=True, worker=one.worker, seconds=one.seconds, peak_memory=one.peak_memory)
        for one in queries.attempts(database, study)
    ]
    ends = [
        Failed(row.candidate, row.failure, False, row.worker, row.seconds, row.peak_memory)
        for row in queries.failures(database, study)
        if row.failure
    ]
    return tries + ends


def grouped(failures: Iterable[Failed]) -> list[Group]:
    """Return failures by kind and cause, the commonest first."""
    groups: dict[tuple[str, ...], list[Failed]] = defaultdict(list)
    for one in failures:
        groups[_cause(one)].append(one)
    return sorted((Group(tuple(them)) for them in groups.values()), key=lambda group: -len(group.failures))


def _cause(one: Failed) -> tuple[str, ...]:
    if one.place:
        return one.failure.kind, one.place, one.reason.partition(":")[0]
    return one.failure.kind, _NUMBER.sub("#", one.reason.removesuffix(f"; {NEVER_AGAIN}"))
