"""What every registered operator keeps to: its domain, its inputs, its generator."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront import Crossover, Mutation, Sampling
from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.space import Choice, Integer, ListOf, Real, Tensor

OPERATORS = load().components("operator")
LIST = ListOf({"op": Choice(("a", "b", "c")), "to": Integer(0, 9)}, 2, 8)


def ranges(low, high):
    return st.tuples(st.floats(low, high), st.floats(low, high)).map(sorted)


@st.composite
def integers(draw):
    low, width = draw(st.integers(1, 50)), draw(st.integers(0, 60))
    return Integer(low, low + width, draw(st.integers(1, 7)), log=draw(st.booleans()))


@st.composite
def tensors(draw):
    low, high = draw(st.sampled_from([(-np.inf, np.inf), (-1.0, 0.3), (0.1, np.inf)]))
    shape = draw(st.sampled_from([(1, 1), (3, 3), (2, 5), (2, 3, 4)]))
    return Tensor(shape, draw(st.floats(0.01, 3)), low, high)


@st.composite
def lists(draw):
    low, more = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    each = {"op": Choice(("a", "b", "c")), "to": draw(integers()), "rate": Real(0.1, 2.0), "fixed": Choice((7,))}
    return ListOf(each, low, max(low + more, 1))


DOMAINS = {
    Real: ranges(-100, 100).map(lambda ends: Real(*ends)) | ranges(1e-6, 1e3).map(lambda ends: Real(*ends, log=True)),
    Integer: integers(),
    Choice: st.lists(st.sampled_from(["a", "b", 1, 2.5, (1, 2), (3,)]), min_size=1, unique=True).map(
        lambda values: Choice(tuple(values))
    ),
    Tensor: tensors(),
    ListOf: lists(),
}


def apply(operator, domain, inputs, seed):
    """Return all values that an operator makes of its inputs."""
    rng = np.random.default_rng(seed)
    match operator:
        case Sampling():
            return [operator.sample(domain, rng)]
        case Crossover():
            return list(operator.cross(domain, inputs[0], inputs[1], rng))
        case Mutation():
            return [operator.mutate(domain, inputs[0], rng)]
    raise AssertionError(operator)


@pytest.mark.parametrize("name", OPERATORS)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=50)
def test_results_lie_in_the_domain_and_inputs_stay(name, data, seed):
    operator = OPERATORS[name]()
    domain = data.draw(st.one_of([DOMAINS[kind] for kind in operator.domains]))
    assert operator.fits("any.path", domain)
    rng = np.random.default_rng(seed + 1)
    inputs = [Genome({"x": domain.sample(rng)})["x"] for _ in range(2)]  # read-only, as genomes hold them
    before = copy.deepcopy(inputs)
    results = apply(operator, domain, inputs, seed)
    again = apply(operator, domain, inputs, seed)
    for result, repeated in zip(results, again, strict=True):
        assert domain.contains(result)
        genome = Genome({"x": result})
        assert Genome.from_json(genome.to_json(), genome.arrays) == genome == Genome({"x": repeated})
        assert domain.contains(genome["x"])
    assert Genome(dict(enumerate_as_text(inputs))) == Genome(dict(enumerate_as_text(before)))


def enumerate_as_text(values):
    return ((str(n), value) for n, value in enumerate(values))


SWAPS = {"uniform", "one-point", "union-intersection"}
"""Operators that draw nothing when they cross."""


@pytest.mark.parametrize("name", sorted(OPERATORS.keys() - SWAPS))
def test_other_seeds_give_other_results(name):
    operator = OPERATORS[name]()
    domain = next(
        domain
        for domain in (Real(0.0, 1.0), Tensor((4, 4), 1.0), Choice(tuple("abcdefgh")), LIST)
        if operator.fits("x", domain)
    )
    inputs = [domain.sample(np.random.default_rng(n)) for n in (1, 2)]
    found = {Genome({"x": apply(operator, domain, inputs, seed)[0]}) for seed in range(20)}
    assert len(found) > 5


@pytest.mark.parametrize("name", OPERATORS)
def test_genes_pattern_limits_what_fits(name):
    operator = OPERATORS[name](genes="neuron.*")
    domain = operator.domains[0]
    examples = (Real(0, 1), Integer(0, 1), Choice(("a",)), Tensor((2, 2), 1.0), LIST)
    example = next(one for one in examples if isinstance(one, domain))
    assert operator.fits("neuron.tau", example)
    assert not operator.fits("encoding.genes", example)


@pytest.mark.parametrize("name", [name for name, operator in OPERATORS.items() if not issubclass(operator, Sampling)])
def test_a_foreign_domain_is_not_taken(name):
    operator = OPERATORS[name]()
    foreign = [
        domain
        for domain in (Real(0, 1), Integer(0, 9), Choice(("a", "b")), Tensor((2, 2), 1.0), LIST)
        if not operator.fits("x", domain)
    ]
    for domain in foreign:
        values = [domain.sample(np.random.default_rng(n)) for n in (1, 2)]
        with pytest.raises(TypeError, match=type(domain).__name__):
            apply(operator, domain, values, 0)
    assert foreign or set(operator.domains) == {Real, Integer, Choice, Tensor, ListOf}
