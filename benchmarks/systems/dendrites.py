"""Nonlinear dendrites: the same weights with fewer values sent (after Wu et al., arXiv 2306.11950).

Networks have three hidden layers, whose currents are normalised over the layer and then over the batch. Widths are
solved so that K branches have the weights of the point network, within 1 %. As the input has a fixed width, that makes
layers narrower than D / sqrt K. The "thin" point network is as wide as the one with K = 16, and saves its weights: what
branches are worth is the difference. Arms "..., batch" have the second norm only; those of aggregation and norm have
K = 4, and the first norm or none. The norms of the main arms were chosen by validation, after those of "batch"; of
point neurons, the better of both kinds on validation is compared with.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from benchmarks.systems import Finding
from benchmarks.systems._trained import compared, front, spread, study, trained
from spikefront_plugins.synapses.dendritic import Dendritic
from spikefront_plugins.synapses.dense import Dense

DATA = {"digits": (64, 96), "fashion-mnist": (784, 192)}
"""Data: inputs, and neurons of the point network's layers."""

SMALLER = {"digits": (), "fashion-mnist": ("task.train=4000", "task.validation=2000", "trainer.epochs=10")}
OUTPUTS = 10
FEWEST = 5
"""Seeds that a comparison takes at least."""

MAIN = {"point": 1, "K = 4": 4, "K = 9": 9, "K = 16": 16}
NORMS = {
    "none": ("network.batch_norm=false", "synapse.norm=false"),
    "layer": ("network.batch_norm=false", "synapse.norm=true"),
    "batch": ("network.batch_norm=true", "synapse.norm=false"),
    "both": ("network.batch_norm=true", "synapse.norm=true"),
}
ABLATION = {
    f"{aggregation}, {norm}": (aggregation, norm)
    for norm in ("none", "layer")
    for aggregation in ("sum", "mean", "root")
}


@dataclass(frozen=True)
class Run:
    """One network, or one search.

    Attributes:
        arm: Of `MAIN`, or "thin", with ", batch" behind it where there is no other norm; of `ABLATION`; or "search".
        weights: Of all layers, without biases and normalisation.
        sent: Values that cross borders of layers, by width.
        spikes: Values that cross them as spikes.
        validation: Accuracy.
        test: Accuracy.
        found: The front, of a search.
    """

    data: str
    arm: str
    seed: int
    weights: int = 0
    sent: float = 0.0
    spikes: float = 0.0
    validation: float = 0.0
    test: float = 0.0
    seconds: float = 0.0
    found: list[dict[str, Any]] = field(default_factory=list)


def weights_of(inputs: int, neurons: Sequence[int], branches: int) -> int:
    """Return the weights of a network with a number of neurons in each layer."""
    sums = zip((inputs, *neurons), neurons, strict=False)
    return branches * sum(a * b for a, b in sums) + OUTPUTS * neurons[-1]


def neurons_of(inputs: int, total: int, branches: int) -> tuple[int, int, int]:
    """Return three layers, equal but for the last, whose weights come closest to a total."""
    equal = max(n for n in range(1, 1000) if weights_of(inputs, (n, n, n), branches) <= total)
    shapes = [(equal, equal, last) for last in range(equal, 4 * equal)]
    return min(shapes, key=lambda shape: abs(weights_of(inputs, shape, branches) - total))


def shape_of(data: str, arm: str) -> tuple[tuple[int, ...], int]:
    """Return the neurons of the layers of an arm, and their branches."""
    inputs, width = DATA[data]
    total = weights_of(inputs, (width,) * 3, 1)
    arm = arm.removesuffix(", batch")
    if arm == "thin":
        return neurons_of(inputs, total, 16), 1
    branches = MAIN.get(arm, 4)
    return neurons_of(inputs, total, branches), branches


