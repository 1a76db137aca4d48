"""How a study scales: evaluations a minute with one and two workers, and the cost of a step against sizes.

    python -m benchmarks.scaling [--repeats 7] [--searches 3] [--check]

Evaluations a minute are those of the first generations of studies/quickstart.toml, with one and with two workers in
turn, from the first result to the last. A training step is forward, backward and optimiser on a batch of 32 images of
28 x 28, one thread; its exponent is the slope of log time against log size: 1 means that twice the size takes twice the
time.
With --check, exits 1 when an aim is missed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrize

from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.search.coordinator import Search
from spikefront.search.progress import Progress
from spikefront.specification import Specification
from spikefront.storage import Database

QUICKSTART = Path(__file__).parent.parent / "studies" / "quickstart.toml"

Candidate = dict[str, dict[str, Any]]
LEAST_GAIN = 1.6
SIZES: dict[str, tuple[list[int], float, Callable[[int], Candidate]]] = {
    "time steps T, conv 16-32": ([2, 4, 8, 16], 1.1, lambda n: {"coder": {"steps": n}, "network": _conv([16, 32])}),
    "depth, convolutions of 32 channels": (
        [2, 4, 8],
        1.1,
        lambda n: {"network": {**_conv([32] * (n + 1)), "pool_every": n + 2}},
    ),
    "width, 3 convolutions": ([8, 16, 32, 64], 2.1, lambda n: {"network": _conv([n, n, n])}),
    "width, mlp of 2 layers": ([128, 256, 512, 1024], 2.1, lambda n: {"network": {"use": "mlp", "hidden": [n, n]}}),
    "genes, mlp 512-512": (
        [8, 16, 32, 64],
        1.1,
        lambda n: {"network": {"use": "mlp", "hidden": [512, 512]}, "encoding": _genetic(n)},
    ),
    "genes, conv 32-64-128": (
        [8, 16, 32, 64],
        1.1,
        lambda n: {"network": _conv([32, 64, 128]), "encoding": _genetic(n)},
    ),
}


def _conv(channels: list[int]) -> dict[str, Any]:
    return {"use": "conv", "channels": channels}


def _genetic(genes: int) -> dict[str, Any]:
    return {"use": "genetic", "variant": "per-tap", "genes": genes, "origin": "trained"}


def build(candidate: Candidate) -> nn.Module:
    """Return the network of a candidate for 28 x 28 images."""
    document = {
        "study": {"name": "scaling", "objectives": ["accuracy"]},
        "task": {"use": "digits"},
        "search": {"population": 2, "evaluations": 2},
        **candidate,
    }
    study = Specification.from_document(document, load())
    return study.resolve(study.space.genome({})).parts.build((1, 28, 28), 10, Streams(0))


def steps(networks: list[nn.Module], repeats: int) -> list[float]:
    """Return the median seconds of a training step of each network, the networks taking turns."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(32, 1, 28, 28, generator=generator)
    labels = torch.randint(10, (32,), generator=generator)
    optimizers = [torch.optim.AdamW(network.parameters(), 1e-3, fused=True) for network in networks]
    found: list[list[float]] = [[] for _ in networks]
    for repeat in range(repeats + 1):
        for network, optimizer, times in zip(networks, optimizers, found, strict=True):
            start = time.perf_counter()
            optimizer.zero_grad(set_to_none=True)
            with parametrize.cached():
                functional.cross_entropy(network(images).mean(0), labels).backward()
            optimizer.step()
            if repeat:
                times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in found]


def throughput(workers: int, generations: int) -> float:
    """Return evaluations a minute, from the first to the last result."""
    changes = [f"execution.workers={workers}", f"search.generations={generations}"]
    study = Specification.from_file(QUICKSTART, load(), changes)
    moments: list[tuple[float, int]] = []

    def watch(progress: Progress) -> None:
        moments.append((time.perf_counter(), progress.done))

    with tempfile.TemporaryDirectory() as folder, Database.open(f"sqlite:///{folder}/t.db", create=True) as database:
        Search(study, database, watch).run()
    first = next(moment for moment in moments if moment[1])
    last = moments[-1]
    return (last[1] - first[1]) / (last[0] - first[0]) * 60


def throughputs(searches: int) -> tuple[Table, float]:
    """Return the table of evaluations a minute, and how many times as many two workers make."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(searches):
        for workers, found in rates.items():
            found.append(throughput(workers, generations=2))
    table = Table(title=f"Quickstart, torch {torch.__version__}, medians of {searches}")
    for column in ("workers", "evaluations a minute", "smallest", "largest"):
        table.add_column(column, justify="right")
    for workers, found in rates.items():
        table.add_row(str(workers), *(f"{value:.1f}" for value in (statistics.median(found), min(found), max(found))))
    return table, statistics.median(two / one for one, two in zip(rates[1], rates[2], strict=True))


def main() -> None:
    """Print the tables and the aims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7, help="training steps of each size")
    parser.add_argument("--searches", type=int, default=3, help="searches with each number of workers")
    parser.add_argument("--check", action="store_true", help="exit 1 when an aim is missed")
    arguments = parser.parse_args()
    console = Console(width=110)
    searches, gain = throughputs(arguments.searches)
    console.print(searches)
    torch.set_num_threads(1)
    table = Table(title=f"Cost of a training step, torch {torch.__version__}, medians of {arguments.repeats}")
    for column in ("grows with", "sizes", "milliseconds", "exponent", "aim"):
        table.add_column(column, justify="right" if column in {"exponent", "aim"} else "left")
    reached = {f"2 workers at least {LEAST_GAIN} times as many evaluations as 1: {gain:.2f}": gain >= LEAST_GAIN}
    for name, (sizes, most, candidate) in SIZES.items():
        seconds = steps([build(candidate(size)) for size in sizes], arguments.repeats)
        slope = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
        milliseconds = ", ".join(f"{1000 * value:.1f}" for value in seconds)
        table.add_row(name, ", ".join(map(str, sizes)), milliseconds, f"{slope:.2f}", f"<= {most}")
        reached[f"{name}: exponent at most {most}: {slope:.2f}"] = slope <= most
    console.print(table)
    for aim, held in reached.items():
        console.print(f"{'reached' if held else 'MISSED '}  {aim}")
    if arguments.check and not all(reached.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
