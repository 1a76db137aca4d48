"""Survival of AGE-MOEA-II: proximity and spread, both measured along the front's own geometry."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pymoo.core.survival import Survival
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

Floats = npt.NDArray[np.float64]
POWERS = (0.1, 20.0)
"""Between a front of almost only corners and a box; beyond these the norms lose their digits."""


class GeometrySurvival(Survival):  # type: ignore[misc]
    """Fronts are taken in order; within the last one, the individuals with the highest score survive.

    With losses shifted to the ideal point and scaled by the intercepts of the first front, p is the power for
    which the front's middle lies on the unit sphere of its norm: sum_i f_i^p = 1. On the first front the score
    is inf for extreme points and, chosen one after the other,

        (d_1 + d_2) / |f|_p      with d_1, d_2 the distances to the two nearest chosen ones,

    measured along the manifold |f|_p = 1 through the middle of the pair. On other fronts it is 1 / |f|_p.

    Source: Panichella, An improved Pareto front modeling algorithm for large-scale many-objective
    optimization, GECCO (2022), doi 10.1145/3512290.3528732.
    """

    def __init__(self) -> None:
        super().__init__(filter_infeasible=True)

    def _do(self, problem: Any, pop: Any, *, n_survive: int, random_state: np.random.Generator, algorithm: Any) -> Any:
        losses = pop.get("F").astype(np.float64)
        fronts = NonDominatedSorting().do(losses, n_stop_if_ranked=n_survive)
        first = losses[fronts[0]]
        ideal = first.min(axis=0)
        scale = intercepts(first - ideal)
        chosen: list[int] = []
        p = 1.0
        for rank, front in enumerate(fronts):
            points = (losses[front] - ideal) / scale
            if rank == 0:
                p = power(points)
                scores = spread_scores(points, p)
            else:
                scores = 1 / _norm(points, p)
            pop[front].set("rank", rank)
            pop[front].set("crowding", scores)
            best = np.argsort(-scores, kind="stable")[: n_survive - len(chosen)]
            chosen.extend(front[best])
        return pop[chosen]


def extremes(points: Floats) -> list[int]:
    """Return, for each axis, the point nearest to it; a point serves one axis only, the ideal point none."""
    found: list[int] = []
    for axis in range(points.shape[1]):
        away = np.linalg.norm(np.delete(points, axis, axis=1), axis=1)
        away[found] = np.inf
        if np.isfinite(away).any():
            found.append(int(np.argmin(away)))
    return found


def intercepts(points: Floats) -> Floats:
    """Return where the hyperplane through the extreme points meets the axes, or else the largest values.

    Args:
        points: A front, shifted to its ideal point, (n, m).
    """
    largest = points.max(axis=0)
    unit = np.where(largest > 0, largest, 1.0)
    corners = points[extremes(points)] / unit
    if len(corners) == len(unit) and abs(np.linalg.det(corners)) > 1e-9:
        plane = np.linalg.solve(corners, np.ones(len(unit)))
        if (plane > 1e-6).all():
            return np.asarray(unit / plane)
    return unit


def power(points: Floats) -> float:
    """Return p with sum_i f_i^p = 1 for the middle of a normalised front (n, m), by bisection."""
    inner = np.delete(points, extremes(points), axis=0)
    if not len(inner):
        return 1.0
    middle = inner[np.argmin(np.linalg.norm(inner, axis=1))]
    low, high = POWERS
    if not ((middle > 0) & (middle < 1)).all():
        return 1.0
    for _ in range(50):
        p = (low + high) / 2
        low, high = (p, high) if np.sum(middle**p) > 1 else (low, p)
    return low


def spread_scores(points: Floats, p: float) -> Floats:
    """Return the scores of the first front, normalised, (n, m) -> (n)."""
    scores = np.full(len(points), np.inf)
    chosen = extremes(points)
    proximity, distances = _norm(points, p), geodesics(points, p)
    rest = [index for index in range(len(points)) if index not in chosen]
    while rest:
        nearest = np.sort(distances[np.ix_(rest, chosen)], axis=1)[:, :2].sum(axis=1) / proximity[rest]
        best = int(np.argmax(nearest))
        scores[rest[best]] = nearest[best]
        chosen.append(rest.pop(best))
    return scores


def geodesics(points: Floats, p: float) -> Floats:
    """Return distances along the unit sphere of the p-norm, by way of the pair's middle, (n, m) -> (n, n)."""
    sphere = points / _norm(points, p)[:, None]
    middle = (sphere[:, None] + sphere[None]) / 2
    middle = middle / _norm(middle, p)[..., None]
    half = np.linalg.norm(sphere[:, None] - middle, axis=-1)
    return np.asarray(half + half.T)


def _norm(points: Floats, p: float) -> Floats:
    """Return the p-norms along the last axis; that of the ideal point itself as a small number."""
    return np.asarray(np.maximum(np.sum(np.abs(points) ** p, axis=-1) ** (1 / p), 1e-9))
