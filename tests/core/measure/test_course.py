"""How a front grew, against the same taken from scratch at every step."""

import time

import numpy as np
import pytest

from spikefront.measure.course import front_course, steps
from spikefront.measure.hypervolume import hypervolume, nondominated

BOX = ([0.0, 0.0], [1.0, 1.0])


def test_each_step_has_the_front_of_what_was_seen():
    losses = np.random.default_rng(1).random((60, 3))
    losses[[3, 20]] = np.nan
    course = front_course(losses)
    assert course.seen.tolist() == list(range(1, 61))
    for seen, front in zip(course.seen, course.fronts, strict=True):
        known = np.flatnonzero(~np.isnan(losses[:seen]).any(1))
        assert sorted(front) == known[nondominated(losses[known])].tolist()


def test_indicators_of_two_objectives_by_hand():
    course = front_course([[0.5, 0.5], [np.nan, np.nan], [0.6, 0.6], [0.2, 0.6], [0.2, 0.2]])
    assert course.hypervolumes(*BOX) == pytest.approx([0.25, 0.25, 0.25, 0.25 + 0.3 * 0.4, 0.64])
    assert course.sizes().tolist() == [1, 1, 1, 2, 1]
    assert course.best(0).tolist() == [0.5, 0.5, 0.5, 0.2, 0.2]
    assert course.epsilons(*BOX) == pytest.approx([0.3, 0.3, 0.3, 0.3, 0.0])
    shortfall = 0.3 * np.sqrt(2)
    assert course.igd_plus(*BOX) == pytest.approx([shortfall] * 3 + [0.4, 0.0])


def test_distances_are_in_lengths_of_the_box():
    course = front_course([[50.0, 1.0], [10.0, 1.0]])
    assert course.epsilons([0.0, 0.0], [100.0, 1.0]) == pytest.approx([0.4, 0.0])
    assert course.igd_plus([0.0, 0.0], [100.0, 1.0]) == pytest.approx([0.4, 0.0])


def test_nothing_usable_has_no_front_and_no_volume():
    course = front_course(np.full((3, 2), np.nan))
    assert course.hypervolumes(*BOX).tolist() == [0, 0, 0]
    assert np.isnan(course.best(1)).all()
    assert np.isnan(course.epsilons(*BOX)).all()
    assert course.sizes().tolist() == [0, 0, 0]


def test_nothing_at_all_has_no_steps():
    course = front_course(np.empty((0, 2)))
    assert len(course.seen) == len(course.hypervolumes(*BOX)) == len(course.igd_plus(*BOX)) == 0


def test_one_objective_counts_with_its_best_value():
    course = front_course([[0.7], [0.4], [0.5]])
    assert course.hypervolumes([0.0], [1.0]) == pytest.approx([0.3, 0.6, 0.6])


def test_many_points_are_taken_in_few_steps_and_little_time():
    losses = np.random.default_rng(2).random((50_000, 3))
    begun = time.perf_counter()
    course = front_course(losses)
    values = course.hypervolumes([0] * 3, [1] * 3)
    assert time.perf_counter() - begun < 2.0
    assert len(values) <= 200
    assert (np.diff(values) >= 0).all()
    assert values[-1] == pytest.approx(hypervolume(losses, [0] * 3, [1] * 3))


@pytest.mark.parametrize(("number", "most"), [(0, 200), (1, 200), (200, 200), (201, 200), (50_000, 200)])
def test_steps_begin_with_the_first_and_end_with_all(number, most):
    seen = steps(number, most)
    assert len(seen) <= most
    assert (np.diff(seen) > 0).all()
    assert number == 0 or (seen[0], seen[-1]) == (1, number)
