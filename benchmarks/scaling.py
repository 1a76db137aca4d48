"""How the cost of a training step grows with time steps, depth, width and genes: fitted exponents.

    python -m benchmarks.scaling [--repeats 7]

A step is forward, backward and optimiser on a batch of 32 images of 28 x 28, one thread. The exponent is the slope of
log time against log size; 1 means that twice the size takes twice the time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
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
from spikefront.study import Study

Candidate = dict[str, dict[str, Any]]
SIZES: dict[str, tuple[list[int], Callable[[int], Candidate]]] = {
    "time steps T, conv 16-32": ([2, 4, 8, 16], lambda n: {"coder": {"steps": n}, "network": _conv([16, 32])}),
    "depth, convolutions of 32 channels": (
        [2, 4, 8],
        lambda n: {"network": {**_conv([32] * (n + 1)), "pool_every": n + 2}},
    ),
    "width, 3 convolutions": ([8, 16, 32, 64], lambda n: {"network": _conv([n, n, n])}),
    "width, mlp of 2 layers": ([128, 256, 512, 1024], lambda n: {"network": {"use": "mlp", "hidden": [n, n]}}),
    "genes, mlp 512-512": (
        [8, 16, 32, 64],
        lambda n: {"network": {"use": "mlp", "hidden": [512, 512]}, "encoding": _genetic(n)},
    ),
    "genes, conv 32-64-128": ([8, 16, 32, 64], lambda n: {"network": _conv([32, 64, 128]), "encoding": _genetic(n)}),
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
    study = Study.from_document(document, load())
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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    table = Table(title=f"Cost of a training step, torch {torch.__version__}, medians of {repeats}")
    for column in ("grows with", "sizes", "milliseconds", "exponent"):
        table.add_column(column, justify="right" if column == "exponent" else "left")
    for name, (sizes, candidate) in SIZES.items():
        seconds = steps([build(candidate(size)) for size in sizes], repeats)
        slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
        milliseconds = ", ".join(f"{1000 * value:.1f}" for value in seconds)
        table.add_row(name, ", ".join(map(str, sizes)), milliseconds, f"{slope:.2f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
