"""CE-LIF (arXiv 2308.15150): a table in the threshold against wider layers, on intervals, rows of digits and recall."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.systems import Finding
from benchmarks.systems._trained import compared, spread, study, trained
from spikefront.genome import Genome
from spikefront.randomness import Streams
from spikefront.specification import Specification
from spikefront_plugins.neurons.ce_lif import ContextualLIF
from spikefront_plugins.surrogates.rectangle import Rectangle

SEEDS = (1, 2, 3, 4, 5)
TABLE, WIDE, NARROW, RHYTHMIC = "table", "LIF, as many numbers", "LIF, as many neurons", "rhythmic"
VARIANTS = {TABLE: "table", WIDE: "none", NARROW: "none", RHYTHMIC: "rhythmic"}
ROWS = (
    "task={use='sequential-mnist',train=6000,validation=2000}",
    "coder.steps=28",
    "trainer.epochs=8",
    "trainer.batch=100",
)
RECALL = ("task={use='delayed-recall'}", "coder.steps=60", "trainer.epochs=10")
TASKS: dict[str, tuple[str, ...]] = {"interval": (), "rows of mnist": ROWS, "recall after 50 steps": RECALL}
WIDTHS = {
    "interval": {TABLE: 32, WIDE: 54, NARROW: 32, RHYTHMIC: 53},
    "rows of mnist": {TABLE: 64, WIDE: 75, NARROW: 64, RHYTHMIC: 74},
    "recall after 50 steps": {TABLE: 32, WIDE: 51, NARROW: 32, RHYTHMIC: 51},
}
"""Neurons of each of two hidden layers; those of the wide net are the fewest that store no less than the table's."""

TUNED: dict[tuple[str, str], tuple[float, float]] = {
    ("interval", "table"): (0.5, 1e-2),
    ("interval", "rhythmic"): (0.5, 1e-2),
    ("interval", "none"): (0.9, 5e-3),
    ("rows of mnist", "table"): (0.5, 2e-2),
    ("rows of mnist", "rhythmic"): (0.5, 1e-2),
    ("rows of mnist", "none"): (0.8, 4e-2),
    ("recall after 50 steps", "table"): (0.5, 1e-2),
    ("recall after 50 steps", "rhythmic"): (0.5, 1e-2),
    ("recall after 50 steps", "none"): (1.0, 5e-3),
}
"""Decay and learning rate of each kind of neuron: the best on validation, of those in docs/systems/ce-lif.md."""


@dataclass(frozen=True)
class Run:
    """One network trained and tested."""

    task: str
    arm: str
    seed: int
    parameters: float
    validation: float
    accuracy: float
    spikes: float
    seconds: float


def jobs() -> list[tuple[str, str, int]]:
    """Return task, arm and seed of every run."""
    return [(task, arm, seed) for seed in SEEDS for arm in VARIANTS for task in TASKS]


def run(task: str, arm: str, seed: int) -> Run:
    """Train one network and test it."""
    done = trained(study("ce-lif", *TASKS[task]), seed, genes(task, arm))
    measured = done.measured
    return Run(
        task, arm, seed, measured["parameters"], measured["accuracy"], done.test["accuracy"], measured["spikes"],
        done.seconds,
    )  # fmt: skip


def genes(task: str, arm: str) -> dict[str, Any]:
    """Return what the study leaves open."""
    decay, learning_rate = TUNED[task, VARIANTS[arm]]
    return {
        "network.hidden": [WIDTHS[task][arm]] * 2,
        "neuron.variant": VARIANTS[arm],
        "neuron.v_threshold": 0.3,
        "neuron.decay": decay,
        "neuron.beta": 0.02,
        "trainer.learning_rate": learning_rate,
    }


