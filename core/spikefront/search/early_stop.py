"""Pareto early stopping: successive halving for several objectives (Jamieson and Talwalkar, AISTATS 2016).

Candidates that reach a rung are ranked among all that were ever seen there, by non-dominated rank and then by
crowding distance (Deb et al., IEEE TEVC 6, 2002); the better share trains on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import moocore
import numpy as np
import numpy.typing as npt

Losses = tuple[float, ...]


class Ladder:
    """What was seen at each rung of a search.

    Args:
        rungs: Shares of the training.
        keep: Share of the candidates that goes on at each.
    """

    def __init__(self, rungs: Iterable[float], keep: float) -> None:
        self._keep = keep
        self._seen: dict[float, dict[int, Losses]] = {rung: {} for rung in rungs}

    def promoted(self, rung: float, arrived: Mapping[int, Losses]) -> set[int]:
        """Add the candidates that arrived at a rung, and return those that go on; a loss that is infinite never does.

        Args:
            rung: Share of the training that they have had.
            arrived: Losses by number of the candidate, smaller is better.
        """
        seen = self._seen[rung]
        seen.update(arrived)
        numbers = [number for number, losses in seen.items() if all(map(math.isfinite, losses))]
        best = order(np.array([seen[number] for number in numbers]))[: math.ceil(self._keep * len(seen))]
        return {numbers[place] for place in best} & set(arrived)


def order(losses: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the places of points (n, m) from best to worst; equal ones keep their order."""
    if len(losses) == 0:
        return np.zeros(0, dtype=np.intp)
    ranks = np.asarray(moocore.pareto_rank(losses))
    crowding = np.empty(len(losses))
    for rank in np.unique(ranks):
        layer = np.flatnonzero(ranks == rank)
        crowding[layer] = crowding_distance(losses[layer])
    return np.lexsort((np.arange(len(losses)), -crowding, ranks))


def crowding_distance(losses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the crowding distance of each point (n, m): infinite at the ends of an objective."""
    total = np.zeros(len(losses))
    for values in losses.T:
        places = np.argsort(values, kind="stable")
        ordered = values[places]
        span = ordered[-1] - ordered[0] or 1.0
        gaps = np.full(len(losses), np.inf)
        gaps[1:-1] = (ordered[2:] - ordered[:-2]) / span
        total[places] += gaps
    return total
