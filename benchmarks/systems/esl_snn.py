"""ESL-SNN: sparse training with rewiring at constant density (arXiv 2306.03693), on Fashion-MNIST and N-MNIST.

Arms differ in nothing but density and rewiring: the same first masks, order of samples and number of steps. "static"
keeps its random mask, "SET" grows at random, "RigL" where the dense gradient is largest; "dense" has all connections.
"front" searches density and growth. "evolved", "inherited" and "drawn" search for a mask alone, on digits.
"""

from __future__ import annotations

import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

from benchmarks.systems import Finding
from benchmarks.systems._trained import compared, spread, study, trained
from spikefront import Trainer
from spikefront.components import Session
from spikefront.genome import Genome
from spikefront.measure.energy import COSTS, energy_by_layer
from spikefront.measure.recorder import record
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.search.coordinator import Search
from spikefront.space import Tensor
from spikefront.specification import Specification
from spikefront.spiking.layers import SpikingNetwork
from spikefront.storage import Database, queries
from spikefront_plugins.encodings._masks import densities, kept_numbers, masked_weights
from spikefront_plugins.operators.prune_regrow import PruneRegrowMutation
from spikefront_plugins.operators.union_intersection import UnionIntersectionCrossover
from spikefront_plugins.trainers.rewiring import Rewiring

SEEDS = (1, 2, 3, 4, 5)
NMNIST = (
    "task={use='nmnist'}",
    "coder={use='frames', steps=10}",
    "network.hidden=[128]",
    "trainer.epochs=15",
    "trainer.every=12",
)
DATA: dict[str, tuple[str, ...]] = {"fashion-mnist": (), "nmnist": NMNIST}
ARMS: dict[str, tuple[str, ...]] = {
    "dense": ("trainer.alpha=0",),
    "static": ("trainer.alpha=0",),
    "SET": ("trainer.grow=random",),
    "RigL": ("trainer.grow=gradient",),
}
DENSITIES = (0.1, 0.05, 0.2, 0.5)
OPERATORS = [{"use": "prune-regrow", "probability": 1.0}, "union-intersection"]
MASKS: dict[str, dict[str, Any]] = {
    "evolved": {"operators": OPERATORS},
    "inherited": {"operators": OPERATORS, "inheritance": "lamarck"},
    "drawn": {"algorithm": "random"},
}
SMALL: dict[str, Any] = {
    "study": {"name": "masks", "objectives": ["accuracy"]},
    "task": {"use": "digits", "train": 300},
    "network": {"use": "mlp", "hidden": [64], "batch_norm": True},
    "neuron": {"use": "lif", "v_threshold": 0.5},
    "coder": {"steps": 3},
    "encoding": {"use": "sparse", "density": 0.1, "origin": "evolved", "weights": 4736},
    "trainer": {"epochs": 5, "batch": 30, "learning_rate": 5e-3},
    "execution": {"use": "inline"},
}
LITTLE = 0.01
"""Loss of accuracy up to which a claim of hardly any loss is taken to hold: one sample of nmnist's test split."""

OBJECTIVES = ("accuracy", "parameters", "energy")
ERK = {0.1: (1, 0.2220, 0.1078, 0.0713, 1), 0.05: (1, 0.1033, 0.0501, 0.0332, 1)}
"""Densities of conv 1-32-64-128-128, kernel 3, and a linear layer to 10, from the printed formula."""

