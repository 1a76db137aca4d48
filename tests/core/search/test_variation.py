"""Variation: the right operator for each gene, with its probability, on active genes only."""

import copy
import itertools
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront import Crossover, Mutation, Sampling
from spikefront.errors import InputError
from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.search.variation import ROUNDS, Individual, Variation, unseen
from spikefront.space import Choice, Gene, Integer, Real, Space, Tensor

REGISTRY = load()
ALL = (Real, Integer, Choice, Tensor)


class Draw(Sampling):
    name: ClassVar[str] = "draw"
    domains: ClassVar[tuple[type[Any], ...]] = ALL

    def sample(self, domain, rng):
        return domain.sample(rng)


class Swap(Crossover):
    name: ClassVar[str] = "swap"
    domains: ClassVar[tuple[type[Any], ...]] = ALL

    def cross(self, domain, a, b, rng):
        return b, a


class Redraw(Mutation):
    name: ClassVar[str] = "redraw"
    domains: ClassVar[tuple[type[Any], ...]] = ALL

    def mutate(self, domain, value, rng):
        return domain.sample(rng)


class Other(Redraw):
    name: ClassVar[str] = "other"
    domains: ClassVar[tuple[type[Any], ...]] = (Real, Tensor)


def space_of(**genes):
    return Space({path.replace("_", "."): gene for path, gene in genes.items()})


@pytest.fixture
def space():
    return Space(
        {
            "x": Gene(Real(0.0, 1.0)),
            "neuron.n": Gene(Integer(1, 9)),
            "use": Gene(Choice(("a", "b"))),
            "c": Gene(Real(1e-3, 1.0, log=True), "use", frozenset({"b"})),
            "m": Gene(Tensor((2, 2), 1.0)),
        }
    )


def default_operators(**changes):
    """Return the default operators, with another probability where there is one."""
    classes = [REGISTRY.components("operator")[name] for name in REGISTRY.defaults("operator")]
    return tuple(cls(**changes) if "probability" in cls.model_fields else cls() for cls in classes)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_points_stay_in_the_space_and_genomes_drop_what_sleeps(seed):
    space = space_of(
        x=Gene(Real(0.0, 1.0)),
        use=Gene(Choice(("a", "b"))),
        c=Gene(Integer(1, 9), "use", frozenset({"b"})),
        m=Gene(Tensor((2, 2), 1.0)),
    )
    variation = Variation(space, default_operators(probability=0.7))
    rng = np.random.default_rng(seed)
    a, b = variation.sample(rng), variation.sample(rng)
    before = copy.deepcopy((a, b))
    first, second, _ = variation.cross(a, b, rng)
    child, _ = variation.mutate(first, rng)
    for point in (a, b, first, second, child):
        assert set(point) == set(space)
        assert all(gene.domain.contains(point[path]) for path, gene in space.items())
        assert ("c" in space.genome(point)) == (point["use"] == "b")
    assert [Genome(point) for point in (a, b)] == [Genome(point) for point in before]


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_probability_zero_is_the_identity(seed):
    space = space_of(x=Gene(Real(0.0, 1.0)), n=Gene(Integer(1, 9)), m=Gene(Tensor((2, 2), 1.0)), u=Gene(Choice((1, 2))))
    variation = Variation(space, default_operators(probability=0.0))
    rng = np.random.default_rng(seed)
    a, b = variation.sample(rng), variation.sample(rng)
    first, second, crossed = variation.cross(a, b, rng)
    child, mutated = variation.mutate(a, rng)
    assert [Genome(point) for point in (first, second, child)] == [Genome(point) for point in (a, b, a)]
    assert crossed == mutated == ()


