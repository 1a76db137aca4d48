"""Operators on scores, seen through the mask that keeps the highest of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront.space import Tensor
from spikefront_plugins.operators.prune_regrow import PruneRegrowMutation
from spikefront_plugins.operators.union_intersection import UnionIntersectionCrossover


def kept(scores, number):
    return set(np.argsort(-scores, kind="stable")[:number].tolist())


def scores_of(seed, size=1000):
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


@pytest.mark.parametrize(("alpha", "density"), [(0.1, 0.1), (0.3, 0.5), (1.0, 0.2)])
def test_prune_and_regrow_replaces_its_share(alpha, density):
    """Of n kept entries alpha are shuffled, and each becomes one of the others with probability 1 - n / N."""
    scores, number = scores_of(0, 200_000), int(density * 200_000)
    child = PruneRegrowMutation(alpha=alpha).mutate(Tensor(scores.shape, 1.0), scores, np.random.default_rng(1))
    replaced = len(kept(scores, number) - kept(child, number)) / number
    assert replaced == pytest.approx(alpha * (1 - density), rel=0.1)
    assert sorted(child.tolist()) == sorted(scores.tolist())
    assert np.mean(child != scores) == pytest.approx(alpha, rel=0.01)


@given(size=st.integers(1, 5), seed=st.integers(0, 100))
@settings(deadline=None, max_examples=30)
def test_small_arrays_are_shuffled_too(size, seed):
    scores = scores_of(seed, size)
    child = PruneRegrowMutation(alpha=0.01).mutate(Tensor(scores.shape, 1.0), scores, np.random.default_rng(seed))
    assert sorted(child.tolist()) == sorted(scores.tolist())
    assert np.sum(child != scores) in {0, 2}


@pytest.mark.parametrize("number", [1, 100, 500, 999])
def test_one_child_has_the_union_and_one_the_intersection(number):
    """Parents with the same numbers in other orders have the same nth highest, whatever n."""
    first = scores_of(2)
    second = np.random.default_rng(3).permutation(first)
    union, intersection = UnionIntersectionCrossover().cross(
        Tensor(first.shape, 1.0), first, second, np.random.default_rng(0)
    )
    a, b = kept(first, number), kept(second, number)
    assert kept(union, number) <= a | b
    assert kept(intersection, number) >= a & b
    for child in (union, intersection):
        assert sorted(child.tolist()) == sorted(first.tolist())


def test_the_union_takes_the_best_of_both():
    a, b = np.float32([4, 1, 2, 3]), np.float32([1, 4, 3, 2])
    union, intersection = UnionIntersectionCrossover().cross(Tensor((4,), 1.0), a, b, np.random.default_rng(0))
    assert union.tolist() == [3, 4, 1, 2]  # in the order of 4, 4, 3, 3: of equal ones, the later is higher
    assert intersection.tolist() == [1, 2, 3, 4]


def test_equal_parents_have_their_own_children():
    scores = scores_of(4).reshape(20, 50)
    children = UnionIntersectionCrossover().cross(Tensor(scores.shape, 1.0), scores, scores, np.random.default_rng(0))
    assert all(np.array_equal(child, scores) for child in children)