SHAPES = [torch.Size(s) for s in ((32, 1, 3, 3), (64, 32, 3, 3), (128, 64, 3, 3), (128, 128, 3, 3), (10, 128))]


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        data: Task.
        arm: What is done with the mask.
        density: Share of connections that is kept.
        seed: Number of the replicate.
        validation: Accuracy on the validation split.
        test: Accuracy on the test split.
        parameters: Stored numbers, places as a list.
        energy: pJ a sample.
        seconds: Time that it took.
    """

    data: str
    arm: str
    density: float
    seed: int
    validation: float
    test: float
    parameters: float
    energy: float
    seconds: float


@dataclass(frozen=True)
class Searched:
    """One search, which reads no test split.

    Attributes:
        data: Task.
        arm: What is searched.
        density: Share of connections that is kept; 0 where it is searched too.
        seed: Seed of the study.
        best: Best accuracy so far, for each generation.
        front: Density, accuracy, parameters and energy of each candidate on the front; empty where density is fixed.
        seconds: Time that it took.
    """

    data: str
    arm: str
    density: float
    seed: int
    best: list[float]
    front: list[list[float]]
    seconds: float


def jobs() -> Iterator[tuple[str, str, float, int]]:
    """Yield the arguments of the long runs: those of a tenth first, then searches, then other densities."""
    sparse = ("static", "SET", "RigL")
    for data, seed in itertools.product(DATA, SEEDS):
        yield data, "dense", 1.0, seed
        yield from ((data, arm, 0.1, seed) for arm in sparse)
    yield "fashion-mnist", "front", 0.0, 1
    yield from (("digits", arm, 0.1, seed) for seed in SEEDS for arm in MASKS)
    for density, data, seed in itertools.product(DENSITIES[1:], DATA, SEEDS):
        yield from ((data, arm, density, seed) for arm in sparse)


def run(data: str, arm: str, density: float, seed: int) -> Run | Searched:
    """Train one network, or search."""
    if arm == "front":
        return searched(
            study("esl-snn", f"study.seed={seed}", "execution=inline", "search.generations=3"), data, arm, density, seed
        )
    if arm in MASKS:
        document = SMALL | {"study": SMALL["study"] | {"seed": seed}}
        document["search"] = {"algorithm": "nsga2", "population": 6, "generations": 8} | MASKS[arm]
        return searched(Specification.from_document(document, load()), data, arm, density, seed)
    found = trained(study_of(data, arm, density), seed)
    numbers = [found.measured[name] for name in ("parameters", "energy")]
    return Run(data, arm, density, seed, found.measured["accuracy"], found.test["accuracy"], *numbers, found.seconds)


def study_of(data: str, arm: str, density: float) -> Specification:
    """Return the study of an arm: that of studies/, with nothing left to search."""
    fixed = (f"encoding.density={density}", "encoding.indices=list", "trainer.grow=random")
    return study("esl-snn", *DATA[data], *fixed, *ARMS[arm])


def searched(study: Specification, data: str, arm: str, density: float, seed: int) -> Searched:
    """Search, and return what was found."""
    start = time.perf_counter()
    name = study.settings.name
    with tempfile.TemporaryDirectory() as folder, Database.open(f"{folder}/one.db", create=True) as database:
        Search(study, database).run()
        rows = [row for row in queries.evaluations(database, name) if not row.failure]
        on_front = queries.front(database, name) if arm == "front" else []
        front = [[row.genes["encoding.density"], *(row.mean(o) for o in OBJECTIVES)] for row in on_front]
    generations = itertools.groupby(rows, key=lambda row: row.generation)
    bests = [max(row.mean("accuracy") or 0.0 for row in members) for _, members in generations]
    return Searched(
        data, arm, density, seed, list(itertools.accumulate(bests, max)), front, time.perf_counter() - start
    )


def short() -> Iterator[Finding]:
    """Compute the quick checks."""
    yield from _numbers()
    yield _schedule()
    yield _density_holds()
    yield _same_as_dense()
    yield _energy()
    yield _topologies()


def _numbers() -> Iterator[Finding]:
    for density, printed in ERK.items():
        found = densities(SHAPES, density, "erk")
        kept, total = kept_numbers(SHAPES, density, "erk"), sum(shape.numel() for shape in SHAPES)
        agree = all(abs(a - b) < 5e-5 for a, b in zip(found, printed, strict=True))
        figure = f"{', '.join(f'{share:.4f}' for share in found)}; {sum(kept):,} of {total:,} kept"
        exact = sum(kept) == int(density * total)
        yield Finding(
            f"ERK densities of a convolutional network at d = {density}, total exact", figure, agree and exact
        )


def _schedule() -> Finding:
    found = [Rewiring(alpha=0.3).share(t) for t in (0, 0.25, 0.5, 0.75, 1)]
    holds = all(abs(a - b) < 5e-5 for a, b in zip(found, (0.3, 0.2561, 0.15, 0.0439, 0), strict=True))
    return Finding("share of a rewiring, alpha = 0.3, over the search", ", ".join(f"{f:.4f}" for f in found), holds)


def _small(trainer: dict[str, Any], **encoding: Any) -> Specification:
    """Return the small study with another trainer and encoding, and no search to speak of."""
    document = SMALL | {"trainer": SMALL["trainer"] | trainer, "search": {"generations": 1}}
    document["encoding"] = {"use": "sparse", **encoding} if encoding else {"use": "direct"}
    return Specification.from_document(document, load())


def _fitted(study: Specification, trainer: Trainer | None = None) -> SpikingNetwork:
    resolved, streams = study.resolve(Genome({})), Streams(1)
    session = Session(resolved.parts, streams)
    network = resolved.task.build(resolved.parts, streams)
    return cast("SpikingNetwork", (trainer or resolved.trainer).fit(network, resolved.task, session).phenotype)


class _Watched(Rewiring):
    """Remembers how many connections there are after each step, and how many of them are new."""

    def after_step(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, session: Session, step: int, steps: int
    ) -> None:
        before = [weight.mask.kept.clone() for weight in masked_weights(network)]
        super().after_step(network, optimizer, session, step, steps)
        after = [weight.mask.kept for weight in masked_weights(network)]
        _SEEN.append([int(mask.sum()) for mask in after])
        _GROWN.append(sum(int((new & ~old).sum()) for old, new in zip(before, after, strict=True)))


_SEEN: list[list[int]] = []
_GROWN: list[int] = []


def _density_holds() -> Finding:
    steps, grown, held = 0, 0, True
    for grow in ("random", "gradient"):
        _SEEN.clear()
        _GROWN.clear()
        options = {"use": "rewiring", "every": 5, "grow": grow}
        study = _small(options, density=0.1)
        network = _fitted(study, _Watched(**study.resolve(Genome({})).trainer.model_dump()))
        held &= all(numbers == _SEEN[0] for numbers in _SEEN)
        held &= all(not one.mask(one.values)[~one.mask.kept].any() for one in masked_weights(network))
        steps, grown = steps + len(_SEEN), grown + sum(_GROWN)
    figure = f"{_SEEN[0]} connections after each of {steps} steps, {grown} replaced"
    return Finding("each layer's density holds at every step, pruned weights are 0", figure, held and grown > 0)


def _same_as_dense() -> Finding:
    rewiring = {"use": "rewiring", "every": 5}
    dense, whole = _fitted(_small({})), _fitted(_small(rewiring, density=1.0))
    still, static = _fitted(_small(rewiring | {"alpha": 0.0}, density=0.1)), _fitted(_small({}, density=0.1))
    same = [_distance(dense, whole), _distance(still, static)]
    claim = "d = 1 is dense training, and alpha = 0 a static mask, bit for bit"
    return Finding(claim, f"largest difference of a weight {same[0]:.1g} and {same[1]:.1g}", not any(same))


def _distance(first: nn.Module, second: nn.Module) -> float:
    pairs = zip(_weights(first), _weights(second), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


def _weights(network: nn.Module) -> list[torch.Tensor]:
    return [module.weight.detach() for module in network.modules() if isinstance(module, nn.Linear)]


def _energy() -> Finding:
    """Compare first layers: they multiply whether the input is zero or not, but only where they are connected."""
    counted = {}
    for density in (1.0, 0.1):
        study = _small({}, density=density, distribution="uniform")
        network, data = _fitted(study).eval(), study.resolve(Genome({})).task.data("validation").inputs[:50]
        with torch.no_grad(), record(network, analog_input=True) as recorder:
            network(data)
        counted[density] = next(iter(energy_by_layer(recorder.recording(3), COSTS["horowitz-45nm"]).values()))
    kept = masked_weights(network)[0].kept
    figure = f"{counted[1.0]:,.0f} pJ at d = 1, {counted[0.1]:,.0f} at d = 0.1"
    right = math.isclose(counted[0.1], 4.6 * 3 * kept) and math.isclose(counted[1.0], 4.6 * 3 * 64 * 64)
    return Finding("energy of a first layer: 4.6 pJ for each kept weight and step", figure, right)


def _topologies() -> Finding:
    """Cross and mutate scores, and look at the masks that keep a tenth of them."""
    rng = np.random.default_rng(1)
    first = rng.normal(size=40_000).astype(np.float32)
    second, domain = rng.permutation(first), Tensor((40_000,), 1.0)
    union, both = UnionIntersectionCrossover().cross(domain, first, second, rng)
    mutant = PruneRegrowMutation(alpha=0.1).mutate(domain, first, rng)
    a, b, c, d, e = ({*np.argsort(-scores)[:4000].tolist()} for scores in (first, second, union, both, mutant))
    figure = f"of 4,000: union child {len(c - (a | b))} foreign, intersection child {len((a & b) - d)} lost, "
    holds = c <= a | b and d >= a & b and abs(len(e - a) - 360) < 60
    return Finding("children's topologies keep their density", f"{figure}mutant {len(e - a)} replaced (360)", holds)


def findings(rows: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Yield what the stored runs say."""
    runs = [Run(**row) for row in rows if "test" in row]
    for data in DATA:
        yield from _accuracies(data, [run for run in runs if run.data == data])
    searches = [Searched(**row) for row in rows if "best" in row]
    for one in searches:
        if one.arm == "front":
            yield _front(one)
    yield from _masks([one for one in searches if one.arm in MASKS])


