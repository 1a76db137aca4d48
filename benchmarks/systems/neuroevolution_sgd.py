"""Neuroevolution with gradient descent and cluster suppression (Zhang et al., arXiv 2012.11184), in our reading."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors.torch import load as load_tensors

from benchmarks.systems import Finding
from benchmarks.systems._trained import compared, gains, spread, study, tested, verdict
from spikefront.components import Problem, Told
from spikefront.randomness import Streams
from spikefront.search.coordinator import Search
from spikefront.specification import Specification
from spikefront.storage import Database, queries
from spikefront_plugins.algorithms import _suppression as suppression
from spikefront_plugins.algorithms.cluster_suppression import SuppressionEngine

NAME = "neuroevolution-sgd"
SEEDS = range(1, 6)
ARMS = {
    "similar": (),
    "random": ('search.suppress="random"',),
    "none": ('search.suppress="none"',),
    "crossover": ('search.replacement="crossover"',),
    "own": ('search.suppress="none"', 'search.ancestor="own"'),
}
TURNS = 24


@dataclass(frozen=True)
class Run:
    """One search.

    Attributes:
        best: Best accuracy on validation so far, for each turn.
        diversity: Mean distance of two members' updates, for each turn but the first.
        suppressed: How many members were suppressed in all.
        test: Accuracy on the test split of the network that was best on validation.
    """

    arm: str
    seed: int
    best: list[float]
    diversity: list[float]
    suppressed: int
    test: float
    seconds: float


def short() -> Iterator[Finding]:
    """Yield the quick checks, on updates of known directions."""
    e = np.eye(4)
    updates, losses = np.stack([e[0], e[0] + 0.01 * e[1], e[1], -e[0]]), -np.array([0.5, 0.6, 0.4, 0.3])
    distance = suppression.distances(updates)
    gone = [suppression.suppressed(distance, losses, [delta], 1) for delta in (0.3, 0.0, 2.0)]
    yield Finding(
        "Of two networks that learn alike the worse one is suppressed; at distance 0 nobody, at 2 all but the best",
        f"of 4 members: {gone[0]} at 0.3, {gone[1]} at 0, {gone[2]} at 2",
        gone == [[0], [], [0, 2, 3]],
    )
    errors = np.concatenate([projection_errors(seed) for seed in range(4)])
    yield Finding(
        "A projection of 100,000 numbers to 256 keeps cosine distances to 0.2 in more than 99 % of pairs",
        f"{(errors < 0.2).mean():.1%} of {len(errors)} pairs, largest error {errors.max():.2f}",
        bool((errors < 0.2).mean() > 0.99),
    )


def projection_errors(seed: int) -> suppression.Floats:
    """Return how far the distances of 20 long updates, half of them related, are from those of their projections."""
    updates = np.random.default_rng(seed).normal(size=(20, 100_000))
    updates[10:] = updates[:10] + 0.7 * updates[10:]
    whole, short = suppression.distances(updates), suppression.distances(suppression.projected(updates, seed))
    errors: suppression.Floats = np.abs(whole - short)[np.triu_indices(20, 1)]
    return errors


def jobs() -> list[tuple[str, int]]:
    """Return each arm with each seed."""
    return [(arm, seed) for seed in SEEDS for arm in ARMS]


def run(arm: str, seed: int) -> Run:
    """Search, and test the network that was best on validation."""
    start = time.perf_counter()
    whole = study(NAME, *ARMS[arm], f"study.seed={seed}", f"search.generations={TURNS}", 'execution.use="inline"')
    with tempfile.TemporaryDirectory() as folder, Database.open(f"{folder}/one.db", create=True) as database:
        Search(whole, database).run()
        rows = queries.evaluations(database, NAME)
        top = max(rows, key=lambda row: row.mean("accuracy") or 0.0)
        genome = queries.genomes(database, {top.genome_hash})[top.genome_hash]
        test = tested(whole, genome, queries.weights(database, NAME, top.number), 0)["accuracy"]
        engine = replayed(whole, database)
    own = [[row.mean("accuracy") or 0.0 for row in rows if row.generation == turn] for turn in range(TURNS)]
    best = list(itertools.accumulate(map(max, own), max))
    diversity = [value for value in engine.diversity if value is not None]
    return Run(arm, seed, best, diversity, sum(engine.suppressed), test, time.perf_counter() - start)


def replayed(whole: Specification, database: Database) -> SuppressionEngine:
    """Return the study's algorithm as it was at the end: it alone knows what updates it compared."""
    streams = Streams(whole.settings.seed).child("algorithm")
    problem = Problem(whole.space, whole.problem_objectives, whole.budget.population, whole.operators, streams)
    engine = whole.algorithm.start(problem)
    if not isinstance(engine, SuppressionEngine):
        raise TypeError(f"{NAME}: searched with {type(engine).__name__}")
    recorded = {row.genome_hash: row for row in queries.evaluations(database, NAME)}
    for _ in range(TURNS):
        asked = engine.ask()
        rows = [recorded[proposal.genome.hash] for proposal in asked]
        weights = [load_tensors(queries.weights(database, NAME, row.number)) for row in rows]
        losses = [(-(row.mean("accuracy") or 0.0),) for row in rows]
        engine.tell([Told(p.genome, loss, end) for p, loss, end in zip(asked, losses, weights, strict=True)])
    return engine


def findings(rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield what suppression does to diversity and to the best network."""
    arms = {arm: sorted((row for row in rows if row["arm"] == arm), key=lambda row: row["seed"]) for arm in ARMS}
    diversity = {arm: [statistics.fmean(row["diversity"]) for row in own] for arm, own in arms.items()}
    best = {arm: [row["best"][-1] for row in own] for arm, own in arms.items()}
    test = {arm: [row["test"] for row in own] for arm, own in arms.items()}
    gone = statistics.fmean(row["suppressed"] for row in arms["similar"])
    for rival, words in (
        ("none", "members that train side by side"),
        ("random", "suppressing as many at random"),
        ("own", "eight networks with first weights of their own"),
    ):
        _, difference = compared(diversity["similar"], diversity[rival], 3)
        if rival != "own":
            yield Finding(
                f"Suppressing those that learn alike keeps a population of one ancestor more diverse than {words}",
                f"mean cosine distance of updates {spread(diversity['similar'], 3)} against "
                f"{spread(diversity[rival], 3)}: {difference}; {gone:.0f} of {8 * TURNS} suppressed",
                verdict(gains(diversity["similar"], diversity[rival])),
            )
        _, difference = compared(test["similar"], test[rival])
        yield Finding(
            f"The best network with suppression is more accurate than that of {words}",
            f"test {spread(test['similar'])} against {spread(test[rival])}: {difference}; validation "
            f"{spread(best['similar'])} against {spread(best[rival])}",
            verdict(gains(test["similar"], test[rival])),
        )
    yield Finding(
        "Networks with first weights of their own tend to receive alike updates",
        f"mean cosine distance {spread(diversity['own'], 3)}: orthogonal",
        statistics.median(diversity["own"]) < 0.7,
    )
    _, difference = compared(test["crossover"], test["similar"])
    yield Finding(
        "Crossover of whole layers is no better a replacement than noise (our ablation)",
        f"test {spread(test['crossover'])} against {spread(test['similar'])}: {difference}",
        statistics.median(test["crossover"]) <= statistics.median(test["similar"]),
    )
