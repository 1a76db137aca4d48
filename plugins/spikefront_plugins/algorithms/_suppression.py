"""Clusters of weight updates, who of a cluster is suppressed, and what takes its place. All of it is our reading."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from spikefront.components.algorithm import Weights

Floats = npt.NDArray[np.float64]

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""Buffers of batch normalisation: they follow the data, and are no part of an update."""

PROJECTED = 256
"""Numbers that longer updates are projected to; cosine distances keep to about 1 / sqrt of it."""


def learnt_names(weights: Weights) -> list[str]:
    """Return the names of the tensors that updates are made of, sorted."""
    names = (name for name, tensor in weights.items() if tensor.is_floating_point())
    return sorted(name for name in names if name.rpartition(".")[2] not in STATISTICS)


def update(start: Weights, learnt: Weights) -> Floats:
    """Return what training changed, as one vector (D,)."""
    changes = [(learnt[name] - start[name]).double().flatten() for name in learnt_names(learnt)]
    vector: Floats = torch.cat(changes).numpy()
    return vector


def projected(updates: Floats, seed: int) -> Floats:
    """Return updates (n, D) as (n, at most PROJECTED): products with one random sparse matrix of signs.

    Source: Li, Hastie and Church, Very sparse random projections, KDD 2006.
    """
    if updates.shape[1] <= PROJECTED:
        return updates
    from sklearn.random_projection import SparseRandomProjection

    found: Floats = SparseRandomProjection(PROJECTED, random_state=seed).fit_transform(updates)
    return found


def distances(updates: Floats) -> Floats:
    """Return 1 - cosine of each pair of updates (n, D): (n, n) in [0, 2].

    An update of zeros has no direction: it is as far from all others as can be.
    """
    lengths = np.linalg.norm(updates, axis=1)
    moved = lengths > 0
    directions = updates / np.where(moved, lengths, 1.0)[:, None]
    found = np.clip(1 - directions @ directions.T, 0.0, 2.0)
    found[~moved, :] = found[:, ~moved] = 2.0
    np.fill_diagonal(found, 0.0)
    return found


def diversity(distance: Floats) -> float:
    """Return the mean distance of two different members; 0 for fewer than two."""
    members = len(distance)
    return float(distance.sum() / (members * (members - 1))) if members > 1 else 0.0


def clusters(distance: Floats, delta: float) -> npt.NDArray[np.int_]:
    """Return the number of each member's cluster: average linkage, cut where two clusters are `delta` apart."""
    if len(distance) < 2 or delta <= 0:
        return np.arange(len(distance))
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    found: npt.NDArray[np.int_] = fcluster(linkage(squareform(distance, checks=False), "average"), delta, "distance")
    return found


def suppressed(distance: Floats, losses: Floats, deltas: Sequence[float], least: int) -> list[int]:
    """Return who is suppressed: level after level, in each cluster of the survivors all but the one of least loss.

    Args:
        distance: Between the updates (n, n).
        losses: Of each member (n,).
        deltas: Where the clusters of each level are cut.
        least: How many survive at least; those of largest loss go first.
    """
    alive = np.arange(len(losses))
    for delta in deltas:
        labels = clusters(distance[np.ix_(alive, alive)], delta)
        order = np.argsort(losses[alive], kind="stable")
        heads = {label: place for place, label in reversed([(place, labels[place]) for place in order])}
        rest = [place for place in reversed(order) if heads[labels[place]] != place]
        gone = rest[: max(0, len(alive) - least)]
        alive = np.delete(alive, gone)
    return sorted(set(range(len(losses))) - set(alive.tolist()))


def crossed(a: Weights, b: Weights, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Return a network with whole layers of two: tensors of one module stay together."""
    layers = {layer: (a, b)[int(rng.integers(2))] for layer in sorted({name.rpartition(".")[0] for name in a})}
    return {name: layers[name.rpartition(".")[0]][name].clone() for name in a}


def disturbed(weights: Weights, size: float, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Return weights with N(0, size^2) added to all that is learnt."""
    found = {name: tensor.clone() for name, tensor in weights.items()}
    for name in learnt_names(weights):
        found[name] += torch.from_numpy(size * rng.standard_normal(found[name].shape)).to(found[name].dtype)
    return found