def _accuracies(data: str, runs: Sequence[Run]) -> Iterator[Finding]:
    """Yield the comparison of each sparse arm with dense training on the same seeds."""
    dense = {run.seed: run for run in runs if run.arm == "dense"}
    if dense:
        text = spread([run.test for run in dense.values()])
        yield Finding(f"{data}: dense", f"test {text}, {dense[min(dense)].parameters:,.0f} numbers", None)
    for density, arm in itertools.product(DENSITIES, ("static", "SET", "RigL")):
        own = {run.seed: run for run in runs if run.arm == arm and run.density == density}
        seeds = sorted(own.keys() & dense.keys())
        if seeds:
            lost, text = compared([own[s].test for s in seeds], [dense[s].test for s in seeds])
            energy = statistics.median(own[s].energy / dense[s].energy for s in seeds)
            stored = own[seeds[0]].parameters / dense[seeds[0]].parameters
            costs = f"{stored:.0%} of the numbers, {energy:.0%} of the energy"
            claim = f"{data}, {arm}, d = {density}: hardly any accuracy is lost against dense"
            yield Finding(claim, f"test {spread([own[s].test for s in seeds])}, {text}; {costs}", lost >= -LITTLE)
    yield from _rules(data, runs)


def _rules(data: str, runs: Sequence[Run]) -> Iterator[Finding]:
    """Yield whether rewiring is better than the random mask that it starts from, over all densities."""
    static = {(run.density, run.seed): run.test for run in runs if run.arm == "static"}
    for arm in ("SET", "RigL"):
        own = {(run.density, run.seed): run.test for run in runs if run.arm == arm}
        for densities_ in (DENSITIES[:1], (0.05,)):
            keys = sorted(key for key in own.keys() & static.keys() if key[0] in densities_)
            if keys:
                gain, text = compared([own[key] for key in keys], [static[key] for key in keys])
                yield Finding(f"{data}, d = {densities_[0]}: {arm} beats its static mask", text, gain > 0)


