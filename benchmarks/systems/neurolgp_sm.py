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
import torch

from benchmarks.systems import Finding
from benchmarks.systems._trained import STUDIES, compared, gains, spread, verdict
from spikefront.components.task import require_supervised
from spikefront.evaluate import phenotype_of, streams_of
from spikefront.genome import Genome
from spikefront.measure.hypervolume import hypervolume, nondominated
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.search.coordinator import Search
from spikefront.search.progress import Progress
from spikefront.search.screening import kendall_tau
from spikefront.specification import Specification
from spikefront.storage import Database, EvaluationRow, queries
from spikefront.study_file import read_document
from spikefront_plugins.networks._program import Instruction, effective
from spikefront_plugins.predictors.kpls import KPLS, expected_improvement

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
        taus: Kendall's tau of guess and outcome over the candidates of a generation, where all were trained; None where
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
    taus: list[float | None]
    errors: list[float | None]
    test: float
    seconds: float

    @property
    def final(self) -> float:
        """The last hypervolume."""
        return self.hypervolumes[-1]


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


def short() -> Iterator[Finding]:
    """Yield the checks of equations and programs."""
    values = [expected_improvement(*case) for case in ((0.2, 0.25, 0.1), (0.2, 0.1, 0.05), (0.2, 0.2, 0.1))]
    wanted = (0.019780, 0.100425, 0.039894)
    off = max(abs(value - want) for value, want in zip(values, wanted, strict=True))
    yield Finding("Expected improvement has the values of its equation", f"largest error {off:.0e}", off < 1e-6)
    yield from programs()
    rng = np.random.default_rng(0)
    vectors, start = rng.random((200, 640)), time.process_time()
    guess = KPLS(components=3, batch=64).fit(vectors, vectors[:, :3].sum(1))
    seconds = time.process_time() - start
    figure = f"200 candidates, 64 images, 10 classes: {seconds:.1f} s of one core"
    yield Finding("A fit takes seconds", figure, guess is not None and seconds < 30)


def programs() -> Iterator[Finding]:
    """Yield what introns, names of registers and the order of a batch change of a network's outputs."""
    study = study_of(ALL, 1)
    rng, differing, introns = np.random.default_rng(1), 0, 0
    for _ in range(20):
        program = study.space["network.program"].domain.sample(rng)
        kept = [one.model_dump() for one in effective([Instruction(**line) for line in program])]
        names = {0: 0, 1: 7, 2: 1}
        renamed = [{**line, **{key: names[line[key]] for key in ("to", "x", "y")}} for line in program]
        introns += len(program) - len(kept)
        first, *others = (outputs(study, lines) for lines in (program, kept, renamed))
        differing += any(not torch.equal(first, other) for other in others)
    yield Finding(
        "Introns and names of registers change no output by a bit",
        f"20 programs with {introns} introns: {differing} differ",
        differing == 0,
    )


def outputs(study: Specification, program: list[dict[str, Any]]) -> torch.Tensor:
    """Return what the untrained network of a program says of ten images, with weights from one seed."""
    resolved = study.resolve(Genome({"network.program": program}))
    task = require_supervised(resolved.task, "benchmark")
    with torch.no_grad():
        found: torch.Tensor = task.build(resolved.parts, Streams(1)).eval()(task.data("train").inputs[:10])
    return found


def findings(rows: list[dict[str, Any]]) -> Iterator[Finding]:
    """Yield what the long runs say; arms are paired by seed."""
    runs = {arm: {row["seed"]: Run(**row) for row in rows if row["arm"] == arm} for arm in SEARCHES}

    def pairs(arm: str, other: str) -> list[tuple[Run, Run]]:
        return [(runs[arm][seed], runs[other][seed]) for seed in sorted(runs[arm].keys() & runs[other].keys())]

    claims = {
        MEAN: "The surrogate saves training at equal hypervolume",
        IMPROVEMENT: "So it does where it ranks by expected improvement",
        EARLY: "So does the cheap rival: stopping early by the accuracy after the same short training",
    }
    for arm, claim in claims.items():
        shares = [saved(run, whole, "samples") for run, whole in pairs(arm, ALL)]
        yield Finding(claim, f"{spread(shares, 2)} of the samples, {len(shares)} seeds", verdict(shares))
    yield compared_in("The surrogate finds a better front than that rival", pairs(MEAN, EARLY), "final")
    yield compared_in("Its last front is better on the test split than that of training all", pairs(MEAN, ALL), "test")
    yield from times(pairs(MEAN, ALL), pairs(WATCHED, ALL))
    yield guesses(list(runs[WATCHED].values()))


