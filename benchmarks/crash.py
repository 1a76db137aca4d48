"""A study whose processes are killed at random moments ends as if nothing had happened.

    python -m benchmarks.crash --kills 100 --seed 1                     coordinators and workers, on SQLite
    python -m benchmarks.crash --kills 20 --seed 1 --postgresql         on a private PostgreSQL server
    python -m benchmarks.crash --kills 10 --seed 1 --executor ray       with the Ray executor

A real study on digits runs once without harm. Then studies of the same file are run, and at random moments the
coordinator or one of its workers gets SIGKILL; after each death of a coordinator `spikefront resume` goes on. When a
study has ended, each evaluation has to be there once, and the front has to be that of the first run, bit for bit. Then
the next study begins, until there were enough kills. A candidate that lost two workers is recorded as failed, as it
should be; such a study counts as spoiled, not as different, and its kills do not count. Exits 1 unless all agree.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, make_url

from benchmarks import postgresql
from spikefront.storage import Database, queries

NAME = "crash"
STUDY = """
[study]
name = "crash"
seed = 3
objectives = ["accuracy", "parameters", "energy"]

[task]
use = "digits"
train = 600
validation = 200

[network]
use = "mlp"
hidden = { choice = [[16], [32], [48], [32, 16]] }

[neuron]
tau = { low = 1.2, high = 4.0, log = true }

[encoding]
use = { choice = ["direct", "genetic"] }
genes = { low = 2, high = 8 }

[trainer]
epochs = 2
learning_rate = { low = 1e-3, high = 2e-2, log = true }

[search]
population = 8
generations = 6

[execution]
workers = 2
"""
SPIKEFRONT = str(Path(sys.executable).with_name("spikefront"))
LONGEST = 600.0
"""Seconds after which a run that does not end counts as hung."""

Front = list[tuple[str, tuple[float | None, ...]]]


@dataclass
class Tally:
    """What happened.

    Attributes:
        kills: Number of kills by victim.
        studies: Studies that were killed and ended.
        resumes: How often a study was gone on with.
        lost: Asks without an evaluation, at the end of a study.
        doubled: Evaluations beyond the first of an ask.
        different: Studies whose front is not the first run's.
        spoiled: Studies in which a candidate lost two workers.
        orphans: Workers that lived on for more than ten seconds after their coordinator.
    """

    kills: Counter[str] = field(default_factory=Counter)
    studies: int = 0
    resumes: int = 0
    lost: int = 0
    doubled: int = 0
    different: int = 0
    spoiled: int = 0
    orphans: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, doubled or different."""
        return not (self.lost or self.doubled or self.different or self.orphans)


class Studies:
    """Runs of the same study file, each in a database of its own.

    Args:
        folder: Where files go.
        server: Address of a PostgreSQL server's database, or None for SQLite files.
        options: Further options of `spikefront run`.
    """

    def __init__(self, folder: Path, server: str | None, options: list[str]) -> None:
        self.file = folder / "crash.toml"
        self.file.write_text(STUDY)
        self.errors = folder / "errors"
        self._folder, self._server, self._options = folder, server, options
        self._number = 0

    def new(self) -> str:
        """Return the address of an empty database."""
        self._number += 1
        if self._server is None:
            return str(self._folder / f"crash{self._number}.db")
        url = make_url(self._server)
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"create database crash{self._number}")
        engine.dispose()
        return url.set(database=f"crash{self._number}").render_as_string(hide_password=False)

    def start(self, database: str, resume: bool) -> subprocess.Popen[bytes]:
        """Run the study, or go on with it."""
        what = ["resume", NAME] if resume and recorded(database) else ["run", str(self.file), *self._options]
        command = [SPIKEFRONT, *what, "--db", database]
        with self.errors.open("wb") as errors:
            return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)


def recorded(database: str) -> bool:
    """Tell whether the study is in a database by now."""
    with contextlib.suppress(Exception), Database.read_only(database) as opened:
        return any(row.name == NAME for row in queries.studies(opened))
    return False


def front(database: str) -> Front:
    """Return the front with all measurements."""
    with Database.read_only(database) as opened:
        rows = queries.front(opened, NAME)
    return sorted((row.genome_hash, tuple(row.mean(name) for name in sorted(row.measurements))) for row in rows)


def reasons(database: str) -> str:
    """Return why candidates failed, a line each."""
    with Database.read_only(database) as opened:
        failed = [(row.number, row.failure) for row in queries.failures(opened, NAME)]
    return "\n".join(f"{number} {failure.kind}: {failure.message}" for number, failure in failed if failure)


