"""The evolutionary algorithms: nothing twice, failures never win, an exhausted space ends the search."""

import statistics

import moocore
import numpy as np
import pytest
from search_problems import BREEDERS, MIXED, MULTI_OBJECTIVE, Search, all_hashes, losses, run

from spikefront.errors import InputError
from spikefront.space import Choice, Gene, Integer, Real, Space
from spikefront_plugins.algorithms.nsga3 import partitions

SMALL = Space(
    {
        "use": Gene(Choice(("a", "b"))),
        "n": Gene(Integer(1, 5), "use", frozenset({"b"})),
    }
)  # 6 genomes


def small_losses(genome):
    return (float(genome.get("n", 0)), -float(genome.get("n", 0)))


@pytest.mark.parametrize("name", [*BREEDERS, "random"])
def test_no_genome_is_asked_twice(name):
    asked = all_hashes(run(Search(name, population=10).start(), 20))
    assert len(asked) == len(set(asked)) == 200


@pytest.mark.parametrize("name", [*BREEDERS, "random"])
@pytest.mark.parametrize("population", [4, 12])
def test_a_small_space_is_searched_once_and_then_the_search_ends(name, population):
    engine = Search(name, space=SMALL, population=population).start()
    history = run(engine, 6, small_losses)
    asked = all_hashes(history)
    assert len(set(asked)) == len(asked) == 6
    assert all(len(generation) <= population for generation in history)
    assert engine.ask() == []


@pytest.mark.parametrize("name", BREEDERS)
def test_lineage_is_recorded(name):
    history = run(Search(name).start(), 6)
    known = set()
    for number, generation in enumerate(history):
        for proposal, _ in generation:
            assert set(proposal.parents) <= known
            assert (len(proposal.parents) in {1, 2}) == bool(number)
            assert bool(proposal.operators) == bool(number)
        known.update(proposal.genome.hash for proposal, _ in generation)
    used = {name for generation in history for proposal, _ in generation for name in proposal.operators}
    assert used == {"sbx", "uniform", "blend", "polynomial", "flip", "array-gaussian"}


@pytest.mark.parametrize("name", BREEDERS)
def test_failures_are_no_parents_when_there_are_enough_others(name):
    def failing_low(genome):  # what would be best, fails
        return None if genome["x"] < 0.5 else losses(genome)

    history = run(Search(name, population=10).start(), 12, failing_low)
    succeeded = 0
    for generation in history:
        if succeeded >= 10:  # the whole population before this generation can be of successes
            failed = {told.genome.hash for earlier in history for _, told in earlier if told.losses is None}
            assert not failed & {parent for proposal, _ in generation for parent in proposal.parents}
        succeeded += sum(told.losses is not None for _, told in generation)
    assert succeeded > 60
    assert any(told.losses is None for generation in history for _, told in generation)


@pytest.mark.parametrize("name", BREEDERS)
@pytest.mark.parametrize("population", [2, 3, 7])
@pytest.mark.parametrize("objectives", [1, 2, 3, 5])
def test_odd_sizes_run(name, population, objectives):
    search = Search(name, population=population, objectives=objectives)
    refused = {"nsga3": population < objectives, "sms-emoa": objectives == 1, "ga": objectives > 1}.get(name, False)
    if refused:
        with pytest.raises(InputError, match=name):
            search.start()
        return

    def many(genome):
        return (*losses(genome), genome["x"] * genome["rate"], 1.0, -1e9 * genome["n"])[:objectives]

    assert [len(generation) for generation in run(search.start(), 6, many)] == [population] * 6


@pytest.mark.parametrize("name", [*BREEDERS, "sep-cma-es"])
def test_a_population_that_is_too_small_is_refused_with_the_number(name):
    with pytest.raises(InputError, match=r"population of 1\n.* 2 or more"):
        Search(name, population=1).start()


def test_nsga3_wants_an_individual_for_each_objective():
    with pytest.raises(InputError, match="5 or more"):
        Search("nsga3", population=4, objectives=5).start()


@pytest.mark.parametrize(
    ("objectives", "points", "expected"), [(2, 24, 23), (3, 24, 5), (3, 3, 1), (5, 24, 2), (1, 24, 1), (3, 91, 12)]
)
def test_reference_directions_are_as_fine_as_the_population_allows(objectives, points, expected):
    assert partitions(objectives, points) == expected


@pytest.mark.parametrize("name", ["nsga2", "ga"])
def test_the_minimum_of_one_objective_is_found(name):
    space = Space({"x": Gene(Real(-1.0, 1.0)), "n": Gene(Integer(0, 20))})

    def distance(genome):
        return ((genome["x"] - 0.3) ** 2 + (genome["n"] - 7) ** 2,)

    history = run(Search(name, space=space, objectives=1, population=16).start(), 30, distance)
    assert min(told.losses[0] for generation in history for _, told in generation) < 1e-4


def hypervolume(history):
    points = np.array([told.losses for generation in history for _, told in generation])
    return moocore.hypervolume(points, ref=[4.0, 4.0])


@pytest.mark.parametrize("name", MULTI_OBJECTIVE)
def test_evolution_beats_random_search(name):
    gains = []
    for seed in range(5):
        found, drawn = (
            hypervolume(run(Search(which, seed=seed, population=16).start(), 20)) for which in (name, "random")
        )
        gains.append(found - drawn)
    assert statistics.median(gains) > 0.2


@pytest.mark.parametrize("name", BREEDERS)
def test_pairs_are_crossed_with_the_chance_of_the_algorithm(name):
    crossings = {"sbx", "uniform", "blend"}

    def crossed(chance):
        history = run(Search(name, population=16, parameters=(("crossover", chance),)).start(), 8)
        return [bool(crossings & set(proposal.operators)) for generation in history[1:] for proposal, _ in generation]

    assert not any(crossed(0.0))
    assert 0.2 < np.mean(crossed(0.3)) < 0.7 < np.mean(crossed(1.0))


def test_the_best_of_a_genetic_algorithm_is_never_lost():
    """Parents are always among the best population of all that was told: nobody better is dropped for a child."""
    known = {}
    for generation in run(Search("ga", population=8).start(), 15):
        best = sorted(known.values())[:8]
        parents = {parent for proposal, _ in generation for parent in proposal.parents}
        assert all(known[parent] <= best[-1] for parent in parents)
        known |= {proposal.genome.hash: told.losses[0] for proposal, told in generation}


def test_binary_tournaments_prefer_the_better_half():
    """Of two parents drawn without preference, the better one is chosen: half best is chosen in 3 of 4 draws."""
    known, ranks = {}, []
    for generation in run(Search("ga", population=40).start(), 25):
        best = sorted(known.values())[:40]
        ranks += [best.index(known[p]) < 20 for proposal, _ in generation for p in proposal.parents[:1]]
        known |= {proposal.genome.hash: told.losses[0] for proposal, told in generation}
    assert np.mean(ranks) == pytest.approx(0.75, abs=0.06)


def test_the_test_problem_has_every_kind_of_gene():
    assert {type(gene.domain).__name__ for gene in MIXED.values()} == {"Real", "Integer", "Choice", "Tensor"}
    assert any(gene.selector for gene in MIXED.values())
