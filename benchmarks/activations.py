"""Memory of a training step: what was estimated and what was measured, whole, packed, and in parts.

    python -m benchmarks.activations [--repeats 9] [--only conv] [--steps 4 16]

Batch 64, 28 x 28, direct code, one thread, float32. "estimate" is what is kept for the backward pass, and the peak, as
`spikefront.measure.activations` finds them before training; "measured" is by how much a fresh process grows in three
steps; that includes the gradients of the parameters and the optimiser's state, which "parameters" gives. Times are
medians, the ways taking turns; "difference" is that of the first gradient from the first way's, by its norm.

glibc keeps freed memory, in pieces that later tensors may not fit into. With MALLOC_MMAP_THRESHOLD_=1048576 in the
environment it gives memory back at once, and what is measured is what is used.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from spikefront.components import SupervisedTask
from spikefront.measure.activations import activations
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.specification import Specification
from spikefront_plugins.tasks.digits import Digits
from spikefront_plugins.trainers._gradient import Gradient

BATCH = 64
MIB = 2**20
NETWORKS: dict[str, dict[str, Any]] = {
    "conv 32-64-128": {"use": "conv", "channels": [32, 64, 128]},
    "mlp 512-512": {"use": "mlp", "hidden": [512, 512]},
    "resnet 1-1-1, 16": {"use": "resnet"},
}
WAYS = {
    "plain": Gradient(),
    "packed": Gradient(packed=True),
    "4 parts": Gradient(parts=4),
    "4 parts, packed": Gradient(parts=4, packed=True),
}
TASK = Digits()


def build(network: dict[str, Any], steps: int) -> nn.Module:
    """Return a network with fresh weights."""
    document = {
        "study": {"name": "step", "objectives": ["accuracy"]},
        "task": {"use": "digits"},
        "network": network,
        "coder": {"steps": steps},
        "search": {"population": 2, "evaluations": 2},
    }
    study = Specification.from_document(document, load())
    genome = study.space.genome({p: gene.domain.sample(np.random.default_rng(0)) for p, gene in study.space.items()})
    return study.resolve(genome).parts.build((1, 28, 28), 10, Streams(0)).train()


def batch() -> tuple[Tensor, Tensor]:
    """Return images and labels."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(BATCH, 1, 28, 28, generator=generator), torch.randint(10, (BATCH,), generator=generator)


class Step:
    """A training step of one network in one way."""

    def __init__(self, network: str, steps: int, way: str) -> None:
        self.network = build(NETWORKS[network], steps)
        self.gradient = WAYS[way]
        self.task: SupervisedTask = TASK
        self.optimizer = torch.optim.AdamW(self.network.parameters(), 1e-3, fused=True)

    def __call__(self, images: Tensor, labels: Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.gradient.add(self.network, self.task, images, labels)
        self.optimizer.step()


def grown(network: str, steps: int, way: str) -> float:
    """Return by how many MiB this process grows in three steps, after one step with two samples."""
    run = Step(network, steps, way)
    images, labels = batch()
    dataclasses.replace(run.gradient, parts=1).add(run.network, run.task, images[:2], labels[:2])
    run.optimizer.zero_grad(set_to_none=True)
    ctypes.CDLL(None).malloc_trim(0)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    for _ in range(3):
        run(images, labels)
    return resident("VmHWM") - before


def resident(name: str) -> float:
    """Return a size of this process as Linux counts it, in MiB."""
    (size,) = re.findall(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(size) / 1024


def measured(network: str, steps: int, way: str) -> float:
    """Return `grown` of a fresh process."""
    command = [sys.executable, "-m", "benchmarks.activations", "--grown", network, str(steps), way]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def milliseconds(network: str, steps: int, repeats: int) -> dict[str, list[float]]:
    """Return the time of each step, the ways taking turns."""
    runs = {way: Step(network, steps, way) for way in WAYS}
    images, labels = batch()
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(repeats + 2):
        for way, run in runs.items():
            start = time.perf_counter()
            run(images, labels)
            if number >= 2:
                found[way].append((time.perf_counter() - start) * 1000)
    return found


def difference(network: str, steps: int, way: str) -> float:
    """Return the norm of the difference between the gradients of a way and of the first way, by the latter's norm."""
    images, labels = batch()
    gradients = []
    for each in (next(iter(WAYS)), way):
        run = Step(network, steps, each)
        run.gradient.add(run.network, run.task, images, labels)
        found = (parameter.grad for parameter in run.network.parameters())
        gradients.append(torch.cat([tensor.flatten() for tensor in found if tensor is not None]))
    first, second = gradients
    return float((first - second).norm() / first.norm())


def rows(network: str, steps: int, repeats: int, table: Table) -> None:
    """Add the rows of one network to the table."""
    found = milliseconds(network, steps, repeats)
    images, _ = batch()
    for way, gradient in WAYS.items():
        model = build(NETWORKS[network], steps)
        estimate = activations(model, images[: BATCH // gradient.parts], gradient.packed)
        own = 3 * sum(parameter.nbytes for parameter in model.parameters())  # their gradients, and AdamW's state
        ratio = statistics.median(a / b for a, b in zip(found[way], found["plain"], strict=True))
        sizes = (estimate.kept / MIB, estimate.peak / MIB, measured(network, steps, way), own / MIB)
        table.add_row(
            network if way == "plain" else "",
            str(steps) if way == "plain" else "",
            way,
            *(f"{size:.1f}" for size in sizes),
            f"{statistics.median(found[way]):.1f}",
            f"{ratio:.2f}",
            f"{difference(network, steps, way):.0e}",
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--only", default="", help="networks whose name begins so")
    parser.add_argument("--steps", type=int, nargs="+", default=[4, 16], help="numbers of time steps")
    parser.add_argument("--grown", nargs=3, metavar=("NETWORK", "STEPS", "WAY"), help="measure one, in this process")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.grown:
        network, steps, way = arguments.grown
        print(json.dumps(grown(network, int(steps), way)))
        return
    table = Table(title=f"Memory of a training step in MiB, batch {BATCH}, torch {torch.__version__}")
    for column in ("network", "T", "way"):
        table.add_column(column)
    for column in ("kept, estimate", "peak, estimate", "peak, measured", "parameters", "ms", "ratio", "difference"):
        table.add_column(column, justify="right")
    for network in (name for name in NETWORKS if name.startswith(arguments.only)):
        for steps in arguments.steps:
            rows(network, steps, arguments.repeats, table)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
