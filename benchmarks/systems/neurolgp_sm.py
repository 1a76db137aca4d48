"""Linear genetic programs with a surrogate on phenotypic vectors: how much training, and time, does it save?

Arms search the space of studies/neurolgp-sm.toml with the same seeds, and so with the same first generation:

* "all": every candidate is trained to the end;
* "watched": the same, with a surrogate whose guesses decide nothing, and are compared over whole generations;
* "mean" and "expected improvement": the surrogate decides, by its prediction or its expected improvement;
* "early stop": the better share after the same short training, by the accuracy measured then: the cheap rival.

Arms that train less ask for more candidates, and are compared where they reach the same hypervolume, on validation, of
accuracy in [0.8, 1] and the logarithm of the energy from 3 nJ to 2 uJ. Time is that of the process.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import kendalltau

from benchmarks.systems import Finding
from benchmarks.systems._trained import STUDIES, compared, spread
from spikefront.evaluate import phenotype_of, streams_of
from spikefront.measure.hypervolume import hypervolume, nondominated
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.search.progress import Progress
from spikefront.specification import Specification
from spikefront.storage import Database, EvaluationRow, queries
from spikefront.study_file import read_document

ALL, WATCHED, MEAN, IMPROVEMENT, EARLY = "all", "watched", "mean", "expected improvement", "early stop"
SEARCHES: dict[str, dict[str, Any]] = {
    ALL: {"generations": 8, "screening": None},
    WATCHED: {"generations": 8, "screening": {"bound": 1.0}},
    MEAN: {},
    IMPROVEMENT: {"screening": {"criterion": "expected-improvement"}},
    EARLY: {"screening": None, "early_stop": {"rungs": [0.125], "keep": 0.4}},
}
"""What each arm changes in [search]; None leaves a section out."""
SMALL = ("task.train=320", "coder.steps=2", "network.program.each.width={choice=[8, 16]}",
         "search.population=10", "search.screening.after=10")  # fmt: skip
"""What all arms change in the study file, to take less time."""
SEEDS = tuple(range(1, 6))
IDEAL, REFERENCE = (-1.0, math.log10(3e3)), (-0.8, math.log10(2e6))
PAPER = 0.25
"""Share of the energy that the papers save."""


@dataclass(frozen=True)
class Run:
    """One search; lists have an entry for each generation.

    Attributes:
        hypervolumes: Hypervolume so far, on validation.
        samples: Training samples so far.
        cpu: Seconds of the process so far.
        taus: Kendall's tau of guess and outcome over the candidates of a generation, where all were trained; NaN where
            there was no guess.
        errors: Mean absolute error of the accuracy that was expected of them.
        test: Hypervolume of the last front with accuracies on the test split.
        seconds: Time that the search took.
    """

    arm: str
    seed: int
    hypervolumes: list[float]
    samples: list[int]
    cpu: list[float]
    taus: list[float]
    errors: list[float]
    test: float
    seconds: float


def jobs() -> list[tuple[Any, ...]]:
    """Return arm and seed of each run, the arms that all claims need first."""
    needed = [(arm, seed) for seed in SEEDS for arm in (MEAN, ALL)]
    return needed + [(arm, seed) for arm in (WATCHED, EARLY, IMPROVEMENT) for seed in SEEDS]


def study_of(arm: str, seed: int, generations: int | None = None) -> Specification:
    """Return the study of an arm."""
    document = read_document(STUDIES / "neurolgp-sm.toml", [*SMALL, f"study.seed={seed}"])
    search = document["search"]
    for key, value in SEARCHES[arm].items():
        search[key] = {**search[key], **value} if isinstance(search.get(key), dict) and value else value
    search["generations"] = generations or search["generations"]
    document["search"] = {key: value for key, value in search.items() if value is not None}
    document["execution"] = {"use": "inline"}
    return Specification.from_document(document, load())


def run(arm: str, seed: int, generations: int | None = None) -> Run:
    """Search, and test the front."""
    import smt.surrogate_models  # noqa: F401  so that no arm's time is that of an import

    study, cpu = study_of(arm, seed, generations), dict[int, float]()
    wall, process = time.perf_counter(), time.process_time()

    def watch(progress: Progress) -> None:
        cpu[progress.generation] = time.process_time() - process

    with tempfile.TemporaryDirectory() as folder, Database.open(f"{folder}/one.db", create=True) as database:
        Search(study, database, watch).run()
        seconds = time.perf_counter() - wall
        rows = [row for row in queries.evaluations(database, study.name) if not row.failure]
        rungs = queries.evaluations(database, study.name, "rung")
        test = tested(study, database)
    closed = [[row for row in rows if row.generation <= generation] for generation in sorted(cpu)]
    worth = [agreement(generation, rows, rungs) for generation in sorted(cpu)]
    return Run(
        arm=arm,
        seed=seed,
        hypervolumes=[volume([losses(row) for row in known if row.budget > 0]) for known in closed],
        samples=[sum(row.samples for row in known) for known in closed],
        cpu=[cpu[generation] for generation in sorted(cpu)],
        taus=[tau for tau, _ in worth],
        errors=[error for _, error in worth],
        test=test,
        seconds=seconds,
    )


def losses(row: EvaluationRow) -> tuple[float, float]:
    """Return what the hypervolume is taken over."""
    return -(row.mean("accuracy") or 0.0), math.log10(max(row.mean("energy") or 0.0, 1.0))


def volume(points: Sequence[tuple[float, float]]) -> float:
    """Return the hypervolume of some points."""
    array = np.array(points).reshape(-1, 2)
    return hypervolume(array[nondominated(array)], IDEAL, REFERENCE)


def tested(study: Specification, database: Database) -> float:
    """Return the hypervolume of the front with accuracies on the test split."""
    front = queries.front(database, study.name)
    genomes, points = queries.genomes(database, {row.genome_hash for row in front}), []
    for row in front:
        genome = genomes[row.genome_hash]
        streams, resolved = streams_of(study, genome, 0), study.resolve(genome)
        network = phenotype_of(resolved, queries.weights(database, study.name, row.number), streams)
        points.append((-resolved.task.score(network, "test", streams)["accuracy"], losses(row)[1]))
    return volume(points)


def findings(rows: list[dict[str, Any]]) -> Iterator[Finding]:
    """Yield what the long runs say."""
    yield from ()


def agreement(generation: int, rows: Sequence[EvaluationRow], rungs: Sequence[EvaluationRow]) -> tuple[float, float]:
    """Return tau and mean absolute error of a generation's guesses; NaN where not all were trained to the end."""
    ends = {row.number: row.mean("accuracy") or 0.0 for row in rows if row.generation == generation and row.budget == 1}
    guesses = [rung for rung in rungs if rung.generation == generation and "kpls" in rung.measurements]
    pairs = [(rung, ends[rung.candidate]) for rung in guesses if rung.candidate in ends]
    if not pairs or len(pairs) < len(guesses):
        return math.nan, math.nan
    tau = kendalltau([rung.mean("kpls") for rung, _ in pairs], [value for _, value in pairs]).statistic
    return float(tau), statistics.fmean(abs((rung.mean("kpls.expected") or 0.0) - value) for rung, value in pairs)
