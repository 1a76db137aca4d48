"""Weights that are Chebyshev polynomials of their input (after Islam et al., arXiv 2412.01454), on embedded tables.

Networks have one hidden layer of 16 spiking neurons with batch normalisation, and 8 time steps; epochs, rate and decay
were chosen by the validation accuracy of n = 0. That is the plain network with the same traces, linear in them; "dense"
is the one whose readout sees the spikes. "wide" has n = 0 and about the stored numbers of n = 2. Rows are split anew
into training and validation for each seed, the same for all arms; the test rows stay.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from benchmarks.systems import Finding
from benchmarks.systems._trained import compared, front, study, trained
from spikefront_plugins.synapses.chebyshev import Chebyshev
from spikefront_plugins.synapses.dense import Dense
from spikefront_plugins.tasks.tabular import Tabular

EPOCHS = {"iris": 100, "wine": 100, "breast-cancer": 40, "digits": 15, "diabetes": 40}
WIDTH = 16
ORDERS = {"n = 0": 0, "n = 2": 2, "n = 3": 3, "wide": 0}
ARMS = (*ORDERS, "dense")
SEEDS = range(1, 11)


@dataclass(frozen=True)
class Run:
    """One network, or one search.

    Attributes:
        arm: Of `ARMS`, or "search".
        parameters: Stored numbers.
        validation: Accuracy, or R2 of the regression.
        test: The same.
        found: The front, of a search.
    """

    table: str
    arm: str
    seed: int
    parameters: int = 0
    validation: float = 0.0
    test: float = 0.0
    seconds: float = 0.0
    found: list[dict[str, Any]] = field(default_factory=list)


def width_of(table: str, arm: str) -> int:
    """Return the number of hidden neurons: with n = 0 as many as have the numbers of n = 2, where it is wide.

    A network of width H stores (n + 1) H (inputs + outputs) weights, 2 H numbers of the normalisation, and biases.
    """
    task = Tabular.model_validate({"table": table})
    ends = task.input_shape[0] + task.outputs
    return round(WIDTH * (3 * ends + 2) / (ends + 2)) if arm == "wide" else WIDTH


def jobs() -> list[tuple[str, str, int]]:
    """Return table, arm and seed of every run."""
    runs = [(table, arm, seed) for seed in SEEDS for table in EPOCHS for arm in ARMS]
    half = len(runs) // 2
    return [*runs[:half], ("breast-cancer", "search", 1), *runs[half:]]


def run(table: str, arm: str, seed: int) -> Run:
    """Train and test a network, or search."""
    if arm == "search":
        start = time.perf_counter()
        found = front(study("chebyshev-neurons", f"task.table={table}", "execution.workers=1", f"study.seed={seed}"))
        return Run(table, arm, seed, seconds=time.perf_counter() - start, found=found)
    metric = "r2" if table == "diabetes" else "accuracy"
    synapse = f"{{use='chebyshev', order={ORDERS.get(arm, 0)}, squash='clip', decay=0.5}}"
    changes = (f"task.table={table}", f"task.split_seed={seed}", f"study.objectives=['{metric}', 'parameters']",
               f"synapse={'dense' if arm == 'dense' else synapse}", f"network.hidden=[{width_of(table, arm)}]",
               f"trainer.epochs={EPOCHS[table]}")  # fmt: skip
    outcome = trained(study("chebyshev-neurons", *changes), seed)
    measured = outcome.measured
    return Run(
        table, arm, seed, int(measured["parameters"]), measured[metric], outcome.test[metric], outcome.seconds
    )  # fmt: skip


def short() -> Iterator[Finding]:
    """Check layers against the equations."""

    def layer(synapse: Any, inputs: int = 30, outputs: int = 16) -> Any:
        return synapse.linear(inputs, outputs, True, torch.Generator().manual_seed(1))

    x = 2 * torch.rand(8, 32, 30, generator=torch.Generator().manual_seed(0)) - 1
    with torch.no_grad():
        same = torch.equal(
            layer(Chebyshev(order=0, decay=0.0))(x), layer(Dense())(x.flatten(0, 1)).unflatten(0, (8, 32))
        )
        yield Finding("n = 0 is a linear layer, bit for bit", f"equal: {same}, of 8 x 32 x 16 currents", same)
        numbers = sum(p.numel() for p in layer(Chebyshev(order=3)).parameters())
        yield Finding(
            "A layer stores (n + 1) d_in d_out + d_out numbers", f"30 to 16 with n = 3: {numbers}", numbers == 1936
        )
        corners = torch.tensor([[[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]]])
        a, b, c, d = layer(Chebyshev(order=5), 2, 1)(corners).flatten().double().tolist()
        yield Finding(
            "Inputs are not mixed, so that no order solves XOR without hidden neurons",
            f"y(-1, -1) + y(1, 1) - y(-1, 1) - y(1, -1) = {a + b - c - d:.1e}", abs(a + b - c - d) < 1e-6,
        )  # fmt: skip
        spikes = (x > 0).float()
        cubic = layer(Chebyshev(order=3, decay=0.0))
        sums = sum(order.module.weight for order in cubic.orders)
        error = float(
            (cubic(spikes) - torch.nn.functional.linear(spikes, sums, cubic.orders[0].module.bias)).abs().max()
        )
        yield Finding(
            "On spikes without traces the layer is linear at every order", f"largest difference {error:.1e}, n = 3",
            error < 1e-5,
        )  # fmt: skip


def findings(rows: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Compare arms, table by table, over the seeds that they share."""
    test: dict[tuple[str, str], dict[int, float]] = {}
    numbers: dict[tuple[str, str], int] = {}
    for row in rows:
        test.setdefault((row["table"], row["arm"]), {})[row["seed"]] = row["test"]
        numbers[row["table"], row["arm"]] = row["parameters"]
    for arm, other, claim in (
        ("n = 2", "n = 0", "At equal width, n = 2 beats or equals n = 0 on most tables"),
        ("n = 3", "n = 0", "At equal width, n = 3 beats or equals n = 0 on most tables"),
        ("n = 2", "dense", "At equal width, n = 2 beats or equals the dense network on most tables"),
        ("n = 2", "wide", "At equal stored numbers, n = 2 beats or equals a wider linear network on most tables"),
    ):
        tables = [table for table in EPOCHS if {(table, arm), (table, other)} <= set(test)]
        if tables:
            yield _compared(tables, arm, other, claim, test, numbers)
    for row in rows:
        if row["found"]:
            yield _front(row["found"])


