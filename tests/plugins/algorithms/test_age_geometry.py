"""The geometry of AGE-MOEA-II: curvature, intercepts, distances and who survives."""

import numpy as np
import pytest
from pymoo.core.population import Population
from pymoo.core.problem import Problem as PymooProblem

from spikefront_plugins.algorithms._geometry import (
    GeometrySurvival,
    extremes,
    geodesics,
    intercepts,
    power,
    spread_scores,
)


def front(p, n=21):
    """Return n points with f1^p + f2^p = 1."""
    first = np.linspace(0, 1, n)
    return np.stack([first, (1 - first**p) ** (1 / p)], axis=1)


@pytest.mark.parametrize("p", [0.4, 0.5, 1.0, 2.0, 5.0])
def test_curvature_is_found(p):
    assert power(front(p)) == pytest.approx(p, rel=1e-6)


def test_curvature_of_a_front_without_a_middle():
    assert power(np.eye(3)) == 1.0
    assert power(np.zeros((4, 2))) == 1.0


def test_extremes_are_the_points_at_the_axes():
    points = np.array([[0.5, 0.5, 0.5], [0.9, 0.1, 0.0], [0.0, 1.0, 0.1], [0.1, 0.0, 3.0]])
    assert extremes(points) == [1, 2, 3]
    assert extremes(np.ones((2, 3))) == [0, 1]


def test_intercepts_of_a_plane():
    corners = np.diag([2.0, 30.0, 1e6])
    assert intercepts(np.vstack([corners, corners.mean(axis=0)])) == pytest.approx([2, 30, 1e6])
    tilted = np.array([[2.0, 1.0], [1.0, 2.0]])  # on the line f1 + f2 = 3
    assert intercepts(tilted) == pytest.approx([3, 3])


def test_intercepts_fall_back_to_the_largest_values():
    assert intercepts(np.array([[1.0, 1.0], [2.0, 2.0]])) == pytest.approx([2, 2])
    assert intercepts(np.zeros((3, 2))).tolist() == [1, 1]
    assert intercepts(np.array([[0.0, 5.0]])).tolist() == [1, 5]


def test_distances_follow_a_circle_closely():
    angles = np.linspace(0, np.pi / 2, 10)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    arcs = np.abs(angles[:, None] - angles)
    found = geodesics(3 * circle, 2.0)  # whatever the radius
    chords = 2 * 2 * np.sin(arcs / 4)  # two chords, each over half of the arc
    assert found == pytest.approx(chords, abs=1e-12)
    assert found == pytest.approx(arcs, rel=0.03)


def test_scores_prefer_the_gap():
    points = np.array([[0.0, 1.0], [0.02, 0.98], [0.04, 0.96], [0.5, 0.5], [1.0, 0.0]])
    scores = spread_scores(points, 1.0)
    assert np.isinf(scores[[0, 4]]).all()
    assert np.argmin(scores) in {1, 2}
    assert np.min(scores) < 0.2 * scores[3]


@pytest.mark.parametrize("near", [0.3, 0.5, 0.8])
def test_score_is_distance_over_proximity(near):
    points = np.array([[0.0, 1.0], [near, near], [1.0, 0.0]])
    assert spread_scores(points, 1.0)[1] == pytest.approx(2 * np.sqrt(0.5) / (2 * near))


@pytest.mark.parametrize(
    ("wanted", "survivors"), [(2, {0, 4}), (3, {0, 4, 2}), (6, {0, 1, 2, 3, 4, 6}), (7, set(range(7)))]
)
def test_survivors_are_the_best_fronts_and_then_the_best_scores(wanted, survivors):
    losses = np.array(
        [[0.0, 1.0], [0.02, 0.99], [0.4, 0.4], [0.99, 0.02], [1.0, 0.0], [0.9, 0.9], [0.5, 0.5]]
    )  # five on the first front, and one each on two fronts behind
    population = Population.new("X", np.arange(7)[:, None])
    population.set("F", losses * [1, 1e6])
    problem = PymooProblem(n_var=1, n_obj=2)
    rng = np.random.default_rng(0)
    kept = GeometrySurvival().do(problem, population, n_survive=wanted, random_state=rng, algorithm=None)
    assert set(kept.get("X").ravel().tolist()) == survivors
    assert kept.get("rank").tolist() == sorted(kept.get("rank"))


def test_scores_of_equal_points_are_finite_or_extreme():
    scores = spread_scores(np.zeros((5, 2)), 1.0)
    assert np.isinf(scores).sum() == 2
    assert not np.isnan(scores).any()


def test_a_front_behind_is_cut_by_proximity():
    losses = np.array([[0.0, 1.0], [0.4, 0.4], [1.0, 0.0], [0.45, 1.1], [0.5, 0.5], [1.1, 0.45]])
    population = Population.new("X", np.arange(6)[:, None])
    population.set("F", losses)
    rng = np.random.default_rng(0)
    kept = GeometrySurvival().do(
        PymooProblem(n_var=1, n_obj=2), population, n_survive=4, random_state=rng, algorithm=None
    )
    assert sorted(kept.get("X").ravel().tolist()) == [0, 1, 2, 4]