def jobs() -> list[tuple[str, str, int]]:
    """Return data, arm and seed of every run."""

    def runs(data: str, arms: Iterable[str], seeds: Iterable[int]) -> list[tuple[str, str, int]]:
        return [(data, arm, seed) for seed in seeds for arm in arms]

    few = ("point", "K = 4", "K = 16", "thin")
    return [
        *runs("digits", (*MAIN, "thin"), range(1, 6)),
        *runs("fashion-mnist", few, range(1, 6)),
        *runs("digits", (*MAIN, "thin"), range(6, 9)),
        ("digits", "search", 1),
        *runs("digits", ABLATION, range(1, 6)),
        *runs("digits", [f"{arm}, batch" for arm in (*MAIN, "thin")], range(1, 9)),
        *runs("fashion-mnist", [f"{arm}, batch" for arm in few], range(1, 6)),
    ]


def run(data: str, arm: str, seed: int) -> Run:
    """Train and test a network, or search."""
    if arm == "search":
        return searched(data, seed)
    neurons, branches = shape_of(data, arm)
    asked = [round(n * math.sqrt(branches)) for n in neurons]
    aggregation, norm = ABLATION.get(arm, ("root", "batch" if arm.endswith(", batch") else "both"))
    changes = (f"task.use={data}", *SMALLER[data], f"network.hidden={asked}", f"synapse.branches={branches}",
               f"synapse.aggregation={aggregation}", *NORMS[norm])  # fmt: skip
    outcome = trained(study("dendrites", *changes), seed)
    measured = outcome.measured
    return Run(
        data, arm, seed, weights_of(DATA[data][0], neurons, branches), measured["communication"], measured["spikes"],
        measured["accuracy"], outcome.test["accuracy"], outcome.seconds,
    )  # fmt: skip


def searched(data: str, seed: int) -> Run:
    """Run the study file, a little shortened, with K as a gene."""
    start = time.perf_counter()
    changes = ("search.population=12", "search.generations=4", "execution.workers=1", f"study.seed={seed}")
    rows = front(study("dendrites", *changes))
    return Run(data, "search", seed, seconds=time.perf_counter() - start, found=rows)


def short() -> Iterator[Finding]:
    """Check layers against the equations."""
    x = torch.rand(32, 64, generator=torch.Generator().manual_seed(0))

    def layer(synapse: Any, outputs: int) -> Any:
        return synapse.linear(64, outputs, False, torch.Generator().manual_seed(1))

    same = torch.equal(layer(Dendritic(branches=1), 96)(x), layer(Dense(), 96)(x))
    yield Finding("One branch is the point layer, bit for bit", f"equal: {same}, of 32 x 96 currents", same)
    for branches, outputs in ((4, 128), (16, 256)):
        made = layer(Dendritic(branches=branches), outputs)
        numbers = sum(p.numel() for p in made.parameters())
        ratio = made(x).shape[1] / outputs
        figure = f"K = {branches}: {numbers} weights for {outputs**2}, values sent {ratio:g}"
        yield Finding(
            "Between layers of its kind, K branches have D^2 weights and send D / sqrt K values", figure,
            numbers == outputs**2 and ratio == branches**-0.5,
        )  # fmt: skip
    made = layer(Dendritic(branches=4, aggregation="sum"), 96)
    sums = (x @ made.weighted.weight.detach().T).clamp(min=0)
    error = float((made(x).detach() - sum(sums[:, k::4] for k in range(4))).abs().max())
    yield Finding(
        "Grouped sums equal sums over each neuron's branches", f"largest difference {error:.1e}", error < 1e-5
    )


