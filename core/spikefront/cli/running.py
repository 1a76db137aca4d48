"""The command that runs a study, and its live display."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from spikefront.cli.options import DatabaseOption, Format, PluginsOption
from spikefront.cli.output import print_note
from spikefront.cli.reading import print_front
from spikefront.search.failures import failures_of, grouped
from spikefront.search.progress import Progress
from spikefront.search.screening import recorded_standing
from spikefront.storage import DEFAULT_DATABASE, Database
from spikefront.study import Study

EXIT_CODES = {"finished": 0, "failed": 1, "interrupted": 130}

WorkersOption = Annotated[int | None, typer.Option(min=1, help="Evaluations at the same time.")]
ExecutorOption = Annotated[str | None, typer.Option(metavar="NAME", help="Where it runs: local, ray, inline.")]
RayOption = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Run on the Ray cluster there, or on 'auto'.")]


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Study file (TOML).")],
    db: DatabaseOption = DEFAULT_DATABASE,
    workers: WorkersOption = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the file; repeatable.")
    ] = None,
    executor: ExecutorOption = None,
    ray: RayOption = None,
    plugins_dir: PluginsOption = None,
) -> None:
    """Run a study, or go on with it where it was interrupted."""
    given = _execution(workers, executor, ray).items()
    changes = [*(changes or []), *(f"execution.{key}={json.dumps(value)}" for key, value in given)]
    _search(Study.from_file(file, changes, db=db, plugins=plugins_dir or ()))


def resume(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A recorded study.")],
    db: DatabaseOption = DEFAULT_DATABASE,
    workers: WorkersOption = None,
    executor: ExecutorOption = None,
    ray: RayOption = None,
    generations: Annotated[int | None, typer.Option(min=1, help="Number of generations, those done included.")] = None,
    evaluations: Annotated[int | None, typer.Option(min=1, help="Number of candidates, those done included.")] = None,
    fresh_algorithm: Annotated[
        bool, typer.Option("--fresh-algorithm", help="Start the algorithm anew, from what was found so far.")
    ] = False,
    plugins_dir: PluginsOption = None,
) -> None:
    """Go on with a recorded study, also beyond its budget."""
    study = Study.open(name, db=db, plugins=plugins_dir or (), execution=_execution(workers, executor, ray))
    for change in study.changes():
        print_note(f"Changed since the study was recorded: {change}.")
    _search(study, generations=generations, evaluations=evaluations, fresh_algorithm=fresh_algorithm)


def _execution(workers: int | None, executor: str | None, ray: str | None) -> dict[str, int | str]:
    """Return the keys of [execution] that were given on the command line."""
    given = {"workers": workers, "use": executor or ("ray" if ray else None), "address": ray}
    return {key: value for key, value in given.items() if value}


def _search(study: Study, **arguments: Any) -> None:
    """Run a study to the end, or until somebody interrupts, and leave the program."""
    console, stop = Console(), Event()
    display = _Display(study.name, console)
    with closing(display), _signals(stop, console):
        outcome = study.run(watch=display.update, stop=stop, **arguments)
    console.print()
    with Database.read_only(study.db) as database:
        if outcome != "interrupted":
            print_front(database, study.name, Format.table)
            standing = recorded_standing(database, study.name)
            if standing:
                print_note(f"screening {standing}")
        _print_failures(database, study.name)
        label = database.label
    if outcome == "finished" and display.done < display.total:
        print_note(f"The search ended after {display.done} of {display.total}: it found nothing new to try.")
    if outcome == "interrupted":
        print_note(f"Interrupted. What is done is recorded; go on with: spikefront resume {study.name} --db {label}")
    raise typer.Exit(EXIT_CODES[outcome])


@contextmanager
def _signals(stop: Event, console: Console) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM set `stop`, and a second one end the program with its workers at once."""

    def act(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            for worker in multiprocessing.active_children():
                worker.kill()
            os._exit(EXIT_CODES["interrupted"])
        stop.set()
        console.print("Stopping. What has ended is being recorded; once more to end at once.")

    before = {number: signal.signal(number, act) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_failures(database: Database, name: str) -> None:
    """Say how many candidates failed, and why: one line for each cause, the commonest first."""
    groups = grouped(one for one in failures_of(database, name) if not one.again)
    for group in groups[:5]:
        print_note(f"{len(group.failures)} failed, {group.first.failure.kind}: {group.first.reason}")
    if groups:
        print_note(f"More: spikefront failures {name} --db {database.label}")


class _Display:
    """What a user sees while a study runs, from its first progress on."""

    def __init__(self, name: str, console: Console) -> None:
        self._bar = Bar(TextColumn("[bold]{task.description}"), BarColumn(), MofNCompleteColumn(), console=console)
        self._task = self._bar.add_task(name, total=None)
        self.done = self.total = 0
        self._live = Live(self._bar, console=console, refresh_per_second=4)

    def update(self, progress: Progress) -> None:
        """Show a new state."""
        self.done, self.total = progress.done, progress.total
        self._bar.update(self._task, completed=progress.done, total=progress.total)
        self._live.start()
        self._live.update(Group(self._bar, _facts(progress)))

    def close(self) -> None:
        """Leave the last state on the screen."""
        self._live.stop()


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