def _front(search: Searched) -> Finding:
    """Return whether accuracy rises with density on a front."""
    front = sorted(search.front)
    rank, p = spearmanr([one[0] for one in front], [one[1] for one in front])
    shown = "; ".join(f"d = {one[0]:.3f}: {one[1]:.4f}, {one[2]:,.0f} numbers" for one in _spaced(front))
    figure = f"{len(front)} on the front, rank correlation {rank:+.2f} (p = {p:.1g}); {shown}"
    return Finding("fashion-mnist: density as a gene orders the front of accuracy, numbers, energy", figure, rank > 0)


def _spaced(front: Sequence[list[float]], number: int = 4) -> list[list[float]]:
    """Return the ends of a front, and others evenly between."""
    if len(front) <= number:
        return list(front)
    return [front[round(place * (len(front) - 1) / (number - 1))] for place in range(number)]


def _masks(searches: Sequence[Searched]) -> Iterator[Finding]:
    """Yield whether evolving a mask finds better ones than drawing as many."""
    drawn = {one.seed: one.best[-1] for one in searches if one.arm == "drawn"}
    for arm in ("evolved", "inherited"):
        own = {one.seed: one.best[-1] for one in searches if one.arm == arm}
        seeds = sorted(own.keys() & drawn.keys())
        if seeds:
            gain, text = compared([own[s] for s in seeds], [drawn[s] for s in seeds])
            claim = f"digits, d = 0.1: masks {arm} over generations beat as many drawn ones"
            yield Finding(claim, f"best validation {spread([own[s] for s in seeds])}, {text}", gain > 0)
