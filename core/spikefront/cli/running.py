"""The command that runs a study, and its live display."""

from __future__ import annotations

import json
import signal
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
from spikefront.search.failures import failures_of, grouped
from spikefront.search.progress import Progress
from spikefront.search.screening import recorded_standing
from spikefront.storage import Database
from spikefront.study import Study

EXIT_CODES = {"finished": 0, "failed": 1, "interrupted": 130}


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Study file (TOML).")],
    db: DatabaseOption = DEFAULT_DATABASE,
    workers: Annotated[int | None, typer.Option(min=1, help="Evaluations at the same time.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the file; repeatable.")
    ] = None,
    executor: Annotated[str | None, typer.Option(metavar="NAME", help="Where it runs: local, ray, inline.")] = None,
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run on the Ray cluster there, or on 'auto'.")
    ] = None,
    plugins_dir: PluginsOption = None,
) -> None:
    """Run a study, or go on with it where it was interrupted."""
    sources = sources_of(plugins_dir)
    registry = load(sources)
    given = {"workers": workers, "use": executor or ("ray" if ray else None), "address": ray}
    changes = [*(changes or []), *(f"execution.{key}={json.dumps(value)}" for key, value in given.items() if value)]
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
        _print_failures(database, study.name, db, console)
    if outcome == "finished" and display.done < study.budget.total:
        console.print(f"The search ended after {display.done} of {study.budget.total}: it found nothing new to try.")
    if outcome == "interrupted":
        console.print(f"Interrupted. What is done is recorded; go on with: spikefront run {file} --db {db}")
    raise typer.Exit(EXIT_CODES[outcome])


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _print_failures(database: Database, name: str, db: str, console: Console) -> None:
    """Say how many candidates failed, and why: one line for each cause, the commonest first."""
    groups = grouped(one for one in failures_of(database, name) if not one.again)
    for group in groups[:5]:
        line = f"{len(group.failures)} failed, {group.first.failure.kind}: {group.first.reason}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if groups:
        console.print(f"More: spikefront failures {name} --db {db}", markup=False, highlight=False, soft_wrap=True)


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
