"""A genetic algorithm that sets the currents of a recurrent Izhikevich network (arXiv 2003.13850).

The long runs are searches of studies/ga-izhikevich.toml with other algorithms, other targets, and, in the sweep, other
populations and chances of crossover at the same number of evaluations with one simulation each. What a search found is
measured again: the candidate that looked best, over 20 simulations whose noise it was not chosen by.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from benchmarks.systems import Finding
from benchmarks.systems._trained import STUDIES, compared, spread
from spikefront.evaluate import streams_of
from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.specification import Specification
from spikefront.storage import Database, queries
from spikefront.study_file import read_document
from spikefront_plugins.neurons.izhikevich import Izhikevich
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.tasks._column import Column, drawn_column, spike_counts

SEEDS = (1, 2, 3, 4, 5)
POPULATIONS = (8, 16, 20, 40)
CROSSOVERS = (0.5, 0.8, 0.95, 1.0)
CLOSE = 0.05
SWEPT = 160
"""Evaluations of each search of the sweep."""

TEN = {"excitatory_targets": [5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0], "inhibitory_targets": [12.0, 18.0]}
OPERATORS = [
    {"use": "blend", "draw": "entry", "probability": 1.0},
    {"use": "gaussian", "sigma": 0.05, "probability": 0.1},
    {"use": "array-gaussian", "sigma": 0.3, "density": 0.2, "probability": 0.5},
]
ARMS: dict[str, dict[str, Any]] = {
    "ga": {},
    "random": {"search": {"algorithm": "random"}},
    "sep-cma-es": {"search": {"algorithm": "sep-cma-es"}},
    "nsga2": {
        "search": {"algorithm": "nsga2"},
        "study": {"objectives": ["excitatory-rate-error", "inhibitory-rate-error"], "columns": ["rate-error"]},
    },
    "ten groups": {"task": TEN, "search": {"operators": OPERATORS}},
    "ten groups, random": {"task": TEN, "search": {"algorithm": "random"}},
    "sweep": {"task": {"runs": 1}},
}
EVALUATIONS = {"ten groups": 360, "ten groups, random": 360, "sweep": SWEPT}

CELLS: dict[str, tuple[tuple[float, float, float, float], int]] = {
    "RS": ((0.02, 0.2, -65.0, 8.0), 20),
    "FS": ((0.1, 0.2, -65.0, 2.0), 63),
    "CH": ((0.02, 0.2, -50.0, 2.0), 43),
    "IB": ((0.02, 0.2, -55.0, 4.0), 27),
    "LTS": ((0.02, 0.25, -65.0, 2.0), 44),
}
"""a, b, c, d, and spikes within 1,000 ms at a current of 10, counted by a loop outside of Spikefront."""


@dataclass(frozen=True)
class Run:
    """One search.

    Attributes:
        evaluations: Candidates that it tried.
        close: Number of the first one whose error, as measured then, was below 0.05, from 1; None if there was none.
        told: Smallest error that was measured.
        error: Error of that candidate with fresh noise.
        excitatory: Its rate in Hz.
        inhibitory: Its rate in Hz.
        crossed: Share of the bred candidates that come from a pair that was crossed.
        seconds: Time that all took.
        versions: Of numpy, pymoo and Spikefront.
    """

    arm: str
    population: int
    crossover: float
    seed: int
    evaluations: int
    close: int | None
    told: float
    error: float
    excitatory: float
    inhibitory: float
    crossed: float | None
    seconds: float
    versions: dict[str, str]


def short() -> Iterator[Finding]:
    """Yield the checks of the equations: single neurons, the network of 2003, signs."""
    counts = {name: neuron_spikes(cell) for name, (cell, _) in CELLS.items()}
    wanted = {name: count for name, (_, count) in CELLS.items()}
    yield Finding(
        "Spikes of five cell types in 1,000 ms at I = 10, half steps of 1 ms: " + told(wanted),
        told(counts),
        counts == wanted,
    )
    alone = {name: alone_in_the_column(cell) for name, (cell, _) in CELLS.items()}
    yield Finding(
        "A column without weights and noise fires as its neurons do alone",
        told(alone),
        alone == wanted,
    )
    fine = {dt: looped(0.1, 0.2, -65.0, 2.0, dt) for dt in (1.0, 0.1)}
    yield Finding(
        "The scheme is part of the model: FS fires 63 times with steps of 1 ms, 128 times with 0.1 ms",
        f"{fine[1.0]} and {fine[0.1]}",
        fine == {1.0: 63, 0.1: 128},
    )
    pairs = [rates(drawn_column(seed), 1000, 0, seed) for seed in range(5)]
    (e, e_sd), (i, i_sd) = ((statistics.fmean(x), statistics.stdev(x)) for x in zip(*pairs, strict=True))
    yield Finding(
        "The network of 2003 fires at 7.68 Hz (sd 0.13) and 7.31 Hz (0.19), 5 seeds (our own earlier measurement)",
        f"excitatory {e:.2f} Hz ({e_sd:.2f}), inhibitory {i:.2f} Hz ({i_sd:.2f})",
        abs(e - 7.68) < 0.35 and abs(i - 7.31) < 0.5,
    )
    column = drawn_column(0)
    more = replace(column, bias=np.where(np.arange(1000) < 800, 1.0, 0.0))
    before, after = rates(column, 1000, 100, 0), rates(more, 1000, 100, 0)
    yield Finding(
        "More current to the excitatory neurons raises both rates",
        f"{before[0]:.1f} and {before[1]:.1f} Hz become {after[0]:.1f} and {after[1]:.1f} Hz",
        after[0] > before[0] and after[1] > before[1],
    )


def told(counts: dict[str, int]) -> str:
    """Return counts by name as text."""
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def neuron_spikes(cell: tuple[float, float, float, float]) -> int:
    """Return how often the component `izhikevich` fires; it tells a spike a step earlier than the original."""
    a, b, c, d = cell
    neuron = Izhikevich(a=a, b=b, c=c, d=d, input_scale=1.0)
    x = torch.full((999, 1, 1), 10.0, dtype=torch.float64)
    spikes, _ = neuron.sequence(x, neuron.initial_state(x[0]), {}, ATan(), torch.Generator())
    return int(spikes.sum())


def alone_in_the_column(cell: tuple[float, float, float, float]) -> int:
    """Return how often each of three unconnected neurons fires, or -1 if they differ."""
    a, b, c, d = (np.full(3, value) for value in cell)
    column = Column(a, b, c, d, np.zeros((3, 3)), np.zeros(3), np.full(3, 10.0))
    counts = np.unique(spike_counts(column, 1000, 0, 1, np.random.default_rng(0)))
    return int(counts[0]) if len(counts) == 1 else -1


def looped(a: float, b: float, c: float, d: float, dt: float) -> int:
    """Return how often a neuron fires in 1,000 ms at I = 10, with two half steps in each step of `dt`."""
    v, u, count = -65.0, b * -65.0, 0
    for _ in range(round(1000 / dt)):
        if v >= 30:
            v, u, count = c, u + d, count + 1
        for _ in range(2):
            v += dt / 2 * (0.04 * v * v + 5 * v + 140 - u + 10)
        u += dt * a * (b * v - u)
    return count


def rates(column: Column, steps: int, dropped: int, seed: int) -> tuple[float, float]:
    """Return the rates of both populations in Hz, in one simulation."""
    counts = spike_counts(column, steps, dropped, 1, np.random.default_rng(seed + 100))[0]
    seconds = (steps - dropped) / 1000
    return float(counts[:800].mean() / seconds), float(counts[800:].mean() / seconds)


def jobs() -> list[tuple[str, int, float, int]]:
    """Return arm, population, chance of crossover and seed of each search."""
    single = [(arm, 20, 0.95, seed) for arm in ARMS if arm != "sweep" for seed in SEEDS]
    swept = [("sweep", number, crossover, seed) for seed in SEEDS for number in POPULATIONS for crossover in CROSSOVERS]
    return single + swept


def study_of(arm: str, population: int, crossover: float, seed: int) -> Specification:
    """Return the study of an arm."""
    document = read_document(STUDIES / "ga-izhikevich.toml", ())
    for section, values in ARMS[arm].items():
        document[section] |= values
    document["study"]["seed"] = seed
    search = document["search"] | {"population": population, "evaluations": EVALUATIONS.get(arm, 240)}
    del search["generations"], search["crossover"]
    if search["algorithm"] in {"ga", "nsga2"}:
        search["crossover"] = crossover
    return Specification.from_document({**document, "search": search, "execution": {"use": "inline"}}, load())


def run(arm: str, population: int, crossover: float, seed: int) -> Run:
    """Search, and measure what was found with fresh noise."""
    start = time.perf_counter()
    study = study_of(arm, population, crossover, seed)
    with tempfile.TemporaryDirectory() as folder, Database.open(f"{folder}/one.db", create=True) as database:
        Search(study, database).run()
        rows = queries.evaluations(database, study.name)
        asked = queries.asks(database, study.name)
        errors = [row.mean("rate-error") for row in rows if not row.failure]
        top = min((row for row in rows if not row.failure), key=lambda row: row.mean("rate-error") or 0.0)
        genome = queries.genomes(database, {top.genome_hash})[top.genome_hash]
    bred = ["blend" in row.operators for row in asked if row.operators]
    scores = measured_again(study, genome)
    return Run(
        arm,
        population,
        crossover,
        seed,
        evaluations=len(rows),
        close=next((number for number, error in enumerate(errors, 1) if error is not None and error < CLOSE), None),
        told=top.mean("rate-error") or 0.0,
        error=scores["rate_error"],
        excitatory=scores["excitatory_rate"],
        inhibitory=scores["inhibitory_rate"],
        crossed=sum(bred) / len(bred) if bred else None,
        seconds=round(time.perf_counter() - start, 1),
        versions={name: version(name) for name in ("numpy", "pymoo", "spikefront")},
    )


def measured_again(study: Specification, genome: Genome) -> dict[str, float]:
    """Return the metrics of a candidate over 20 simulations with other noise."""
    resolved, streams = study.resolve(genome), streams_of(study, genome, 0, "retrain")
    task = resolved.task.model_copy(update={"runs": 20})
    return task.score(task.build(resolved.parts, streams), "test", streams)


def findings(rows: Iterable[dict[str, Any]]) -> Iterator[Finding]:
    """Yield what the stored searches say."""
    runs = [Run(**row) for row in rows]
    arms = {arm: [run for run in runs if run.arm == arm] for arm in ARMS}
    if arms["ga"]:
        yield converges(arms["ga"])
    for rival in ("random", "sep-cma-es"):
        if len(arms[rival]) == len(arms["ga"]) == len(SEEDS):
            yield against(arms["ga"], rival, arms[rival])
    if arms["nsga2"]:
        error = [run.error for run in arms["nsga2"]]
        yield Finding(
            "NSGA-II with the two errors as objectives finds a candidate within 5 % of both targets",
            f"error with fresh noise {spread(error)}, {len(error)} seeds; {closeness(arms['nsga2'])}",
            max(error) < CLOSE,
        )
    if len(arms["ten groups"]) == len(arms["ten groups, random"]) == len(SEEDS):
        yield against(arms["ten groups"], "random", arms["ten groups, random"])
    if arms["sweep"]:
        yield from swept(arms["sweep"])


def converges(runs: Sequence[Run]) -> Finding:
    """Return whether the genetic algorithm reaches the target rates."""
    generations = ", ".join(str(-(-run.close // run.population) if run.close else "-") for run in runs)
    errors, measured = spread([run.error for run in runs]), spread([run.told for run in runs])
    excitatory, inhibitory = (statistics.fmean(getattr(r, name) for r in runs) for name in ("excitatory", "inhibitory"))
    return Finding(
        "The GA reaches the target rates (here 8 and 15 Hz to 5 %) within about 100 generations",
        f"in generation {generations} ({len(runs)} seeds); after 12 generations {excitatory:.2f} and {inhibitory:.2f} "
        f"Hz, error with fresh noise {errors}, as measured in the search {measured}",
        all(run.close and run.error < CLOSE for run in runs),
    )


def against(runs: Sequence[Run], rival: str, others: Sequence[Run]) -> Finding:
    """Return how the genetic algorithm compares with another one at the same number of evaluations."""
    own, other = ({run.seed: run.error for run in group} for group in (runs, others))
    median, text = compared([own[seed] for seed in SEEDS], [other[seed] for seed in SEEDS])
    groups = "Ten groups: with" if "groups" in runs[0].arm else "With"
    return Finding(
        f"{groups} {runs[0].evaluations} evaluations the GA ends with a smaller error than {rival}",
        f"GA {spread(list(own.values()))}, {rival} {spread(list(other.values()))}, {text}; "
        f"{rival} is {closeness(others)}",
        median < 0,
    )


def closeness(runs: Sequence[Run]) -> str:
    """Return after how many evaluations searches came below 0.05."""
    found = [run.close for run in runs]
    return f"below 0.05 after {', '.join(str(number or '-') for number in found)} evaluations"


def swept(runs: Sequence[Run]) -> Iterator[Finding]:
    """Yield what the sweep says of the best population and the best chance of crossover."""
    by_population = {number: needed(runs, "population", number) for number in POPULATIONS}
    by_crossover = {chance: needed(runs, "crossover", chance) for chance in CROSSOVERS}
    for claim, found, best in (
        ("The best population is 16 to 20", by_population, {16, 20}),
        ("The best chance of crossover is 0.95", by_crossover, {0.95}),
    ):
        means = {value: statistics.fmean(numbers) for value, numbers in found.items()}
        claimed = [found[value] for value in sorted(best)]
        own = [statistics.fmean(numbers) for numbers in zip(*claimed, strict=True)]
        rivals = {value: compared(own, found[value], 0) for value in found if value not in best}
        beaten = all(median < 0 for median, _ in rivals.values())
        yield Finding(
            f"{claim} (evaluations until the error is below 0.05, of {SWEPT})",
            "mean "
            + ", ".join(f"{value:g}: {mean:.0f}" for value, mean in means.items())
            + "; the claimed minus "
            + ", ".join(f"{value:g}: {text}" for value, (_, text) in rivals.items()),
            beaten if beaten == (min(means, key=lambda value: means[value]) in best) else None,
        )


def needed(runs: Sequence[Run], name: str, value: float) -> list[float]:
    """Return the evaluations until the error was small, of all runs with this setting; all and a half if it never was.

    Runs are in the order of the other setting and the seed, so that two lists can be compared run by run.
    """
    chosen = [run for run in runs if getattr(run, name) == value]
    chosen.sort(key=lambda run: (run.population if name == "crossover" else run.crossover, run.seed))
    return [float(run.close or 1.5 * SWEPT) for run in chosen]
