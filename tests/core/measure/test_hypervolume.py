"""Hypervolume and non-domination, against hand-computed values and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront.errors import InputError
from spikefront.measure.hypervolume import hypervolume, nondominated

UNIT = ([0.0, 0.0], [1.0, 1.0])


@pytest.mark.parametrize(("losses", "expected"), [
    ([[0.0, 0.0]], 1.0),
    ([[1.0, 1.0]], 0.0),
    ([[0.5, 0.5]], 0.25),
    ([[0.2, 0.6], [0.6, 0.2]], 0.8 * 0.4 + 0.4 * 0.4),
    ([[0.2, 0.6], [0.6, 0.2], [0.7, 0.7]], 0.8 * 0.4 + 0.4 * 0.4),
    ([[0.2, 0.6], [0.2, 0.6]], 0.8 * 0.4),
    ([[-3.0, 0.5]], 0.5),
    ([[0.5, 2.0]], 0.0),
    ([], 0.0),
])  # fmt: skip
def test_hypervolume_of_two_objectives(losses, expected):
    assert hypervolume(losses, *UNIT) == pytest.approx(expected)


def test_hypervolume_of_three_objectives_in_their_own_units():
    losses = [[-0.9, 2e4, 150.0], [-0.8, 1e4, 100.0]]
    a, b = np.array([0.9, 0.8, 0.5]), np.array([0.8, 0.9, 1.0])
    expected = a.prod() + b.prod() - np.minimum(a, b).prod()
    assert hypervolume(losses, [-1.0, 0.0, 100.0], [0.0, 1e5, 200.0]) == pytest.approx(expected)


@pytest.mark.parametrize(("losses", "ideal", "reference"), [
    ([[0.5, 0.5]], [0, 0], [1, 0]), ([[0.5, 0.5]], [0, 0, 0], [1, 1, 1]), ([[0.5, 0.5]], [0, 0], [1]),
    ([[np.nan, 0.5]], [0, 0], [1, 1]), ([[0.5, 0.5]], [0, 0], [1, np.inf]), ([0.5, 0.5], [0, 0], [1, 1]),
])  # fmt: skip
def test_what_has_no_volume_is_refused(losses, ideal, reference):
    with pytest.raises(InputError):
        hypervolume(losses, ideal, reference)


fronts = st.integers(1, 4).flatmap(
    lambda m: st.lists(st.lists(st.integers(0, 4), min_size=m, max_size=m), min_size=1, max_size=12)
)


@settings(deadline=None, max_examples=50)
@given(fronts)
def test_nondominated_is_what_brute_force_says(losses):
    points = np.array(losses)
    expected = [not any((q <= p).all() and (q < p).any() for q in points) for p in points]
    assert nondominated(losses).tolist() == expected


@settings(deadline=None, max_examples=30)
@given(fronts)
def test_hypervolume_is_the_share_of_dominated_cells(losses):
    points = np.array(losses)
    m = points.shape[1]
    cells = np.stack(np.meshgrid(*[np.arange(4)] * m, indexing="ij"), -1).reshape(-1, m)
    dominated = (points[None] <= cells[:, None]).all(-1).any(-1)
    assert hypervolume(losses, [0] * m, [4] * m) == pytest.approx(dominated.mean())


def test_equal_points_are_all_nondominated_and_no_points_are_no_front():
    assert nondominated([[1.0, 2.0], [1.0, 2.0], [2.0, 2.0]]).tolist() == [True, True, False]
    assert nondominated(np.zeros((0, 2))).shape == (0,)


def test_losses_that_are_not_finite_never_rank():
    with pytest.raises(InputError, match="finite"):
        nondominated([[1.0, np.inf]])
