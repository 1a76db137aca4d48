"""Quality of a front: which points are not dominated, and the share of a box that they dominate."""

from __future__ import annotations

import moocore
import numpy as np
import numpy.typing as npt

from spikefront.errors import InputError

Losses = npt.NDArray[np.float64]


def nondominated(losses: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Tell which points no other point dominates; points that are equal do not dominate each other.

    Args:
        losses: (n, m), smaller is better.

    Raises:
        InputError: A loss is not finite, or the array is not two-dimensional.
    """
    points = _points(losses)
    if len(points) == 0:
        return np.zeros(0, dtype=bool)
    return np.asarray(moocore.is_nondominated(points, keep_weakly=True), dtype=bool)


def hypervolume(losses: npt.ArrayLike, ideal: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Return the share of the box between `ideal` and `reference` that the points dominate, in [0, 1].

    Points outside of the box count with the part that they dominate inside.

    Args:
        losses: (n, m), smaller is better.
        ideal: (m,) best corner of the box.
        reference: (m,) worst corner.

    Raises:
        InputError: A number is not finite, shapes differ, or the box has no volume.
    """
    points = _points(losses)
    best, worst = np.asarray(ideal, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if best.shape != worst.shape or best.ndim != 1 or (len(points) and points.shape[1] != len(best)):
        raise InputError(f"hypervolume: losses {points.shape}, ideal {best.shape} and reference {worst.shape} differ")
    if not (np.isfinite(best).all() and np.isfinite(worst).all() and (best < worst).all()):
        raise InputError(f"hypervolume: ideal {best.tolist()} has to be below reference {worst.tolist()} everywhere")
    if len(points) == 0:
        return 0.0
    scaled = np.clip((points - best) / (worst - best), 0.0, 1.0)
    return float(moocore.hypervolume(scaled, ref=np.ones(len(best))))


def _points(losses: npt.ArrayLike) -> Losses:
    points = np.asarray(losses, dtype=np.float64)
    if points.size == 0:
        return points.reshape(0, points.shape[-1] if points.ndim == 2 else 0)
    if points.ndim != 2 or not np.isfinite(points).all():
        raise InputError(f"losses of shape {points.shape} have to be a finite (points, objectives) array")
    return points
