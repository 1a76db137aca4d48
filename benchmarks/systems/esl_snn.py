"""ESL-SNN: sparse training with rewiring at constant density (arXiv 2306.03693), on Fashion-MNIST and N-MNIST.

Arms differ in nothing but density and rewiring: the same first masks, order of samples and number of steps. "static"
keeps its random mask, "SET" grows at random, "RigL" where the dense gradient is largest; "dense" has all connections.
"front" searches density and growth. "evolved", "inherited" and "drawn" search for a mask alone, on digits; "long" is
one random mask that trains as long as the last generation of "inherited" with its ancestors.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import spearmanr

from benchmarks.systems import Finding
from benchmarks.systems._esl_snn import SMALL, checks
from benchmarks.systems._trained import compared, spread, study, trained
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.specification import Specification
from spikefront.storage import Database, queries

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
RIVALS = (
    ("evolved", "drawn", "masks that evolve for 8 generations beat as many drawn ones"),
    ("inherited", "long", "masks that evolve while 8 generations train on, 40 epochs, beat a random one in 40"),
)
SPARSE = ("static", "SET", "RigL")
COSTS_OF = (("parameters", "numbers"), ("energy", "energy"))
LITTLE = 0.01
"""Loss of accuracy up to which a claim of hardly any loss is taken to hold: one sample of nmnist's test split."""

OBJECTIVES = ("accuracy", "parameters", "energy")


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
        arm: What is searched; "long" is a single candidate.
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


def short() -> Iterator[Finding]:
    """Compute the quick checks."""
    return checks()


def jobs() -> Iterator[tuple[str, str, float, int]]:
    """Yield the arguments of the long runs: those of a tenth first, then searches, then other densities."""
    for data, seed in itertools.product(DATA, SEEDS):
        yield data, "dense", 1.0, seed
        yield from ((data, arm, 0.1, seed) for arm in SPARSE)
    yield "fashion-mnist", "front", 0.0, 1
    yield from (("digits", arm, 0.1, seed) for seed in SEEDS for arm in (*MASKS, "long"))
    for density, data, seed in itertools.product(DENSITIES[1:], DATA, SEEDS):
        yield from ((data, arm, density, seed) for arm in SPARSE)


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
    if arm == "long":
        document = SMALL | {"encoding": {"use": "sparse"}, "trainer": SMALL["trainer"] | {"epochs": 40}}
        found = trained(
            Specification.from_document(document | {"search": {"generations": 1}}, load()), seed, test=False
        )
        return Searched(data, arm, density, seed, [found.measured["accuracy"]], [], found.seconds)
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


def findings(rows: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Yield what the stored runs say."""
    runs = [Run(**row) for row in rows if "test" in row]
    for data in DATA:
        own = [run for run in runs if run.data == data]
        for density in DENSITIES:
            yield from _against_dense(data, density, own)
        for density in DENSITIES[:2]:
            yield from _against_static(data, density, own)
    searches = [Searched(**row) for row in rows if "best" in row]
    yield from (_front(one) for one in searches if one.arm == "front")
    yield from _masks(searches)


def _against_dense(data: str, density: float, runs: Sequence[Run]) -> Iterator[Finding]:
    """Yield what each arm loses against dense training of the same seeds."""
    dense = _arm(runs, "dense", 1.0)
    parts, lost = [], []
    for arm in SPARSE:
        own = _arm(runs, arm, density)
        if seeds := sorted(own.keys() & dense.keys()):
            loss, text = compared([own[s].test for s in seeds], [dense[s].test for s in seeds])
            parts.append(f"{arm} {text}")
            lost += [loss] if arm != "static" else []
    if parts:
        costs = " and ".join(f"{_share(own, dense, what):.0%} of the {name}" for what, name in COSTS_OF)
        accuracy = statistics.median(run.test for run in dense.values())
        figure = f"dense {accuracy:.4f}; {', '.join(parts)}; with {costs}"
        claim = f"{data}, d = {density}: rewired networks lose at most {LITTLE:.0%} of accuracy against dense"
        yield Finding(claim, figure, min(lost) >= -LITTLE if lost else None)


def _against_static(data: str, density: float, runs: Sequence[Run]) -> Iterator[Finding]:
    """Yield what rewiring gains over the random mask that it starts from."""
    static = _arm(runs, "static", density)
    found = []
    for arm in SPARSE[1:]:
        own = _arm(runs, arm, density)
        if seeds := sorted(own.keys() & static.keys()):
            found.append((arm, *compared([own[s].test for s in seeds], [static[s].test for s in seeds])))
    if found:
        figure = ", ".join(f"{arm} {text}" for arm, _, text in found)
        claim = f"{data}, d = {density}: rewiring, by either rule, is better than a static random mask"
        yield Finding(claim, figure, min(gain for _, gain, _ in found) > 0)


def _arm(runs: Sequence[Run], arm: str, density: float) -> dict[int, Run]:
    return {run.seed: run for run in runs if run.arm == arm and run.density == density}


def _share(runs: dict[int, Run], others: dict[int, Run], what: str) -> float:
    return statistics.median(getattr(runs[s], what) / getattr(others[s], what) for s in runs.keys() & others.keys())


def _front(search: Searched) -> Finding:
    """Return whether accuracy rises with density on a front."""
    front = sorted(search.front)
    rank, p = spearmanr([one[0] for one in front], [one[1] for one in front])
    shown = "; ".join(f"d = {one[0]:.3f}: {one[1]:.4f}, {one[2]:,.0f} numbers" for one in _spaced(front))
    figure = f"{len(front)} on the front, rank correlation {rank:+.2f} (p = {p:.2g}); {shown}"
    claim = "fashion-mnist: density as a gene orders the front of accuracy, numbers and energy"
    return Finding(claim, figure, bool(rank > 0))


def _spaced(front: Sequence[list[float]], number: int = 4) -> list[list[float]]:
    """Return the ends of a front, and others evenly between."""
    if len(front) <= number:
        return list(front)
    return [front[round(place * (len(front) - 1) / (number - 1))] for place in range(number)]


def _masks(searches: Sequence[Searched]) -> Iterator[Finding]:
    """Yield what searches for a mask find; a claim that holds for some seeds only is open."""
    best = {(one.arm, one.seed): one.best[-1] for one in searches}
    for arm, rival, claim in RIVALS:
        seeds = [seed for seed in SEEDS if (arm, seed) in best and (rival, seed) in best]
        if seeds:
            own, others = [best[arm, seed] for seed in seeds], [best[rival, seed] for seed in seeds]
            gain, text = compared(own, others)
            always = all(a > b for a, b in zip(own, others, strict=True))
            holds = True if always else (None if gain > 0 else False)
            yield Finding(f"digits, d = 0.1: {claim}", f"best validation {spread(own)}, {text}", holds)
