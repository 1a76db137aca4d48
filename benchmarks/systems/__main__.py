"""Every system's claims beside what is found here.

    python -m benchmarks.systems [NAME ...]                    the short checks, computed now
    python -m benchmarks.systems --stored [NAME ...]           what the long runs found, as they are stored
    python -m benchmarks.systems --run [--minutes 60] NAME     the long runs that are not stored yet

Long runs are kept in studies/results/systems/NAME.jsonl, two run at a time. With --markdown, the tables are those of
docs/systems.md. A claim that does not hold is a result and no error; with --check, exits 1 where one does not hold.
"""

from __future__ import annotations

import argparse
import importlib
import math
import pkgutil
import statistics
import sys
import time
from collections.abc import Iterable
from importlib.metadata import version
from types import ModuleType

import torch
from rich.console import Console
from rich.table import Table

from benchmarks import results, systems
from benchmarks.systems import Finding

COLUMNS = ("system", "claim", "figure here", "")


def modules() -> dict[str, ModuleType]:
    """Return the module of each system, by the system's name."""
    names = sorted(info.name for info in pkgutil.iter_modules(systems.__path__) if not info.name.startswith("_"))
    found = {name.replace("_", "-"): importlib.import_module(f"{systems.__name__}.{name}") for name in names}
    return {name: module for name, module in found.items() if hasattr(module, "findings")}


def stored(module: ModuleType, name: str) -> Iterable[Finding]:
    """Return what the stored long runs of a system say."""
    rows = results.rows(results.FOLDER / "systems" / f"{name}.jsonl")
    return module.findings(rows) if rows else ()


def run(module: ModuleType, name: str, minutes: float) -> None:
    """Do the long runs of a system that are not stored yet."""
    path = results.FOLDER / "systems" / f"{name}.jsonl"
    done = [list(row.values()) for row in results.rows(path)]
    missing = [job for job in module.jobs() if not any(row[: len(job)] == list(job) for row in done)]
    results.append(path, module.run, missing, time.monotonic() + 60 * minutes)


def markdown(found: Iterable[tuple[str, Finding]]) -> str:
    """Return findings as the rows of a table in Markdown; each system's name leads to its page."""
    lines = ["| system | claim | figure here | |", "| --- | --- | --- | --- |"]
    lines += [f"| [{name}](systems/{name}.md) | {one.claim} | {one.figure} | {one.verdict} |" for name, one in found]
    return "\n".join(lines)


def times(names: Iterable[str]) -> str:
    """Return how many long runs of each system are stored and how long they took, as a table in Markdown."""
    lines = ["| system | long runs | seconds of a run, median | minutes of all |", "| --- | ---: | ---: | ---: |"]
    for name in names:
        seconds = [row["seconds"] for row in results.rows(results.FOLDER / "systems" / f"{name}.jsonl")]
        if seconds:
            lines.append(f"| {name} | {len(seconds)} | {statistics.median(seconds):.1f} | {sum(seconds) / 60:.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, after the runs that were asked for."""
    known = modules()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all by default")
    parser.add_argument("--stored", action="store_true", help="what the long runs found")
    parser.add_argument("--run", action="store_true", help="do the long runs that are not stored yet, and store them")
    parser.add_argument("--minutes", type=float, default=math.inf, help="start no run after this time")
    parser.add_argument("--markdown", action="store_true", help="print the table for docs/systems.md")
    parser.add_argument("--check", action="store_true", help="exit 1 where a claim does not hold")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in known:
            parser.error(f"no system is called '{name}'; there are {', '.join(known)}")
    chosen = {name: known[name] for name in arguments.names or known}
    torch.set_num_threads(1)
    found: list[tuple[str, Finding]] = []
    for name, module in chosen.items():
        if arguments.run:
            run(module, name, arguments.minutes)
        kept = arguments.stored or arguments.run or arguments.markdown
        found += [(name, finding) for finding in (stored(module, name) if kept else module.short())]
    if arguments.markdown:
        print(markdown(found), times(chosen), sep="\n\n")
    else:
        table = Table(*COLUMNS, title=f"torch {version('torch')}, pymoo {version('pymoo')}", show_lines=True)
        for name, finding in found:
            table.add_row(name, finding.claim, finding.figure, finding.verdict)
        Console(width=None if sys.stdout.isatty() else 150).print(table)
    if arguments.check and any(finding.holds is False for _, finding in found):
        sys.exit(1)


if __name__ == "__main__":
    main()
