"""The cortical column as a map of rates over both currents, on which a search costs next to nothing.

The map is simulated once, 500 ms a point: both rates on a grid of currents, between whose points they are interpolated
linearly. With the noise of one simulation added, it stands for the column where hundreds of searches are compared.
"""

from __future__ import annotations

import functools
import statistics
import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.interpolate import RegularGridInterpolator

from spikefront.components import Algorithm, Problem, Told
from spikefront.randomness import Streams
from spikefront.specification import Specification
from spikefront_plugins.tasks._column import EXCITATORY, drawn_column, spike_counts

Floats = npt.NDArray[np.float64]

CURRENTS = (-5, -2, -1, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 6, 10, 15)
"""Grid points of each current, closer where the rates change most."""

NOISE = (0.012, 0.015)
"""Standard deviation of both rates in one simulation, as a share of them: that at 8 and 15 Hz, over 20 simulations."""

TARGETS = np.array([8.0, 15.0])


@dataclass(frozen=True)
class Searches:
    """Many searches on the map with the same setting.

    Attributes:
        seed: Their number; the seeds are 1 to this.
        close: For each search, the number of the first candidate whose error, noise included, was below 0.05, or None.
        error: Mean error of the candidates that looked best, without noise.
        crossed: Share of the bred candidates that come from a pair that was crossed.
        seconds: Time that all took.
    """

    arm: str
    population: int
    crossover: float
    seed: int
    close: list[int | None]
    error: float
    crossed: float
    seconds: float


@functools.cache
def column_map() -> RegularGridInterpolator:
    """Return both rates in Hz as a function of both currents."""
    column, rates = drawn_column(0), np.empty((len(CURRENTS), len(CURRENTS), 2))
    excitatory = np.arange(len(column.a)) < EXCITATORY
    for i, first in enumerate(CURRENTS):
        for j, second in enumerate(CURRENTS):
            biased = replace(column, bias=np.where(excitatory, first, second))
            counts = spike_counts(biased, 600, 100, 1, np.random.default_rng([i, j]))[0] / 0.5
            rates[i, j] = counts[excitatory].mean(), counts[~excitatory].mean()
    return RegularGridInterpolator((CURRENTS, CURRENTS), rates)


def searched(study: Specification, arm: str, population: int, crossover: float, searches: int, limit: int) -> Searches:
    """Search the map as a study would the column.

    Args:
        study: Its space, operators and algorithm are used.
        arm: What to call it.
        population: Candidates of a generation.
        crossover: Chance that a pair is crossed.
        searches: How many, with other seeds.
        limit: Evaluations of each.
    """
    start = time.perf_counter()
    algorithm = study.algorithm.model_copy(update={"crossover": crossover})
    found = [_search(study, algorithm, population, seed, limit) for seed in range(1, searches + 1)]
    close, errors, crossed = zip(*found, strict=True)
    seconds = round(time.perf_counter() - start, 1)
    return Searches(
        arm, population, crossover, searches, list(close), statistics.fmean(errors), statistics.fmean(crossed), seconds
    )


def _search(
    study: Specification, algorithm: Algorithm, population: int, seed: int, limit: int
) -> tuple[int | None, float, float]:
    """Return when one search came close, the true error of what it found, and its share of crossed pairs."""
    streams = Streams(seed)
    engine = algorithm.start(
        Problem(study.space, study.problem_objectives, population, study.operators, streams.child("algorithm"))
    )
    rng, measured, true, bred = streams.numpy("noise"), list[float](), list[float](), list[bool]()
    while len(measured) < limit and (asked := engine.ask()):
        currents = [(one.genome["task.excitatory_current"], one.genome["task.inhibitory_current"]) for one in asked]
        rates = column_map()(currents)
        noisy = _error(rates * (1 + NOISE * rng.standard_normal(rates.shape)))
        engine.tell([Told(one.genome, (float(error),)) for one, error in zip(asked, noisy, strict=True)])
        measured += noisy.tolist()
        true += _error(rates).tolist()
        bred += ["blend" in one.operators for one in asked if one.operators]
    best = int(np.argmin(measured[:limit]))
    close = next((number for number, error in enumerate(measured[:limit], 1) if error < 0.05), None)
    return close, true[best], statistics.fmean(bred)


def _error(rates: Floats) -> Floats:
    return np.sqrt((((rates - TARGETS) / TARGETS) ** 2).mean(axis=-1))
