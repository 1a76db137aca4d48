"""The command that runs a study, and its live display."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from spikefront.cli.options import DEFAULT_DATABASE, DatabaseOption, Format, PluginsOption, sources_of
from spikefront.cli.reading import print_front
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.search.progress import Progress
from spikefront.search.screening import recorded_standing
from spikefront.storage import Database, queries
from spikefront.study import Study

EXIT_CODES = {"finished": 0, "failed": 1, "interrupted": 130}


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Study file (TOML).")],
    db: DatabaseOption = DEFAULT_DATABASE,
    workers: Annotated[int | None, typer.Option(min=1, help="Evaluations at the same time.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the file; repeatable.")
    ] = None,
    plugins_dir: PluginsOption = None,
) -> None:
    """Run a study, or go on with it where it was interrupted."""
    sources = sources_of(plugins_dir)
    registry = load(sources)
    changes = list(changes or []) + ([f"execution.workers={workers}"] if workers else [])
    study = Study.from_file(file, registry, changes)
    study.check()
    console = Console()
    signal.signal(signal.SIGTERM, _interrupt)
    with Database.open(db, create=True) as database:
        display = _Display(study.name, console)
        search = Search(study, database, registry, sources, display.update)
        with display.live:
            outcome = search.run()
        console.print()
        if outcome != "interrupted":
            print_front(database, study.name, Format.table)
            standing = recorded_standing(database, study.name)
            if standing:
                console.print(f"screening {standing}", markup=False, highlight=False, soft_wrap=True)
        _print_failures(database, study.name, console)
    if outcome == "finished" and display.done < study.budget.total:
        console.print(f"The search ended after {display.done} of {study.budget.total}: it found nothing new to try.")
    if outcome == "interrupted":
        console.print(f"Interrupted. What is done is recorded; go on with: spikefront run {file} --db {db}")
    raise typer.Exit(EXIT_CODES[outcome])


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _print_failures(database: Database, name: str, console: Console) -> None:
    """Say how many candidates failed, and why: one line for each reason, the commonest first."""
    found = [row.failure for row in queries.failures(database, name) if row.failure]
    reasons = Counter(f"{failure.kind}: {failure.message.splitlines()[0]}" for failure in found)
    for reason, times in reasons.most_common(5):
        console.print(f"{times} failed, {reason}", markup=False, highlight=False, soft_wrap=True)


class _Display:
    """What a user sees while a study runs."""

    def __init__(self, name: str, console: Console) -> None:
        self._bar = Bar(TextColumn("[bold]{task.description}"), BarColumn(), MofNCompleteColumn(), console=console)
        self._task = self._bar.add_task(name, total=None)
        self.done = 0
        self.live = Live(self._bar, console=console, refresh_per_second=4)

    def update(self, progress: Progress) -> None:
        """Show a new state."""
        self.done = progress.done
        self._bar.update(self._task, completed=progress.done, total=progress.total)
        self.live.update(Group(self._bar, _facts(progress)))


def _facts(progress: Progress) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    rows = {
        "generation": f"{progress.generation + 1} of {progress.generations}",
        "failed, reused": f"{progress.failed}, {progress.reused}",
        **{f"best {name}": f"{value:,.4g}" for name, value in progress.best.items()},
        "hypervolume": "-" if progress.hypervolume is None else f"{progress.hypervolume:.4f}",
        "time": f"{_duration(progress.seconds)}, about {_duration(progress.remaining)} left",
    }
    if progress.screening:
        rows["screening"] = progress.screening
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
