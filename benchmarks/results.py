"""Runs that take long: done two at a time, and each appended to a file of JSON lines as it ends."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "studies" / "results"


def options(description: str, path: Path) -> argparse.ArgumentParser:
    """Return the options of a program whose runs are kept in a file.

    Args:
        description: What the program is for.
        path: The file, unless another is given.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="do the runs that are not stored yet, and store them")
    parser.add_argument("--fresh", action="store_true", help="do a short version now, and store nothing")
    parser.add_argument("--minutes", type=float, default=math.inf, help="start no run after this time")
    parser.add_argument("--results", type=Path, default=path, help="file of the stored runs")
    return parser


def rows(path: Path) -> list[dict[str, Any]]:
    """Return what a file holds; nothing, where it is not there."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(path: Path, run: Callable[..., Any], wanted: Sequence[tuple[Any, ...]], ends: float) -> None:
    """Append what `run`, a function of a module, returns for each tuple of arguments; start nothing after `ends`.

    Args:
        path: The file; made where it is not there.
        run: Returns a dataclass.
        wanted: Arguments of each run, in order.
        ends: By the clock of `time.monotonic`.
    """
    left = list(wanted)
    path.parent.mkdir(exist_ok=True)
    with ProcessPoolExecutor(2) as pool, path.open("a") as file:
        running: set[Future[Any]] = set()
        while running or (left and time.monotonic() < ends):
            while left and len(running) < 2 and time.monotonic() < ends:
                running.add(pool.submit(run, *left.pop(0)))
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                file.write(json.dumps(asdict(future.result())) + "\n")
                file.flush()
