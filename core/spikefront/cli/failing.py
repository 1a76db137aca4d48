"""The command that tells what went wrong in a study."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from spikefront.cli.options import DatabaseOption, Format, FormatOption, StudyName
from spikefront.cli.output import print_listing
from spikefront.search.failures import Group, failures_of, grouped
from spikefront.storage import DEFAULT_DATABASE, Database

_MOST = 8  # candidates that a table names


def failures(
    name: StudyName,
    db: DatabaseOption = DEFAULT_DATABASE,
    form: FormatOption = Format.table,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show an example of each traceback.")] = False,
) -> None:
    """List what went wrong in a study, by kind and cause; tries that were made again are counted too."""
    with Database.read_only(db) as database:
        groups = grouped(failures_of(database, name))
    if form is Format.table:
        print_listing([_brief(group) for group in groups], form, f"Failures of '{name}'")
        if traceback:
            _print_tracebacks(groups)
        return
    print_listing([_row(group, traceback) for group in groups], form)


def _row(group: Group, traceback: bool) -> dict[str, Any]:
    first, failures = group.first, group.failures
    row = {
        "kind": first.failure.kind,
        "times": len(failures),
        "tried_again": sum(one.again for one in failures),
        "candidates": list(group.candidates),
        "message": first.failure.message,
        "place": first.place,
        "workers": sorted({one.worker for one in failures if one.worker}),
        "seconds": round(max(one.seconds for one in failures), 3),
        "peak_memory": max(one.peak_memory for one in failures),
    }
    return {**row, "traceback": first.failure.traceback} if traceback else row


def _brief(group: Group) -> dict[str, Any]:
    """Return a row of a table."""
    first, failures, numbers = group.first, group.failures, group.candidates
    rest = f" and {len(numbers) - _MOST} more" if len(numbers) > _MOST else ""
    return {
        "kind": first.failure.kind,
        "times": len(failures),
        "tried again": sum(one.again for one in failures),
        "candidates": " ".join(map(str, numbers[:_MOST])) + rest,
        "message": first.reason,
        "place": _short(first.place),
        "seconds": round(max(one.seconds for one in failures), 1),
        "MiB": max(one.peak_memory for one in failures) >> 20,
    }


def _short(place: str) -> str:
    """Return a place without the folders of its file."""
    path, _, function = place.rpartition(" ")
    return f"{path.rpartition('/')[2]} {function}".strip()


def _print_tracebacks(groups: list[Group]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for group in groups:
        first = group.first
        heading = f"{first.failure.kind}, candidate {first.candidate}, worker {first.worker or 'unknown'}"
        console.print(f"\n{heading}", style="bold", markup=False)
        console.print(first.failure.traceback.rstrip() or first.failure.message, markup=False)