def _compared(
    tables: Sequence[str],
    arm: str,
    other: str,
    claim: str,
    test: dict[tuple[str, str], dict[int, float]],
    numbers: dict[tuple[str, str], int],
) -> Finding:
    """Hold a claim where the mean is at or above the other's on most tables."""
    texts, above = [], 0
    for table in tables:
        seeds = sorted(test[table, arm].keys() & test[table, other].keys())
        mine, theirs = ([test[table, name][seed] for seed in seeds] for name in (arm, other))
        difference = statistics.fmean(mine) - statistics.fmean(theirs)
        above += difference >= 0
        p = compared(mine, theirs)[1].split("p = ")[1].split(",")[0]
        texts.append(f"{table} {statistics.fmean(mine):.3f} against {statistics.fmean(theirs):.3f} (p = {p})")
    least, most = (f([numbers[t, arm] / numbers[t, other] for t in tables]) for f in (min, max))
    figure = f"{above} of {len(tables)}; means of {len(seeds)} seeds, accuracy or R2: {'; '.join(texts)}"
    return Finding(claim, f"{figure}; stored numbers {least:.2f} to {most:.2f} times", 2 * above > len(tables))


def _front(found: Sequence[dict[str, Any]]) -> Finding:
    orders = [row["synapse.order"] for row in found]
    figure = ", ".join(f"n = {n}: {orders.count(n)}" for n in sorted(set(orders)))
    return Finding(
        "With n as a gene, an order above 0 is on the front of accuracy, parameters and energy",
        f"{figure}, of 128 candidates; breast-cancer, 1 seed",
        any(orders),
    )
