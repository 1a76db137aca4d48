"""How fast a search is, and how busy its workers are. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spikefront.checks import validated
from spikefront.settings import Budget
from spikefront.storage import Holder

Numbers = npt.NDArray[np.float64]

OUTCOMES = ("trained to the end", "stopped early", "left untrained", "reused", "failed")
_BINS = 60
_STRIP = 160
_WORKERS = 32


def planned(specification: Mapping[str, Any], extension: Mapping[str, int] | None) -> int:
    """Return the number of candidates that a search asks for."""
    keys = {key: value for key, value in specification["search"].items() if key in Budget.model_fields}
    return validated(Budget, keys, "search").extended(extension).total


def outcomes(table: pd.DataFrame) -> pd.Series:
    """Return what came of each evaluation: one of `OUTCOMES`."""
    failed, reused = table["failure"].notna(), table["reused"].astype(bool)  # an empty table has no types
    checks = [failed, reused, table["budget"] <= 0, table["budget"] < 1]
    names = ["failed", "reused", "left untrained", "stopped early"]
    return pd.Series(np.select(checks, names, OUTCOMES[0]), index=table.index, dtype=object)


def throughput(table: pd.DataFrame, began: datetime) -> pd.DataFrame:
    """Return evaluations a minute in equal stretches of time: "start", "end" (s), then a column for each outcome.

    Args:
        table: From `read_evaluations`, not empty.
        began: When the study was made.
    """
    since = (table["finished_at"] - pd.Timestamp(began)).dt.total_seconds().clip(lower=0).to_numpy()
    bins = int(np.clip(len(since) // 4, 8, _BINS))
    edges = np.linspace(0.0, max(float(since.max()), 1.0), bins + 1)
    ended, minutes = outcomes(table).to_numpy(), (edges[1] - edges[0]) / 60
    counts = {name: np.histogram(since[ended == name], edges)[0] / minutes for name in OUTCOMES}
    return pd.DataFrame({"start": edges[:-1], "end": edges[1:], **counts})


def busy_shares(work: pd.DataFrame, began: datetime) -> tuple[pd.DataFrame, float]:
    """Return the share of each stretch of time in which each worker was busy, and how many were busy on average.

    A row for each worker by name, in the order in which they began, at most 32, those that did most; columns are the
    beginnings of the stretches in seconds. The average is over the time from the first beginning to the last end.

    Args:
        work: From `spikefront.storage.frames.work`, not empty.
        began: When the study was made.
    """
    since = (work["finished_at"] - pd.Timestamp(began)).dt.total_seconds()
    end: Numbers = np.asarray(since, dtype=np.float64)
    begin: Numbers = end - np.asarray(work["seconds"], dtype=np.float64)
    edges: Numbers = np.linspace(min(0.0, begin.min()), max(end.max(), 1e-9), _STRIP + 1, dtype=np.float64)
    rows, firsts = {}, {}
    for worker, places in work.groupby("worker").indices.items():
        b, e = np.sort(begin[places]), np.sort(end[places])
        shares = np.diff(_busy_until(edges, b, e)) / np.diff(edges)
        rows[str(worker)], firsts[str(worker)] = np.clip(shares, 0.0, 1.0), b[0]
    most = sorted(rows, key=lambda name: -rows[name].sum())[:_WORKERS]
    ordered = sorted(most, key=firsts.__getitem__)
    table = pd.DataFrame([rows[name] for name in ordered], index=ordered, columns=edges[:-1])
    return table, float((end - begin).sum() / (end.max() - begin.min()))


def _busy_until(moments: Numbers, begin: Numbers, end: Numbers) -> Numbers:
    """Return the busy seconds before each moment, from sorted beginnings and ends."""

    def since(starts: Numbers) -> Numbers:
        before = np.searchsorted(starts, moments)
        sums = np.concatenate([[0.0], np.cumsum(starts)])
        return np.asarray(before * moments - sums[before], dtype=np.float64)

    return np.asarray(since(begin) - since(end), dtype=np.float64)


def remaining(table: pd.DataFrame, total: int, holder: Holder | None, now: datetime) -> float | None:
    """Return an estimate of the seconds left; None before the process that searches has had anything trained."""
    left = total - len(table)
    if left <= 0:
        return 0.0
    if holder is None or not holder.alive or not len(table):
        return None
    mine = (table["finished_at"] >= pd.Timestamp(holder.since)) & ~table["reused"]
    return (now - holder.since).total_seconds() / int(mine.sum()) * left if mine.any() else None


def duration(seconds: float) -> str:
    """Return a time in words, to two units: "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    first = next(n for n, (_, size) in enumerate(units) if whole >= size)
    (name, size), (smaller, rest) = units[first], units[first + 1]
    more = whole % size // rest
    return f"{whole // size} {name} {more} {smaller}" if more else f"{whole // size} {name}"