def test_same_generator_same_children(space):
    variation = Variation(space, default_operators())
    parents = variation.samples(2, np.random.default_rng(0))
    families = [variation.breed(*parents, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    hashes = [[child.genome.hash for child in family] for family in families]
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_first_operator_that_fits_serves(space):
    operators = (Draw(), Swap(), Other(genes="m"), Redraw(genes="neuron.*"), Other(probability=1.0), Redraw())
    variation = Variation(space, operators)
    assert variation._mutations == {
        "x": Other(probability=1.0),
        "neuron.n": Redraw(genes="neuron.*"),
        "use": Redraw(),
        "c": Other(probability=1.0),
        "m": Other(genes="m"),
    }


@pytest.mark.parametrize(
    ("operators", "role", "path"),
    [
        ((Swap(), Redraw()), "sampling", "x"),
        ((Draw(), Redraw()), "crossover", "x"),
        ((Draw(), Swap(), Other()), "mutation", "neuron.n"),
        ((Draw(), Swap(genes="[!u]*"), Redraw()), "crossover", "use"),
    ],
)
def test_a_gene_without_an_operator_is_refused(space, operators, role, path):
    with pytest.raises(InputError, match=f"no {role} operator fits the gene '{path}'"):
        Variation(space, operators)


def test_crossover_keeps_what_sleeps_in_both_and_moves_the_rest(space):
    variation = Variation(space, (Draw(), Swap(probability=1.0), Redraw()))
    rng = np.random.default_rng(0)
    a = {**variation.sample(rng), "use": "a", "c": 0.1}
    b = {**variation.sample(rng), "use": "a", "c": 0.2}
    first, second, used = variation.cross(a, b, rng)
    assert (first["c"], second["c"]) == (0.1, 0.2)
    assert (first["x"], second["x"]) == (b["x"], a["x"])
    assert used == ("swap",)
    first, second, _ = variation.cross(a, {**b, "use": "b"}, rng)
    assert (first["c"], second["c"]) == (0.2, 0.1)


def test_mutation_leaves_sleeping_genes_alone(space):
    variation = Variation(space, (Draw(), Swap(), Redraw(probability=1.0)))
    rng = np.random.default_rng(0)
    point = {**variation.sample(rng), "use": "a"}
    assert all(variation.mutate(point, rng)[0]["c"] == point["c"] for _ in range(20))
    assert variation.mutate({**point, "use": "b"}, rng)[0]["c"] != point["c"]


def test_one_active_gene_mutates_on_average(space):
    variation = Variation(space, (Draw(), Swap(), Redraw()))
    rng = np.random.default_rng(0)
    point = {**variation.sample(rng), "use": "a"}  # 4 active genes, each touched with probability 1/4
    touched = [variation.mutate(point, rng)[0]["x"] != point["x"] for _ in range(5000)]
    assert np.mean(touched) == pytest.approx(0.25, abs=0.03)


def test_crossover_touches_each_gene_with_its_probability(space):
    variation = Variation(space, (Draw(), Swap(genes="x", probability=0.2), Swap(probability=0.9), Redraw()))
    rng = np.random.default_rng(0)
    a, b = variation.sample(rng), variation.sample(rng)
    children = [variation.cross(a, b, rng)[0] for _ in range(1000)]
    assert np.mean([child["x"] == b["x"] for child in children]) == pytest.approx(0.2, abs=0.07)
    assert np.mean([child["m"] is b["m"] for child in children]) == pytest.approx(0.9, abs=0.07)


def test_points_are_mixed_with_the_chance_of_the_pair(space):
    operators = (Draw(), Swap(probability=1.0), Redraw(probability=0.0))
    variation = Variation(space, operators, crossed=0.3)
    rng = np.random.default_rng(0)
    a, b = variation.sample(rng), variation.sample(rng)
    pairs = [variation.cross(a, b, rng) for _ in range(1000)]
    for first, second, used in pairs:  # all genes of a pair are swapped, or none
        assert (first["x"], second["x"]) == ((b["x"], a["x"]) if used else (a["x"], b["x"]))
        assert (first["m"] is b["m"]) == bool(used)
    assert np.mean([bool(used) for _, _, used in pairs]) == pytest.approx(0.3, abs=0.05)
    never = Variation(space, operators, crossed=0.0)
    assert [child.operators for child in never.breed(*never.samples(2, rng), rng)] == [(), ()]


def test_a_pair_that_is_always_crossed_takes_no_draw_more(space):
    """Recorded searches have to ask for the same again."""
    first, second = np.random.default_rng(5), np.random.default_rng(5)
    nothing = Variation(space, (Draw(), Swap(probability=0.0), Redraw()))
    a, b = nothing.samples(2, first)
    nothing.samples(2, second)
    nothing.cross(a.point, b.point, first)
    second.random(len([path for path in space if path in {*space.active(a.point), *space.active(b.point)}]))
    assert first.random() == second.random()


def test_breeding_records_parents_and_operators(space):
    mutating = Variation(space, (Draw(), Swap(probability=0.0), Redraw(probability=1.0)))
    a, b = mutating.samples(2, np.random.default_rng(0))
    first, second = mutating.breed(a, b, np.random.default_rng(1))
    assert (first.parents, second.parents) == ((a.genome.hash,), (b.genome.hash,))
    assert first.operators == ("redraw",)
    mixing = Variation(space, (Draw(), Swap(probability=1.0), Redraw(probability=0.0)))
    first, second = mixing.breed(a, b, np.random.default_rng(1))
    assert (first.parents, second.parents) == ((a.genome.hash, b.genome.hash), (b.genome.hash, a.genome.hash))
    assert first.operators == ("swap",)
    assert mixing.breed(a, a, np.random.default_rng(1))[0].parents == (a.genome.hash,)
    assert first.proposal.genome == space.genome(first.point)
    assert (first.proposal.parents, first.proposal.operators) == (first.parents, first.operators)


def test_unseen_gives_new_and_different_genomes():
    numbers = itertools.cycle([1, 1, 2, 3, 3, 4])

    def draw(count):
        points = [{"n": next(numbers)} for _ in range(count)]
        return [Individual(point, Genome(point)) for point in points]

    seen = {Genome({"n": 3}).hash}
    assert [individual.point["n"] for individual in unseen(draw, 3, seen)] == [1, 2, 4]
    assert unseen(draw, 0, seen) == []


def test_unseen_gives_up():
    calls = []

    def draw(count):
        calls.append(count)
        return [Individual({"n": 1}, Genome({"n": 1}))]

    assert len(unseen(draw, 3, ())) == 1
    assert len(calls) == ROUNDS