def compared_in(claim: str, both: list[tuple[Run, Run]], volume: str) -> Finding:
    """Return how much larger one of the hypervolumes is."""
    ours, others = ([getattr(pair[place], volume) for pair in both] for place in (0, 1))

    return Finding(claim, f"hypervolume {compared(ours, others, 3)[1]}", verdict(gains(ours, others)))


def saved(run: Run, whole: Run, cost: str) -> float:
    """Return which share of a cost a run saves until it and another reach the smaller of their last hypervolumes."""
    target = min(run.final, whole.final)
    spent = [
        next(c for c, v in zip(getattr(r, cost), r.hypervolumes, strict=True) if v >= target) for r in (run, whole)
    ]
    return float(1 - spent[0] / spent[1])


def times(both: list[tuple[Run, Run]], watched: list[tuple[Run, Run]]) -> Iterator[Finding]:
    """Yield the time that the surrogate saves over as many candidates, and from which time of a training on it does."""
    last = len(both[0][1].cpu) - 1
    shares = [1 - run.cpu[last] / whole.cpu[last] for run, whole in both]
    yield Finding(
        f"Over as many candidates the search takes {PAPER:.0%} less (the papers: energy; here: time of the process)",
        f"{spread(shares, 2)} less, {len(both)} seeds, where a training takes a tenth of a second",
        verdict([share - PAPER for share in shares]),
    )
    samples = statistics.median(1 - run.samples[last] / whole.samples[last] for run, whole in both)
    each = statistics.median((run.cpu[last] - whole.cpu[last]) / (10 * (last + 1)) for run, whole in watched)
    yield Finding(
        "It would where trainings take longer: the surrogate costs the same, and saves samples",
        f"{each:.3f} s a candidate, {samples:.0%} fewer samples: from {each / (samples - PAPER):.1f} s a training on",
        None,
    )


def guesses(watched: list[Run]) -> Finding:
    """Return how well the surrogate ranks the candidates of each generation."""
    taus = np.array([run.taus for run in watched], dtype=float)
    told = [n for n in range(taus.shape[1]) if not np.isnan(taus[:, n]).all()]
    medians = [float(np.nanmedian(taus[:, n])) for n in told]
    error = float(np.nanmedian(np.array([run.errors for run in watched], dtype=float)))
    figure = (
        f"Kendall's tau {', '.join(f'{tau:.2f}' for tau in medians)} in generations {told[0]} to {told[-1]}, median of "
        f"{len(watched)} seeds; mean absolute error {error:.3f}"
    )
    return Finding("The surrogate ranks the candidates of each generation", figure, min(medians) > 0.3)


def agreement(
    generation: int, rows: Sequence[EvaluationRow], rungs: Sequence[EvaluationRow]
) -> tuple[float | None, float | None]:
    """Return tau and mean absolute error of a generation's guesses; None where not all were trained to the end."""
    ends = {row.number: row.mean("accuracy") or 0.0 for row in rows if row.generation == generation and row.budget == 1}
    said = [rung for rung in rungs if rung.generation == generation and "kpls" in rung.measurements]
    pairs = [(rung, ends[rung.candidate]) for rung in said if rung.candidate in ends]
    if not pairs or len(pairs) < len(said):
        return None, None
    error = statistics.fmean(abs((rung.mean("kpls.expected") or 0.0) - value) for rung, value in pairs)
    return kendall_tau([(rung.mean("kpls") or 0.0, value) for rung, value in pairs]), error
