"""Comparison of groups of searches, against hand-computed and published numbers."""

import numpy as np
import pytest

from spikefront.measure.comparison import a12, attainment, compared, holm, size_of_effect


def test_a12_counts_pairs_ties_half():
    assert a12([3, 4], [1, 2]) == 1.0
    assert a12([1, 2], [3, 4]) == 0.0
    assert a12([1, 2, 3], [2]) == 0.5
    assert a12([1.0, 3.0], [1.0, 2.0]) == pytest.approx((0.5 + 0 + 1 + 1) / 4)


@pytest.mark.parametrize(("effect", "name"), [
    (0.5, "negligible"), (0.55, "negligible"), (0.57, "small"), (0.43, "small"), (0.65, "medium"), (0.72, "large"),
    (0.0, "large"),
])  # fmt: skip
def test_sizes_of_effects_are_those_of_vargha_and_delaney(effect, name):
    assert size_of_effect(effect) == name


def test_holm_steps_down_and_never_decreases():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_same_seeds_are_paired():
    a = {seed: 10.0 + seed for seed in range(6)}
    b = {seed: 9.0 + seed * 0.9 for seed in reversed(range(6))}
    (found,) = compared({"a": a, "b": b})
    assert (found.test, found.numbers) == ("signed rank", (6, 6))
    assert found.p == pytest.approx(2 / 2**6)  # all six differences have one sign
    assert found.effect == a12(list(a.values()), list(b.values()))


def test_other_seeds_are_not_paired():
    a, b = {seed: 10.0 + seed for seed in range(5)}, {seed + 5: float(seed) for seed in range(5)}
    (found,) = compared({"a": a, "b": b})
    assert (found.test, found.effect) == ("rank sum", 1.0)
    assert found.p == pytest.approx(2 / 252)  # one of the 5-subsets of 10, two-sided


def test_fewer_than_five_are_not_tested():
    few, many = {seed: 1.0 * seed for seed in range(4)}, {seed: 2.0 * seed for seed in range(9)}
    (found,) = compared({"few": few, "many": many})
    assert (found.test, found.p, found.numbers) == ("none", None, (4, 9))


def test_groups_that_are_equal_are_no_evidence():
    same = dict.fromkeys(range(6), 0.5)
    (found,) = compared({"a": same, "b": dict(same)})
    assert (found.p, found.effect) == (1.0, 0.5)


def test_all_pairs_are_compared_and_empty_groups_left_out():
    values = {seed: float(seed) for seed in range(5)}
    found = compared({"a": values, "b": values, "empty": {}, "c": values})
    assert [(one.first, one.second) for one in found] == [("a", "b"), ("a", "c"), ("b", "c")]


def attained_by(fronts, point):
    return sum(bool((np.asarray(front) <= point).all(1).any()) for front in fronts)


@pytest.mark.parametrize("number", [1, 2, 3, 5, 6, 7])
def test_the_median_surface_bounds_what_half_of_the_fronts_attain(number):
    random = np.random.default_rng(number)
    fronts = [random.random((12, 2)) for _ in range(number)]
    corners, needed = attainment(fronts), -(-number // 2)
    assert (np.diff(corners[:, 0]) >= 0).all()
    for point in random.random((200, 2)):
        behind = bool((corners <= point).all(1).any())
        assert behind == (attained_by(fronts, point) >= needed)


def test_fronts_without_points_attain_nothing_and_count():
    front, empty = [[0.1, 0.2]], np.empty((0, 2))
    assert attainment([front, empty]).tolist() == [[0.1, 0.2]]
    assert attainment([front, empty, empty]).tolist() == []
    assert attainment([]).tolist() == []