def findings(rows: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Compare arms over the seeds that they share."""
    for data in DATA:
        arms: dict[str, dict[int, dict[str, Any]]] = {}
        for row in rows:
            if row["data"] == data:
                arms.setdefault(row["arm"], {})[row["seed"]] = row
        pairs = {name for arm in ("point", "thin", "K = 16") for name in (arm, f"{arm}, batch")}
        if all(len(arms.get(name, ())) >= FEWEST for name in pairs):
            yield from _against_the_point_network(data, arms)
            yield _against_the_thin_network(data, arms)
            yield _with_batch_normalisation_alone(data, arms)
        if set(ABLATION) <= set(arms):
            yield _aggregations(arms)
    for row in rows:
        if row["found"]:
            yield _front(row["found"])


Arms = dict[str, dict[int, dict[str, Any]]]


def _paired(arms: Arms, first: str, second: str, key: str) -> tuple[list[float], list[float]]:
    seeds = sorted(arms[first].keys() & arms[second].keys())
    one, two = ([arms[arm][seed][key] for seed in seeds] for arm in (first, second))
    return one, two


def _best(arms: Arms, name: str) -> str:
    """Return the arm of point neurons, with both norms or one, that validation prefers over the seeds of both."""
    both, batch = _paired(arms, name, f"{name}, batch", "validation")
    return name if statistics.fmean(both) >= statistics.fmean(batch) else f"{name}, batch"


def _against_the_point_network(data: str, arms: Arms) -> Iterator[Finding]:
    point = _best(arms, "point")
    sent, fewer = [], []
    for arm, branches in MAIN.items():
        if arm == "point" or arm not in arms:
            continue
        mine, theirs = _paired(arms, arm, point, "test")
        row, other = (next(iter(arms[name].values())) for name in (arm, point))
        yield Finding(
            f"With equal weights, {arm} is as accurate as the point network, within its seeds ({data})",
            f"weights {row['weights'] / other['weights']:.3f}; test {spread(mine)}, point {spread(theirs)}; "
            f"{compared(mine, theirs)[1]}",
            statistics.fmean(mine) >= min(theirs),
        )
        spikes = [a / b for a, b in zip(*_paired(arms, arm, point, "spikes"), strict=True)]
        ratio, rule = row["sent"] / other["sent"], branches**-0.5
        fewer.append(ratio <= rule and statistics.median(spikes) <= rule)
        sent.append(f"{arm} values {ratio:.3f}, spikes {spread(spikes, 3)}, 1 / sqrt K {rule:.3f}")
    yield Finding(
        f"They send no more than 1 / sqrt K of the values, and of the spikes ({data})", "; ".join(sent), all(fewer)
    )


def _against_the_thin_network(data: str, arms: Arms) -> Finding:
    name = _best(arms, "thin")
    mine, thin = _paired(arms, "K = 16", name, "test")
    many, few = (next(iter(arms[arm].values()))["weights"] for arm in ("K = 16", name))
    text = compared(mine, thin)[1]
    better = [a > b for a, b in zip(mine, thin, strict=True)]
    return Finding(
        f"16 branches are worth their weights: point neurons as few as theirs are less accurate ({data})",
        f"test {spread(mine)}, thin {spread(thin)} with {few / many:.3f} of the weights; {text}",
        None if any(better) and not all(better) else all(better),
    )


def _with_batch_normalisation_alone(data: str, arms: Arms) -> Finding:
    mine, batch = _paired(arms, "K = 16", "K = 16, batch", "test")
    median, text = compared(mine, batch)
    point, other = _paired(arms, "point", "point, batch", "test")
    return Finding(
        f"Many branches need a norm over the layer; point neurons do not ({data})",
        f"K = 16 test {spread(mine)}, with batch normalisation alone {spread(batch)}; {text}; "
        f"point network {compared(point, other)[1]}",
        median > 0 and statistics.median(point) - statistics.median(other) < median,
    )


def _aggregations(arms: Arms) -> Finding:
    medians = {arm: statistics.median(row["test"] for row in arms[arm].values()) for arm in ABLATION}

    def gap(norm: str) -> float:
        some = [value for arm, value in medians.items() if arm.endswith(norm)]
        return max(some) - min(some)

    return Finding(
        "The scale of the aggregation matters, unless a norm without parameters follows (K = 4, digits)",
        "; ".join(f"{arm} {value:.4f}" for arm, value in medians.items()) + f"; {len(arms['sum, none'])} seeds; "
        f"gap without norm {gap('none'):.4f}, with it {gap('layer'):.4f}",
        gap("layer") < gap("none"),
    )


def _front(found: Sequence[dict[str, Any]]) -> Finding:
    counts: dict[int, int] = {}
    for row in found:
        counts[row["synapse.branches"]] = counts.get(row["synapse.branches"], 0) + 1
    figure = ", ".join(f"K = {k}: {number}" for k, number in sorted(counts.items()))
    return Finding("With K as a gene, several K are on the front", f"{figure}; 48 candidates, 1 seed", len(counts) > 1)
