"""Comparison of repeated searches: tests without assumptions on distributions, their correction, effect size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import moocore
import numpy as np
import numpy.typing as npt

from spikefront.measure.hypervolume import Losses, nondominated

FEWEST = 5
"""Fewest searches of a group that a test is made with."""

Values = Mapping[int, float]
"""One value of each search of a group, larger is better, by its seed."""


@dataclass(frozen=True)
class Comparison:
    """Two groups of searches side by side in one value.

    Attributes:
        first: Name of a group.
        second: Name of another.
        test: "signed rank" where the same seeds stand on both sides, otherwise "rank sum"; "none" with too few.
        numbers: Searches of the first and of the second group.
        p: Two-sided p-value; None without a test.
        effect: Vargha-Delaney A12, the chance that a search of the first group is better than one of the second.
    """

    first: str
    second: str
    test: str
    numbers: tuple[int, int]
    p: float | None
    effect: float


def compared(groups: Mapping[str, Values]) -> list[Comparison]:
    """Return each pair of groups that have values, side by side.

    Wilcoxon's signed rank test where both have the same seeds, his rank sum test (Mann and Whitney's) otherwise; none
    where a group has fewer than `FEWEST`.
    """
    filled = {name: values for name, values in groups.items() if values}
    return [_compared(first, second, filled[first], filled[second]) for first, second in combinations(filled, 2)]


def _compared(first: str, second: str, a: Values, b: Values) -> Comparison:
    from scipy.stats import mannwhitneyu, wilcoxon

    left, right = list(a.values()), list(b.values())
    test, p = "none", None
    if min(len(a), len(b)) >= FEWEST:
        if set(a) == set(b):
            differences = np.array([a[seed] - b[seed] for seed in a])
            test, p = "signed rank", float(wilcoxon(differences).pvalue) if differences.any() else 1.0
        else:
            test, p = "rank sum", float(mannwhitneyu(left, right).pvalue)
    return Comparison(first, second, test, (len(a), len(b)), p, a12(left, right))


def a12(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Vargha and Delaney's A12: the share of pairs in which the first is larger, ties counted half.

    Vargha and Delaney, Journal of Educational and Behavioral Statistics 25, 2000.
    """
    difference = np.subtract.outer(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


def size_of_effect(effect: float) -> str:
    """Return what Vargha and Delaney call an A12: negligible, small, medium or large, either way."""
    distance = abs(effect - 0.5)
    names = {0.06: "negligible", 0.14: "small", 0.21: "medium"}
    return next((name for bound, name in names.items() if distance < bound), "large")


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm, Scandinavian Journal of Statistics 6, 1979), in their order."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
    return [float(value) for value in corrected]


def attainment(fronts: Sequence[npt.ArrayLike], percentile: float = 50.0) -> Losses:
    """Return the corners (n, 2) of the surface that a share of some fronts attains, along the first loss.

    A point is attained by a front that has a point at least as good in both losses. Grunert da Fonseca, Fonseca and
    Hall, EMO 2001.

    Args:
        fronts: (n, 2) losses each, smaller is better; one without points attains nothing, and counts.
        percentile: The share, in percent.
    """
    filled = [np.asarray(front, dtype=np.float64).reshape(-1, 2) for front in fronts if np.size(front)]
    needed = max(1, int(np.ceil(len(fronts) * percentile / 100)))
    if len(filled) < needed:
        return np.empty((0, 2))
    thin = [front[nondominated(front)] for front in filled]
    sets = np.repeat(np.arange(len(thin)), [len(front) for front in thin])
    level = 100.0 * (needed - 0.5) / len(thin)  # between two counts, so that no rounding decides
    corners = moocore.eaf(np.vstack(thin), sets, percentiles=[level])[:, :2]
    return np.asarray(corners[np.lexsort((-corners[:, 1], corners[:, 0]))], dtype=np.float64)