def children(process: int) -> list[int]:
    """Return the processes that a process has started and that run our workers, and theirs."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *children(child)]
    return [child for child in found if _is_worker(command_of(child))]


def _is_worker(command: bytes) -> bool:
    """Tell whether a process runs candidates; Ray's own agents go by names like those of its workers."""
    return b"spawn_main" in command or (b"ray::" in command and b"Agent" not in command)


def command_of(process: int) -> bytes:
    """Return the command line of a process; empty where it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


def kill_once(running: subprocess.Popen[bytes], rng: random.Random, longest: float) -> str | None:
    """Kill the coordinator or a worker at a random moment; return which, or None if the run ended before."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        running.wait(rng.uniform(0.3, longest))
        return None
    workers = children(running.pid)
    if workers and rng.random() < 0.5:
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(workers), signal.SIGKILL)
        return "worker"
    running.kill()
    running.wait()
    return "coordinator"


def leftover(processes: list[int]) -> int:
    """Return how many processes are still there after ten seconds, and end them."""
    deadline = time.monotonic() + 10
    while (left := [one for one in processes if b"spawn_main" in command_of(one)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    for one in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    return len(left)


def crash(studies: Studies, wanted: Front, kills: int, rng: random.Random, longest: float, tally: Tally) -> None:
    """Run one study to its end with at most `kills` kills, and judge it."""
    database, resume, done = studies.new(), False, Counter[str]()
    running = studies.start(database, resume)
    while done.total() < kills:
        workers = children(running.pid)
        victim = kill_once(running, rng, longest)
        if victim is None:
            break
        done[victim] += 1
        if victim == "coordinator":
            tally.orphans += leftover(workers)
            resume = True
            tally.resumes += 1
            running = studies.start(database, resume)
    try:
        code = running.wait(LONGEST)
    except subprocess.TimeoutExpired:
        running.kill()
        raise RuntimeError(f"{database}: the study does not end") from None
    if code:
        raise RuntimeError(f"{database}: exit code {code}: {studies.errors.read_text()}{reasons(database)}")
    with Database.read_only(database) as opened:
        asks = [row.number for row in queries.asks(opened, NAME)]
        rows = queries.evaluations(opened, NAME)
    if any(row.failure and row.failure.kind == "worker-died" for row in rows):
        tally.spoiled += 1
        return
    answered = Counter(row.number for row in rows)
    tally.kills += done
    tally.studies += 1
    tally.lost += sum(number not in answered for number in asks)
    tally.doubled += answered.total() - len(answered)
    tally.different += front(database) != wanted


@contextlib.contextmanager
def server(wanted: bool) -> Iterator[str | None]:
    """Give the address of a private PostgreSQL server, or None."""
    if not wanted:
        yield None
        return
    with postgresql.server() as address:
        yield address


def main() -> None:
    """Kill, resume, compare, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true", help="on a private PostgreSQL server")
    parser.add_argument("--executor", choices=("local", "ray"), default="local")
    arguments = parser.parse_args()
    rng, tally, console = random.Random(arguments.seed), Tally(), Console(width=150)  # noqa: S311  no secret
    options = ["--executor", arguments.executor] if arguments.executor != "local" else []
    with tempfile.TemporaryDirectory() as folder, server(arguments.postgresql) as address:
        studies = Studies(Path(folder), address, options)
        begin, database = time.monotonic(), studies.new()
        subprocess.run([SPIKEFRONT, "run", str(studies.file), *options, "--db", database], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        wanted, seconds = front(database), time.monotonic() - begin
        console.print(f"uninterrupted: {seconds:.1f} s, front of {len(wanted)}")
        while tally.kills.total() < arguments.kills:
            crash(studies, wanted, arguments.kills - tally.kills.total(), rng, seconds, tally)
            console.print(f"{tally.kills.total()} kills, {tally.studies} studies", highlight=False)
    table = Table(title=f"{arguments.kills} kills, seed {arguments.seed}, "
                  f"{'PostgreSQL' if arguments.postgresql else 'SQLite'}, executor {arguments.executor}")  # fmt: skip
    for name in ("coordinators", "workers", "studies", "resumes", "lost", "doubled", "different fronts", "orphans",
                 "spoiled"):  # fmt: skip
        table.add_column(name, justify="right")
    numbers = (tally.kills["coordinator"], tally.kills["worker"], tally.studies, tally.resumes, tally.lost,
               tally.doubled, tally.different, tally.orphans, tally.spoiled)  # fmt: skip
    table.add_row(*map(str, numbers))
    console.print(table)
    if not tally.sound:
        sys.exit(1)


if __name__ == "__main__":
    main()
