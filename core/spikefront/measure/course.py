"""How a front grew: the front at some steps of a search, and indicators of its quality there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import moocore
import numpy as np
import numpy.typing as npt

from spikefront.measure.hypervolume import Losses, hypervolume, nondominated

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Course:
    """The front of a growing set of points.

    Attributes:
        losses: (n, m) all points in their order, smaller is better; a row with a NaN is a point without a value.
        seen: (k,) number of points seen at each step, increasing; the last step has seen all.
        fronts: For each step, the rows of `losses` on the front by then; the same object as long as it is the same.
    """

    losses: Losses
    seen: Places
    fronts: tuple[Places, ...]

    def over(self, measure: Callable[[Losses], float]) -> npt.NDArray[np.float64]:
        """Return a measure of the front, (f, m) losses, at each step (k,); taken anew only where the front changed."""
        values = np.empty(len(self.seen))
        last: Places | None = None
        for step, front in enumerate(self.fronts):
            values[step] = values[step - 1] if front is last else measure(self.losses[front])
            last = front
        return values

    def sizes(self) -> npt.NDArray[np.float64]:
        """Return the number of points on the front at each step (k,)."""
        return self.over(lambda front: float(len(front)))

    def best(self, objective: int) -> npt.NDArray[np.float64]:
        """Return the smallest loss in one objective at each step (k,); NaN as long as there is none."""
        return self.over(lambda front: float(front[:, objective].min()) if len(front) else np.nan)

    def hypervolumes(self, ideal: npt.ArrayLike, reference: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the share of a box that the front dominates at each step (k,); see `hypervolume`."""
        return self.over(lambda front: hypervolume(front, ideal, reference))

    def epsilons(self, ideal: npt.ArrayLike, reference: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the additive epsilon against the last front at each step (k,), in lengths of the box.

        It is the least shift of the front, in all objectives at once, after which it is nowhere worse than the last
        one; NaN as long as there is no front. Zitzler et al., IEEE TEVC 7, 2003.
        """
        return self._distances(moocore.epsilon_additive, ideal, reference)

    def igd_plus(self, ideal: npt.ArrayLike, reference: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return IGD+ against the last front at each step (k,), in lengths of the box.

        It is the mean, over the points of the last front, of how far the nearest point falls short of it; NaN as long
        as there is no front. Ishibuchi et al., EMO 2015.
        """
        return self._distances(moocore.igd_plus, ideal, reference)

    def _distances(
        self, measure: Callable[..., float], ideal: npt.ArrayLike, reference: npt.ArrayLike
    ) -> npt.NDArray[np.float64]:
        best = np.asarray(ideal, dtype=np.float64)
        lengths = np.asarray(reference, dtype=np.float64) - best
        last = (self.losses[self.fronts[-1]] - best) / lengths if self.fronts else np.empty((0, len(best)))
        return self.over(lambda f: float(measure((f - best) / lengths, ref=last)) if len(f) else np.nan)


def front_course(losses: npt.ArrayLike, most: int = 200) -> Course:
    """Return how the front of points grew, in their order.

    Args:
        losses: (n, m), smaller is better; a row with a NaN counts as seen, and is never on a front.
        most: Largest number of steps; more points are taken in groups, small ones first.
    """
    points = np.asarray(losses, dtype=np.float64)
    known = np.asarray(~np.isnan(points).any(1), dtype=bool)
    seen = steps(len(points), most)
    front, fronts, start = np.empty(0, dtype=np.int64), [], 0
    for end in seen:
        new = start + np.flatnonzero(known[start:end])
        both = np.concatenate([front, new])
        chosen: Losses = points[both]
        kept = both[nondominated(chosen)]
        front = front if np.array_equal(kept, front) else kept
        fronts.append(front)
        start = end
    return Course(points, seen, tuple(fronts))


def steps(number: int, most: int) -> Places:
    """Return at most `most` numbers from 1 to `number`, dense at the beginning, the last one always."""
    if number <= most:
        return np.arange(1, number + 1)
    even = np.linspace(1, number, most // 2).round()
    dense = np.geomspace(1, number, most - most // 2).round()
    return np.unique(np.concatenate([even, dense])).astype(np.int64)
