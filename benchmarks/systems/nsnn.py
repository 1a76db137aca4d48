"""Noisy neurons (arXiv 2305.16044): the firing probability, the limit without noise, and robustness against the twin.

Long runs train networks of `noisy-lif` and their deterministic twins, which have the same surrogate, the density of the
noise, on digits and on 4,000 pictures of Fashion-MNIST (2,000 of its test pictures). Lost is accuracy on the clean test
split less accuracy under a perturbation, both as means over 8 passes that draw noise and perturbation anew. Sizes
"of the paper" are those of its code; "larger" ones are our own. "Noise off" is a network that was trained with noise
and is tested without.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from scipy import stats
from torch import nn

from benchmarks.systems import Finding
from benchmarks.systems._trained import compared, spread, study
from spikefront import SupervisedTask
from spikefront.components import Data
from spikefront.evaluate import evaluate, phenotype_of, streams_of
from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.randomness import Streams
from spikefront.spiking.layers import NeuronLayer
from spikefront_plugins.fitness.robustness import Kind, perturbed_accuracy
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.neurons.noisy_lif import NoisyLIF

SEEDS, SCALES, PASSES, PICTURES, DRAWS = tuple(range(1, 6)), (0.3, 0.1, 0.6), 8, 2000, 400_000
TWIN, NOISY = "nowhere", "firing"
SIZES: dict[str, dict[Kind, float]] = {
    "of the paper": {"noise": 0.1, "salt-and-pepper": 0.03, "spikes": 0.1},
    "larger": {"noise": 0.3, "salt-and-pepper": 0.1, "spikes": 0.2},
}
FIXED = (
    "study.objectives=['accuracy']",
    "study.columns=['energy','spikes']",
    "neuron.noise=gaussian",
    "neuron.tau=2.0",
    "coder.steps=4",
    "trainer.learning_rate=5e-3",
)
DATA = {
    "digits": (),
    "fashion-mnist": (
        "task={use='fashion-mnist',train=4000,validation=1000}",
        "network.hidden=[128,128]",
        "trainer.epochs=10",
    ),
}
DISTRIBUTIONS = {
    "gaussian": stats.norm(scale=0.3),
    "logistic": stats.logistic(scale=0.3),
    "triangular": stats.triang(0.5, loc=-0.3, scale=0.6),
    "uniform": stats.uniform(loc=-0.3, scale=0.6),
}


@dataclass(frozen=True)
class Run:
    """One network.

    Attributes:
        clean: Test accuracy without a perturbation.
        perturbed: Test accuracy under each of `SIZES`, "kind size" -> accuracy.
        off: The same two of a noisy network with its noise off, "clean" among the names; empty for a twin.
        measured: Validation accuracy, energy in pJ and spikes, per sample and pass.
    """

    data: str
    noise_in: str
    scale: float
    seed: int
    clean: float
    perturbed: dict[str, float]
    off: dict[str, float]
    measured: dict[str, float]
    seconds: float


def short() -> Iterator[Finding]:
    """Compute rates, gradients and the limit without noise."""
    z = [
        (rate(NoisyLIF(noise=kind), 1 + x, 10 * place + number) - p) / math.sqrt(max(p * (1 - p), 1e-12) / DRAWS)
        for place, (kind, distribution) in enumerate(DISTRIBUTIONS.items())
        for number, x in enumerate((-0.4, -0.1, 0.0, 0.1, 0.4))
        for p in [float(distribution.cdf(x))]
    ]
    worst = max(map(abs, z))
    figure = f"largest distance {worst:.2f} standard errors, 4 kinds at 5 potentials, {DRAWS:,} draws each"
    yield Finding("The firing probability is the distribution function of the noise.", figure, worst <= 3)
    twice, wide = rate(NoisyLIF(noise_in="both"), 0.9, 1), float(stats.norm.cdf(-0.1 / (0.3 * math.sqrt(2))))
    figure = f"{twice:.4f} at potential 0.9; as for sigma sqrt 2: {wide:.4f}, for sigma: {stats.norm.cdf(-1 / 3):.4f}"
    near = abs(twice - wide) <= 3 * math.sqrt(wide * (1 - wide) / DRAWS)
    yield Finding("The published code draws twice, so that its noise is sqrt 2 times as wide (ours).", figure, near)
    wrong, spikes = differing()
    figure = f"{wrong} of {spikes:,} spikes differ for scale 1e-6, all kinds of noise and all places"
    yield Finding("Without width the neuron is LIF.", figure, wrong == 0)
    error = max(slope_error(kind) for kind in DISTRIBUTIONS)
    figure = f"largest difference {error:.1g} from finite differences of F"
    yield Finding("The surrogate is the slope of the firing probability.", figure, error <= 1e-3)


def rate(model: NoisyLIF, current: float, seed: int) -> float:
    """Return the share of neurons at rest that fire at once."""
    x = torch.full((1, 1, DRAWS), current)
    return float(_spikes(model, x, seed).mean())


def differing() -> tuple[int, int]:
    """Return how many spikes of almost noiseless neurons are not those of LIF, and of how many."""
    x = 0.8 + torch.randn(20, 8, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = _spikes(LIF(decay_input=False), x, 0)
    models = [
        NoisyLIF.model_validate({"noise": kind, "noise_in": where, "scale": 1e-6})
        for kind in DISTRIBUTIONS
        for where in ("firing", "potential", "both")
    ]
    return sum(int((_spikes(model, x, 1) != expected).sum()) for model in models), len(models) * x.numel()


def slope_error(kind: str) -> float:
    """Return the largest difference between a spike's gradient and the slope of scipy's F, beside the kinks."""
    v, step = torch.arange(-60, 60, dtype=torch.float64) * 0.01 + 0.00317, 1e-6
    x = (1 + v).reshape(1, 1, -1).requires_grad_()
    _spikes(NoisyLIF.model_validate({"noise": kind}), x, 0).sum().backward()
    cdf = DISTRIBUTIONS[kind].cdf
    slope = torch.from_numpy(cdf(v + step) - cdf(v - step)) / (2 * step)
    return float((cast("torch.Tensor", x.grad).flatten() - slope).abs().max())


def _spikes(model: LIF, x: torch.Tensor, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return model.sequence(x, model.initial_state(x[0]), {}, NoisyLIF().density, generator)[0]


def jobs() -> list[tuple[Any, ...]]:
    """Return all runs, a scale after the other."""
    ordered = itertools.product(SCALES, SEEDS, DATA, (TWIN, NOISY))
    return [(data, where, scale, seed) for scale, seed, data, where in ordered]


def run(data: str, noise_in: str, scale: float, seed: int) -> Run:
    """Train a network, and test it clean and perturbed."""
    torch.set_num_threads(1)
    start = time.perf_counter()
    one = study("nsnn", *FIXED, *DATA[data], f"neuron.scale={scale}", f"neuron.noise_in={noise_in}")
    evaluation = evaluate(Job(one.to_json(), Genome({}), replicates=(seed,)), one.registry)
    if evaluation.failure:
        raise RuntimeError(evaluation.failure.traceback)
    resolved, streams = one.resolve(Genome({})), streams_of(one, Genome({}), seed)
    network = phenotype_of(resolved, evaluation.weights, streams)
    task = cast("SupervisedTask", resolved.task)
    perturbed = accuracies(network, task, streams)
    off: dict[str, float] = {}
    if noise_in == NOISY:
        for layer in network.modules():
            if isinstance(layer, NeuronLayer):
                layer.model = layer.model.model_copy(update={"noise_in": TWIN})
        off = accuracies(network, task, streams)
    measured = {name: value.mean for name, value in evaluation.measurements.items() if value.mean is not None}
    clean = perturbed.pop("clean")
    return Run(data, noise_in, scale, seed, clean, perturbed, off, measured, time.perf_counter() - start)


def accuracies(network: nn.Module, task: SupervisedTask, streams: Streams) -> dict[str, float]:
    """Return mean test accuracies over passes, "clean" and for each perturbation."""
    data = Data(*(tensor[:PICTURES] for tensor in task.data("test")))
    wanted: list[tuple[str, Kind, float]] = [("clean", "noise", 0.0)]
    wanted += [(f"{kind} {size}", kind, size) for sizes in SIZES.values() for kind, size in sizes.items()]
    return {
        name: statistics.fmean(
            perturbed_accuracy(network, task, data, kind, size, streams.torch("test", name, number))
            for number in range(PASSES)
        )
        for name, kind, size in wanted
    }


def findings(rows: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Compare what noisy networks and their twins lose, at equal seeds."""
    found = {(row["data"], row["noise_in"], row["scale"], row["seed"]): row for row in rows}
    for data in DATA:
        pairs = {
            scale: [
                (found[data, TWIN, scale, s], found[data, NOISY, scale, s])
                for s in SEEDS
                if _both(found, data, scale, s)
            ]
            for scale in sorted(SCALES)
        }
        pairs = {scale: some for scale, some in pairs.items() if len(some) > 1}
        if pairs:
            yield _clean(data, pairs)
            for scale, some in pairs.items():
                yield from (_perturbed(f"{data}, sigma {scale}", what, some) for what in ("inputs", "spikes"))
            yield _width(data, pairs)
            yield _cost(data, pairs)