def findings(rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Compare the arms, task by task."""
    for task in TASKS:
        arms = {arm: _sorted(rows, task, arm) for arm in VARIANTS}
        if not all(arms.values()):
            continue
        numbers = {arm: f"{found[0]['parameters']:,.0f} numbers" for arm, found in arms.items()}
        tested = {arm: [row["accuracy"] for row in found] for arm, found in arms.items()}
        for arm, other, claim in (
            (TABLE, WIDE, f"CE-LIF is above LIF with as many stored numbers: {task}"),
            (RHYTHMIC, WIDE, f"so are rhythms in place of the table: {task}"),
            (TABLE, NARROW, f"CE-LIF is above LIF with as many neurons: {task}"),
        ):
            difference, told = compared(tested[arm], tested[other], 3)
            yield Finding(
                claim,
                f"test accuracy {spread(tested[arm], 3)} with {numbers[arm]}, {spread(tested[other], 3)} with "
                f"{numbers[other]}; difference {told}",
                difference > 0 and all(a > b for a, b in zip(tested[arm], tested[other], strict=True)),
            )
        seconds = {arm: statistics.median(row["seconds"] for row in found) for arm, found in arms.items()}
        yield Finding(
            f"spikes of a sample, and seconds of training: {task}",
            "; ".join(
                f"{arm}: {statistics.median(row['spikes'] for row in found):.0f}, {seconds[arm]:.0f} s"
                for arm, found in arms.items()
            ),
            None,
        )


def _sorted(rows: Iterable[Mapping[str, Any]], task: str, arm: str) -> list[Mapping[str, Any]]:
    return sorted((row for row in rows if (row["task"], row["arm"]) == (task, arm)), key=lambda row: row["seed"])


def short() -> Iterator[Finding]:
    """Check the equations and the published sizes."""
    yield _zero_table()
    yield _golden()
    yield _parameters("table", 88, 85_722)
    yield _parameters("rhythmic", 200, 83_010)


def _zero_table() -> Finding:
    """Compare with LIF that numpy computes in single precision."""
    x = 0.2 + 0.4 * torch.randn(784, 16, 88, generator=torch.Generator().manual_seed(0))
    v = s = np.zeros((16, 88), np.float32)
    differing = fired = 0
    spikes, (end, *_) = _sequence(x, torch.zeros(88, 784))
    for current, ours in zip(x.numpy(), spikes.numpy(), strict=True):
        v = np.float32(0.5) * v * (1 - s) + current
        s = (v > np.float32(0.3)).astype(np.float32)
        differing, fired = differing + int((s != ours).sum()), fired + int(s.sum())
    same = differing == 0 and np.array_equal(end.numpy(), v)
    figure = f"{differing} of {x.numel():,} spikes differ over 784 steps ({fired / x.numel():.0%} fire)"
    return Finding("with a table of zeros it is LIF, bit for bit", figure, same)


def _golden() -> Finding:
    """Compare with a loop in double precision, from the printed equations."""
    rng = np.random.default_rng(0)
    currents, table = rng.normal(0.2, 0.4, 784), rng.normal(0.01, 0.05, 784)
    level, v, s, spikes = 0.3, 0.0, 0, []
    for x, e in zip(currents, table, strict=True):
        level = level + v * e - 0.02 * (level - 0.3)
        v = 0.5 * v * (1 - s) + x
        s = int(v > level)
        spikes.append(s)
    found, (_, end, *_) = _sequence(
        torch.from_numpy(currents).reshape(-1, 1, 1), torch.from_numpy(table).reshape(1, -1)
    )
    differing = int((found.flatten().numpy() != np.array(spikes)).sum())
    distance = abs(end.item() - level)
    figure = f"{differing} of 784 spikes differ; the last threshold by {distance:.1g}"
    return Finding("the printed equations in double precision", figure, differing == 0 and distance < 1e-9)


def _sequence(x: torch.Tensor, table: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    model = ContextualLIF()
    return model.sequence(x, model.initial_state(x[0]), {"embedding": table}, Rectangle(alpha=2.5), torch.Generator())


def _parameters(variant: str, width: int, published: int) -> Finding:
    """Build a published net: one input, three hidden layers, ten outputs, 784 steps."""
    changes = ("task={use='sequential-mnist',order='pixels'}", "coder.steps=784", f"network.hidden={[width] * 3}")
    made: Specification = study("ce-lif", *changes)
    open_genes = {k: v for k, v in genes("interval", TABLE).items() if k != "network.hidden"}
    resolved = made.resolve(Genome(open_genes | {"neuron.variant": variant}))
    network = resolved.task.build(resolved.parts, Streams(0))
    found = resolved.parts.encoding.stored_numbers(network)
    claim = f"the published net 1-{width}-{width}-{width}-10 ({variant}) stores {published:,} numbers"
    return Finding(claim, f"{found:,.0f}", found == published)
