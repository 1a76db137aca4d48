"""Domains and spaces: what is allowed, what is drawn, what is active."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront.genome import Genome
from spikefront.space import Choice, Gene, Integer, ListOf, Real, Space, Tensor

DOMAINS = [
    Real(-2.0, 3.0),
    Real(1e-5, 1e-1, log=True),
    Integer(8, 96, 8),
    Integer(3, 10, 4),
    Integer(1, 4096, log=True),
    Choice(("a", 1, 1.5, (1, 2), None)),
    Tensor((2, 3), 0.5),
    Tensor((4,), 2.0, low=-1.0, high=0.1),
    ListOf({"op": Choice(("a", "b")), "to": Integer(0, 3), "rate": Real(0.5, 2.0)}, 0, 4),
]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_samples_lie_in_the_domain_even_after_storage(domain, seed):
    value = domain.sample(np.random.default_rng(seed))
    assert domain.contains(value)
    assert domain.contains(Genome({"x": value})["x"])


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_same_generator_same_sample(domain):
    first, second, other = (domain.sample(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert Genome({"x": first}) == Genome({"x": second})
    if isinstance(domain, Real | Tensor):
        assert Genome({"x": first}) != Genome({"x": other})


@pytest.mark.parametrize(
    ("domain", "value"),
    [
        (Real(0, 1), 1.5),
        (Real(0, 1), -1e-9),
        (Real(0, 1), 1),
        (Real(0, 1), "0.5"),
        (Real(0, 1), float("nan")),
        (Integer(0, 10, 2), 3),
        (Integer(0, 10, 2), 12),
        (Integer(3, 10, 4), 10),
        (Integer(0, 10), 2.0),
        (Integer(0, 10), True),
        (Choice((1, 2)), 1.0),
        (Choice((1, 2)), True),
        (Choice(("a",)), "b"),
        (Tensor((2,), 1.0), np.zeros(3)),
        (Tensor((2,), 1.0), [0.0, 0.0]),
        (Tensor((2,), 1.0, low=0.0), np.array([0.0, -0.1])),
        (Tensor((2,), 1.0), np.array([0.0, np.nan])),
        (ListOf({"k": Integer(0, 3)}, 1, 2), []),
        (ListOf({"k": Integer(0, 3)}, 1, 2), [{"k": 0}] * 3),
        (ListOf({"k": Integer(0, 3)}, 1, 2), [{"k": 4}]),
        (ListOf({"k": Integer(0, 3)}, 1, 2), [{"k": 0, "l": 0}]),
        (ListOf({"k": Integer(0, 3)}, 1, 2), [{}]),
        (ListOf({"k": Integer(0, 3)}, 1, 2), [0]),
        (ListOf({"k": Integer(0, 3)}, 1, 2), {"k": 0}),
    ],
)
def test_what_is_outside_is_not_contained(domain, value):
    assert not domain.contains(value)


def test_choices_know_lists_as_tuples():
    assert Choice(((16, 32), (32, 64))).contains([16, 32])


@given(st.integers(-50, 50), st.integers(0, 40), st.integers(1, 9), st.floats(-200, 200))
@settings(deadline=None, max_examples=50)
def test_integer_projects_to_the_nearest_value(low, width, step, value):
    domain = Integer(low, low + width, step)
    allowed = range(low, low + width + 1, step)
    nearest = domain.project(value)
    assert nearest in allowed
    assert abs(nearest - value) == min(abs(other - value) for other in allowed)


def test_projection_clips():
    assert Real(0.0, 1.0).project(7) == 1.0
    projected = Tensor((3,), 1.0, low=-1.0, high=1.0).project(np.array([-5.0, 0.25, 5.0]))
    assert projected.dtype == np.float32
    assert projected.tolist() == [-1.0, 0.25, 1.0]


def test_integers_are_drawn_uniformly():
    rng = np.random.default_rng(0)
    drawn = [Integer(3, 10, 4).sample(rng) for _ in range(2000)]
    counts = [drawn.count(value) for value in (3, 7)]
    assert sum(counts) == 2000
    assert abs(counts[0] - 1000) < 5 * np.sqrt(500)


def test_logarithmic_draws_are_uniform_in_the_exponent():
    rng = np.random.default_rng(0)
    drawn = np.array([Real(1e-4, 1.0, log=True).sample(rng) for _ in range(2000)])
    assert abs(np.mean(drawn < 1e-2) - 0.5) < 5 * np.sqrt(0.25 / 2000)


def test_arrays_are_drawn_with_their_scale():
    drawn = Tensor((100, 100), 0.3).sample(np.random.default_rng(0))
    assert abs(drawn.std() - 0.3) < 0.01
    assert abs(drawn.mean()) < 0.02


@pytest.fixture
def space():
    return Space(
        {
            "encoding.use": Gene(Choice(("genetic", "direct"))),
            "encoding.genes": Gene(Integer(8, 96, 8), "encoding.use", frozenset({"genetic"})),
            "tau": Gene(Integer(1, 3)),
        }
    )


@pytest.mark.parametrize(
    ("use", "active"),
    [("genetic", ["encoding.use", "encoding.genes", "tau"]), ("direct", ["encoding.use", "tau"])],
)
def test_genes_of_an_unchosen_component_sleep(space, use, active):
    point = {"encoding.use": use, "encoding.genes": 16, "tau": 2}
    assert space.active(point) == active
    assert space.genome(point) == Genome({path: point[path] for path in active})


def test_sleeping_genes_do_not_count_as_a_difference(space):
    points = [{"encoding.use": "direct", "encoding.genes": genes, "tau": 2} for genes in (8, 96)]
    assert space.genome(points[0]) == space.genome(points[1])


def test_size_counts_combinations(space):
    assert space.size() == 2 * 12 * 3
    assert Space({"x": Gene(Real(0, 1))}).size() == float("inf")
    assert Space({"x": Gene(Tensor((1,), 1.0))}).size() == float("inf")
    assert Space({}).size() == 1


def test_space_keeps_the_order_of_the_study_file(space):
    assert list(space) == ["encoding.use", "encoding.genes", "tau"]
    assert len(space) == 3
    assert space["tau"].domain == Integer(1, 3)