Pairs = Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
"""Rows of a deterministic and of a noisy network with the same seed."""


def _both(found: Mapping[tuple[Any, ...], Any], data: str, scale: float, seed: int) -> bool:
    return all((data, where, scale, seed) in found for where in (TWIN, NOISY))


def _clean(data: str, pairs: Mapping[float, Pairs]) -> Finding:
    medians, parts = [], []
    for scale, some in pairs.items():
        theirs, ours = ([float(row["clean"]) for row in rows] for rows in zip(*some, strict=True))
        median, text = compared(ours, theirs)
        medians.append(median)
        parts.append(f"sigma {scale}: {spread(ours)} against {spread(theirs)}, {text}")
    claim = f"Clean accuracy of noisy networks is within 0.01 of their twins' ({data})."
    return Finding(claim, "; ".join(parts), min(medians) >= -0.01)


def _perturbed(where: str, what: str, pairs: Pairs) -> Finding:
    """Tell what is lost; it holds where every seed says so for every size, and is open where the medians do."""
    medians, parts, always = [], [], True
    for kind, size in ((kind, size) for sizes in SIZES.values() for kind, size in sizes.items()):
        if (kind == "spikes") == (what == "spikes"):
            name = f"{kind} {size}"
            theirs, ours = (
                [row["clean"] - row["perturbed"][name] for row in rows] for rows in zip(*pairs, strict=True)
            )
            median, text = compared(ours, theirs)
            medians.append(median)
            always = always and all(a < b for a, b in zip(ours, theirs, strict=True))
            parts.append(f"{name}: {statistics.median(ours):.4f} against {statistics.median(theirs):.4f}, {text}")
    claim = f"Noisy networks lose less accuracy than their twins where {what} are perturbed ({where})."
    holds = always or (None if all(median < 0 for median in medians) else False)
    return Finding(claim, "; ".join(parts), holds)


