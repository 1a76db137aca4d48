"""Separable CMA-ES: coordinates, scalarisation, failures, convergence."""

import numpy as np
import pytest
from search_problems import MIXED, Search, run

from spikefront.components import Objective, Problem, Told
from spikefront.errors import InputError
from spikefront.randomness import Streams
from spikefront.space import Gene, Integer, Real, Space, Tensor
from spikefront_plugins.algorithms.sep_cma_es import Coordinates, SepCMAES


def problem(space, *objectives, population=12, seed=1):
    terms = tuple(Objective(name, "minimize") for name in objectives or ("loss",))
    return Problem(space, terms, population, (), Streams(seed))


def test_it_finds_the_minimum_of_a_sphere():
    space = Space({"m": Gene(Tensor((4, 5), 1.0))})
    engine = SepCMAES().start(problem(space))
    history = run(engine, 250, lambda genome: (float(((genome["m"] - 0.7) ** 2).sum()),))
    assert min(told.losses[0] for generation in history for _, told in generation) < 1e-6


def test_it_finds_the_minimum_among_numbers():
    space = Space({"x": Gene(Real(-4.0, 1.0)), "rate": Gene(Real(1e-5, 1.0, log=True)), "n": Gene(Integer(8, 96, 8))})

    def loss(genome):
        return ((genome["x"] + 3) ** 2 + (np.log10(genome["rate"]) + 3) ** 2 + (genome["n"] / 8 - 10) ** 2,)

    best = min(
        (told for generation in run(SepCMAES().start(problem(space)), 60, loss) for _, told in generation),
        key=lambda told: told.losses,
    )
    assert best.losses[0] < 1e-2
    assert best.genome["n"] == 80


def test_first_draws_have_the_scale_of_the_domain():
    space = Space({"m": Gene(Tensor((50, 50), 0.02)), "x": Gene(Real(0.0, 8.0))})
    genomes = [proposal.genome for proposal in SepCMAES().start(problem(space, population=40)).ask()]
    assert np.std([genome["m"] for genome in genomes]) == pytest.approx(0.02, rel=0.05)
    assert np.mean([genome["x"] for genome in genomes]) == pytest.approx(4, abs=1.5)
    small = SepCMAES(sigma=0.1).start(problem(space, population=40)).ask()
    assert np.std([proposal.genome["m"] for proposal in small]) == pytest.approx(0.002, rel=0.05)


def test_coordinates_span_the_domains():
    space = Space(
        {
            "m": Gene(Tensor((2,), 0.5, low=1.0, high=2.0)),
            "rate": Gene(Real(1e-4, 1.0, log=True)),
            "n": Gene(Integer(8, 96, 8)),
        }
    )
    coordinates = Coordinates(space)
    assert coordinates.size == 4
    assert coordinates.bounds.tolist() == [[2, 4], [2, 4], [-2, 2], [-2, 2]]
    assert coordinates.start.tolist() == [2, 2, 0, 0]
    middle = coordinates.point(np.array([2.0, 3.0, 0.0, 0.0]))
    assert middle["m"].tolist() == [1.0, 1.5]
    assert middle["rate"] == pytest.approx(1e-2)
    assert middle["n"] in {48, 56}
    ends = [coordinates.point(coordinates.bounds[:, end]) for end in (0, 1)]
    assert [end["n"] for end in ends] == [8, 96]
    assert [end["rate"] for end in ends] == pytest.approx([1e-4, 1.0])


def test_weights_scalarise():
    space = Space({"m": Gene(Tensor((4,), 1.0))})

    def two(genome):
        return (float(((genome["m"] - 1) ** 2).sum()), float(((genome["m"] + 1) ** 2).sum()))

    engine = SepCMAES(weights={"a": 3.0, "b": 1.0}).start(problem(space, "a", "b"))
    last = run(engine, 80, two)[-1]
    assert np.mean([proposal.genome["m"] for proposal, _ in last]) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("weights", "message"),
    [({}, "not 2 objectives"), ({"a": 1.0}, "not 2 objectives"), ({"a": 1.0, "bb": 1.0}, "weight for 'bb'")],
)
def test_weights_have_to_match_the_objectives(weights, message):
    space = Space({"m": Gene(Tensor((4,), 1.0))})
    with pytest.raises(InputError, match=message):
        SepCMAES(weights=weights).start(problem(space, "a", "b"))


@pytest.mark.parametrize(
    ("space", "message"),
    [(MIXED, "search 'use'"), (Space({"x": Gene(Real(0, 1))}), "at least two"), (Space({}), "at least two")],
)
def test_spaces_it_cannot_search_are_refused(space, message):
    with pytest.raises(InputError, match=message):
        SepCMAES().start(problem(space))


def test_a_failure_counts_as_the_worst_of_its_generation():
    space = Space({"x": Gene(Real(-1.0, 1.0)), "y": Gene(Real(-1.0, 1.0))})

    def tell_generations(outcome):
        engine, asked = SepCMAES().start(problem(space)), []
        for _ in range(6):
            genomes = [proposal.genome for proposal in engine.ask()]
            losses = [genome["x"] ** 2 + genome["y"] ** 2 for genome in genomes]
            worst = sorted(losses)[6]
            engine.tell([Told(g, (v,) if v <= worst else outcome(worst)) for g, v in zip(genomes, losses, strict=True)])
            asked.append(genomes)
        return asked

    capped = tell_generations(lambda worst: (worst,))
    assert tell_generations(lambda worst: None) == capped
    assert tell_generations(lambda worst: (np.nan,)) == capped
    assert tell_generations(lambda worst: (worst - 1,)) != capped


def test_only_failures_do_not_move_it():
    history = run(Search("sep-cma-es").start(), 30, lambda genome: None)
    mean = np.mean([[proposal.genome["m"] for proposal, _ in generation] for generation in history], axis=(0, 1))
    assert np.abs(mean).max() < 0.5 * 5 / np.sqrt(240)


def test_a_converged_search_ends():
    space = Space({"x": Gene(Real(-1.0, 1.0)), "y": Gene(Real(-1.0, 1.0))})
    engine = SepCMAES().start(problem(space))
    assert run(engine, 300, lambda genome: (genome["x"] ** 2 + genome["y"] ** 2,))[-1] == []
    assert engine.ask() == []
