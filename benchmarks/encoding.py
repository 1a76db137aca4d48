"""Cost of growing weights: a training step with genetic against direct encoding.

    python -m benchmarks.encoding [--repeats 15] [--check]

Networks on 28 x 28 images, T = 4, batch 64, one thread, forward and backward and optimiser step.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
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
from spikefront.specification import Specification

NETWORKS: dict[str, dict[str, Any]] = {
    "conv 32-64-128": {"use": "conv", "channels": [32, 64, 128]},
    "mlp 512-512": {"use": "mlp", "hidden": [512, 512]},
}
ENCODINGS: dict[str, dict[str, Any]] = {
    "direct": {"use": "direct"},
    "genetic, fields, 32 genes": {"use": "genetic", "genes": 32},
    "genetic, fields, 64 genes": {"use": "genetic", "genes": 64},
    "genetic, unfold, 32 genes": {"use": "genetic", "variant": "unfold", "genes": 32},
    "genetic, per tap, 32 genes": {"use": "genetic", "variant": "per-tap", "genes": 32},
    "genetic, per tap, 64 genes": {"use": "genetic", "variant": "per-tap", "genes": 64},
}
AIM = 0.05


def build(network: dict[str, Any], encoding: dict[str, Any], seed: int = 0) -> nn.Module:
    """Return a network with fresh weights."""
    document = {
        "study": {"name": "step", "objectives": ["accuracy"]},
        "task": {"use": "digits"},
        "network": network,
        "encoding": encoding,
        "search": {"population": 2, "evaluations": 2},
    }
    study = Specification.from_document(document, load())
    point = {path: gene.domain.sample(np.random.default_rng(0)) for path, gene in study.space.items()}
    return study.resolve(study.space.genome(point)).parts.build((1, 28, 28), 10, Streams(seed))


def step(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> Callable[[], None]:
    """Return a whole training step as a function."""
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, fused=True)

    def run() -> None:
        optimizer.zero_grad(set_to_none=True)
        with parametrize.cached():
            functional.cross_entropy(network(images).mean(0), labels).backward()
        optimizer.step()

    return run


def seconds(runs: dict[str, Callable[[], None]], repeats: int) -> dict[str, list[float]]:
    """Return the time of each repeat, the runs taking turns."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(repeats + 2):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if number >= 2:
                found[name].append(time.perf_counter() - start)
    return found


def rows(network: dict[str, Any], repeats: int) -> Iterator[tuple[str, float, float]]:
    """Yield encoding, milliseconds of a step, and ratio to direct."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(64, 1, 28, 28, generator=generator)
    labels = torch.randint(10, (64,), generator=generator)
    runs: dict[str, Callable[[], None]] = {}
    for name, encoding in ENCODINGS.items():
        runs[name] = step(build(network, encoding), images, labels)
    found = seconds(runs, repeats)
    for name in ENCODINGS:
        ratios = [a / b for a, b in zip(found[name], found["direct"], strict=True)]
        yield name, statistics.median(found[name]) * 1000, statistics.median(ratios)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--check", action="store_true", help="exit with 1 if the aim is missed")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = Table(title=f"Training step, torch {torch.__version__}, medians of {arguments.repeats}")
    for column in ("network", "encoding", "step ms", "ratio to direct"):
        table.add_column(column, justify="left" if column in {"network", "encoding"} else "right")
    worst = 0.0
    for name, network in NETWORKS.items():
        for encoding, milliseconds, ratio in rows(network, arguments.repeats):
            table.add_row(name, encoding, f"{milliseconds:.1f}", f"{ratio:.2f}")
            worst = max(worst, ratio)
    console = Console(width=110)
    console.print(table)
    console.print(f"aim: growing the weights adds at most {AIM:.0%} to a training step")
    if arguments.check and worst > 1 + AIM:
        sys.exit(1)


if __name__ == "__main__":
    main()