def _width(data: str, pairs: Mapping[float, Pairs]) -> Finding:
    name = f"spikes {SIZES['larger']['spikes']}"
    lost = [
        [statistics.median(row["clean"] - row["perturbed"][name] for row in rows) for rows in zip(*some, strict=True)]
        for some in pairs.values()
    ]
    told = [
        f"sigma {scale}: {twin:.4f} without noise, {noisy:.4f} with"
        for scale, (twin, noisy) in zip(pairs, lost, strict=True)
    ]
    falls = all(a > b for before, after in itertools.pairwise(lost) for a, b in zip(before, after, strict=True))
    claim = f"A wider surrogate makes networks more robust to flipped spikes, with noise and without (ours; {data})."
    return Finding(
        claim, f"lost with {name}: {'; '.join(told)} (medians of {len(next(iter(pairs.values())))} seeds)", falls
    )


def _cost(data: str, pairs: Mapping[float, Pairs]) -> Finding:
    parts = []
    for scale, some in pairs.items():
        ratios = {
            name: statistics.median(noisy["measured"][name] / twin["measured"][name] for twin, noisy in some)
            for name in ("energy", "spikes")
        }
        _, off = compared([noisy["off"]["clean"] for _, noisy in some], [noisy["clean"] for _, noisy in some])
        parts.append(f"sigma {scale}: energy x {ratios['energy']:.3f}, spikes x {ratios['spikes']:.3f}; off {off}")
    claim = f"What noise costs in one pass, and how accuracy changes when it is turned off after training ({data})."
    return Finding(claim, "; ".join(parts), None)
