"""A genetic algorithm that sets the currents of a recurrent Izhikevich network (arXiv 2003.13850).

The long runs are searches of studies/ga-izhikevich.toml with other algorithms, other targets, and, in the sweep, other
populations and chances of crossover at the same number of evaluations with one simulation each. What a search found is
measured again: the candidate that looked best, over 20 simulations whose noise it was not chosen by. The sweep is made
on the column with few seeds, and on a map of its rates with many.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from scipy.stats import wilcoxon

from benchmarks.systems import Finding, _column_checks
from benchmarks.systems._column_map import Searches, searched
from benchmarks.systems._trained import STUDIES, compared, spread
from spikefront.evaluate import streams_of
from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.specification import Specification
from spikefront.storage import Database, queries
from spikefront.study_file import read_document

SEEDS = (1, 2, 3, 4, 5)
POPULATIONS = (8, 16, 20, 40)
CROSSOVERS = (0.5, 0.8, 0.95, 1.0)
CLOSE = 0.05
SWEPT, SWEPT_ON_MAP = 160, 400
"""Evaluations of each search of the sweep, on the column and on the map."""

ON_MAP = 100
"""Searches of each setting on the map."""

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
    """Yield the quick checks of neuron and column."""
    yield from _column_checks.short()


def jobs() -> list[tuple[str, int, float, int]]:
    """Return arm, population, chance of crossover and seed of each search."""
    first, later = (
        [(arm, 20, 0.95, seed) for arm in arms for seed in SEEDS]
        for arms in (("ga", "random", "nsga2"), ("sep-cma-es", "ten groups", "ten groups, random"))
    )
    settings = [(number, crossover) for number in POPULATIONS for crossover in CROSSOVERS]
    on_map = [("map", number, crossover, ON_MAP) for number, crossover in settings]
    return first + on_map + [("sweep", *setting, seed) for seed in SEEDS[:3] for setting in settings] + later


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


def run(arm: str, population: int, crossover: float, seed: int) -> Run | Searches:
    """Search, and measure what was found with fresh noise; on the map, search with as many seeds as `seed` says."""
    if arm == "map":
        return searched(study_of("ga", population, crossover, 1), arm, population, crossover, seed, SWEPT_ON_MAP)
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
    rows = list(rows)
    runs = [Run(**row) for row in rows if row["arm"] != "map"]
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
        yield from swept(
            {(run.population, run.crossover, run.seed): run.close or SWEPT for run in arms["sweep"]},
            f"on the column, {len({run.seed for run in arms['sweep']})} seeds, at most {SWEPT}",
        )
    if on_map := [Searches(**row) for row in rows if row["arm"] == "map"]:
        yield from swept(
            {
                (one.population, one.crossover, n): close or SWEPT_ON_MAP
                for one in on_map
                for n, close in enumerate(one.close)
            },
            f"on the map, {ON_MAP} seeds, at most {SWEPT_ON_MAP}",
        )


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


def swept(close: Mapping[tuple[int, float, int], int], where: str) -> Iterator[Finding]:
    """Yield what a sweep says of the best population and the best chance of crossover.

    Args:
        close: Population, chance and seed -> evaluations until the error was below 0.05, or all.
        where: What was searched, and how often.
    """
    settings = {key[:2] for key in close}
    seeds = {key[2] for key in close if all((*setting, key[2]) in close for setting in settings)}
    for claim, place, best in (
        ("The best population is 16 to 20", 0, (16, 20)),
        ("The best crossover is 0.95", 1, (0.95,)),
    ):
        needed = {
            value: [float(close[key]) for key in sorted(close) if key[place] == value and key[2] in seeds]
            for value in sorted({setting[place] for setting in settings})
        }
        means = {value: statistics.fmean(numbers) for value, numbers in needed.items()}
        claimed = [statistics.fmean(one) for one in zip(*(needed[value] for value in best), strict=True)]
        rival = min((value for value in means if value not in best), key=lambda value: means[value])
        p = min(1.0, (len(means) - len(best)) * float(wilcoxon(claimed, needed[rival]).pvalue))  # Bonferroni
        gain = means[rival] - statistics.fmean(claimed)
        yield Finding(
            f"{claim}: fewest evaluations until the error is below 0.05 ({where})",
            f"mean {', '.join(f'{value:g}: {mean:.1f}' for value, mean in means.items())}; the best rival, {rival:g}, "
            f"needs {gain:+.1f} (p = {p:.1g}, {len(claimed)} pairs)",
            gain > 0 if p < 0.05 else None,
        )
