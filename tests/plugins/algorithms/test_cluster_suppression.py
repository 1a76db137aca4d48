"""Cluster suppression: who is suppressed, what takes its place, and turns of training that go on from weights."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront.components import Objective, Problem, Told
from spikefront.errors import InputError
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.search.coordinator import Search
from spikefront.space import Gene, Integer, Space
from spikefront.specification import Specification
from spikefront.storage import Database, queries
from spikefront_plugins.algorithms import _suppression as suppression
from spikefront_plugins.algorithms.cluster_suppression import ClusterSuppression

E1, E2 = np.eye(6)[0], np.eye(6)[1]
FOUR = np.stack([E1, E1 + 0.01 * E2, E2, -E1])
LOSSES = -np.array([0.5, 0.6, 0.4, 0.3])


def gone(updates, losses, deltas, least=1):
    return suppression.suppressed(suppression.distances(updates), np.asarray(losses), deltas, least)


def test_distances_by_hand():
    expected = [[0, 5e-5, 1, 2], [5e-5, 0, 0.99, 2], [1, 0.99, 0, 1], [2, 2, 1, 0]]
    assert suppression.distances(FOUR) == pytest.approx(np.array(expected), abs=1e-4)


def test_of_two_that_learn_alike_the_worse_one_is_suppressed():
    assert (
        suppression.clusters(suppression.distances(FOUR), 0.3)[0]
        == suppression.clusters(suppression.distances(FOUR), 0.3)[1]
    )
    assert gone(FOUR, LOSSES, [0.3]) == [0]


def test_nothing_is_suppressed_at_0_and_all_but_the_best_at_2():
    assert gone(np.stack([E1, E1, E2]), [1.0, 2.0, 3.0], [0.0]) == []
    assert gone(FOUR, LOSSES, [2.0]) == [0, 2, 3]


def test_a_wider_level_sees_the_survivors_of_the_one_before():
    assert gone(FOUR, LOSSES, [0.3, 1.2]) == [0, 2]
    assert gone(FOUR, LOSSES, [0.3, 1.2], least=3) == [0]


def test_so_many_survive_at_least_and_the_worst_go_first():
    assert gone(FOUR, LOSSES, [2.0], least=2) == [2, 3]


def test_an_update_of_zeros_is_a_cluster_of_its_own():
    updates = np.stack([E1, np.zeros(6), np.zeros(6), E1])
    assert np.isfinite(suppression.distances(updates)).all()
    assert gone(updates, [1.0, 2.0, 3.0, 0.5], [0.3]) == [0]


@given(st.permutations(range(8)), st.integers(0, 2**31))
@settings(deadline=None, max_examples=30)
def test_the_order_of_the_population_does_not_matter(order, seed):
    rng = np.random.default_rng(seed)
    updates, losses = rng.normal(size=(8, 5)), rng.permutation(8).astype(float)
    plain = gone(updates, losses, [0.6, 0.9], least=4)
    assert sorted(order[place] for place in gone(updates[list(order)], losses[list(order)], [0.6, 0.9], 4)) == plain


@given(st.integers(0, 2**31))
@settings(deadline=None, max_examples=100)
def test_survivors_are_at_least_as_diverse_where_clusters_are_planted(seed):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, 40))
    updates = centres[rng.integers(3, size=9)] + 0.2 * rng.normal(size=(9, 40))
    distance = suppression.distances(updates)
    lost = suppression.suppressed(distance, rng.random(9), [0.3], 1)
    left = np.setdiff1d(np.arange(9), lost)
    if len(left) > 1:
        assert suppression.diversity(distance[np.ix_(left, left)]) >= suppression.diversity(distance) - 1e-12


def test_projections_keep_distances():
    updates = np.random.default_rng(0).normal(size=(12, 30_000))
    updates[6:] = updates[:6] + 0.5 * updates[6:]
    short = suppression.projected(updates, seed=3)
    assert short.shape == (12, suppression.PROJECTED)
    error = np.abs(suppression.distances(updates) - suppression.distances(short))[np.triu_indices(12, 1)]
    assert (error < 0.2).mean() > 0.97
    assert suppression.projected(updates[:, :100], 3) is not None


def network(value: float) -> dict[str, torch.Tensor]:
    return {
        "body.0.weight": torch.full((3, 2), value),
        "body.0.bias": torch.full((3,), value),
        "body.1.running_mean": torch.full((3,), value),
        "body.1.num_batches_tracked": torch.tensor(int(value)),
        "body.2.weight": torch.full((4, 3), value),
    }


def test_an_update_is_what_is_learnt_and_no_statistics():
    start, learnt = network(1.0), network(3.0)
    assert suppression.update(start, learnt).tolist() == [2.0] * (6 + 3 + 12)


def test_crossover_takes_whole_layers():
    rng, seen = np.random.default_rng(1), set()
    for _ in range(40):
        child = suppression.crossed(network(1.0), network(2.0), rng)
        values = {name: float(tensor.double().mean()) for name, tensor in child.items()}
        assert values["body.0.weight"] == values["body.0.bias"]
        assert values["body.1.running_mean"] == values["body.1.num_batches_tracked"]
        seen.add((values["body.0.weight"], values["body.1.running_mean"], values["body.2.weight"]))
    assert seen == set(itertools.product((1.0, 2.0), repeat=3))


def test_noise_has_its_size_and_leaves_statistics_alone():
    weights = {"w": torch.zeros(100_000), "n.running_var": torch.ones(3)}
    found = suppression.disturbed(weights, 0.3, np.random.default_rng(1))
    assert float(found["w"].std()) == pytest.approx(0.3, rel=0.02)
    assert torch.equal(found["n.running_var"], torch.ones(3))
    assert not weights["w"].any()


# The search


def problem(population: int = 4, objectives: int = 1) -> Problem:
    space = Space({"trainer.order": Gene(Integer(0, 10**6))})
    operators = tuple(load().components("operator")[name]() for name in ("uniform-sampling", "uniform", "polynomial"))
    names = tuple(Objective(f"o{n}", "minimize") for n in range(objectives))
    return Problem(space, names, population, operators, Streams(1))


def turn(engine: Any, updates: list[Any], losses: list[float]) -> list[Any]:
    """Play a turn: each member's weights change by its update; return the proposals."""
    asked = engine.ask()
    starts = [proposal.weights or {"w": torch.zeros(6)} for proposal in asked]
    ends = [{"w": s["w"] + torch.as_tensor(u, dtype=torch.float32)} for s, u in zip(starts, updates, strict=True)]
    engine.tell([Told(p.genome, (loss,), end) for p, loss, end in zip(asked, losses, ends, strict=True)])
    return asked


def test_members_go_on_from_their_own_weights_and_similar_ones_are_replaced():
    engine = ClusterSuppression(ancestor="own", survivors=0.25, levels=1, noise=0.0).start(problem())
    first = turn(engine, [E1, E2, -E1, -E2], [1.0, 2.0, 3.0, 4.0])
    second = turn(engine, list(FOUR), LOSSES.tolist())
    third = engine.ask()
    assert [proposal.weights for proposal in first] == [None] * 4
    assert [p.weights["w"].tolist() for p in second] == [E1.tolist(), E2.tolist(), (-E1).tolist(), (-E2).tolist()]
    assert [proposal.parents for proposal in second] == [(proposal.genome.hash,) for proposal in first]
    learnt = [torch.as_tensor(s + u, dtype=torch.float32) for s, u in zip([E1, E2, -E1, -E2], FOUR, strict=True)]
    assert all(torch.equal(third[n].weights["w"], learnt[n]) for n in (1, 2, 3))
    assert any(torch.equal(third[0].weights["w"], learnt[n]) for n in (1, 2, 3))
    assert [("cluster-suppression" in proposal.operators) for proposal in third] == [True, False, False, False]
    assert engine.suppressed == [0, 1]
    assert engine.diversity[0] is None
    assert engine.diversity[1] == pytest.approx((5e-5 + 1 + 2 + 0.99 + 2 + 1) / 6, abs=1e-4)
    assert len({p.genome.hash for p in (*first, *second, *third)}) == 12


def test_all_go_on_from_the_best_of_the_first_turn():
    engine = ClusterSuppression().start(problem())
    first = turn(engine, [E1, E2, -E1, -E2], [1.0, 0.5, 3.0, 4.0])
    second = engine.ask()
    assert [proposal.weights["w"].tolist() for proposal in second] == [E2.tolist()] * 4
    assert {proposal.parents for proposal in second} == {(first[1].genome.hash,)}
    assert len({proposal.genome.hash for proposal in second}) == 4


@pytest.mark.parametrize(("suppress", "expected"), [("none", 0), ("random", 1), ("similar", 1)])
def test_rivals_suppress_nobody_or_as_many_at_random(suppress, expected):
    engine = ClusterSuppression(suppress=suppress, survivors=0.25, levels=1).start(problem())
    for _ in range(2):
        turn(engine, list(FOUR), LOSSES.tolist())
    assert engine.suppressed == [0, expected]


def test_a_member_that_failed_is_replaced_by_a_survivor():
    engine = ClusterSuppression(noise=0.0).start(problem())
    asked = engine.ask()
    engine.tell(
        [Told(p.genome, None if n else (1.0,), None if n else {"w": torch.ones(6)}) for n, p in enumerate(asked)]
    )
    assert all(torch.equal(proposal.weights["w"], torch.ones(6)) for proposal in engine.ask())


def test_several_objectives_are_refused():
    with pytest.raises(InputError, match="has 2 objectives"):
        ClusterSuppression().start(problem(objectives=2))


DOCUMENT: dict[str, Any] = {
    "study": {"name": "turns", "seed": 1, "objectives": ["accuracy"]},
    "task": {"use": "digits", "train": 200, "validation": 100},
    "network": {"use": "mlp", "hidden": [16]},
    "neuron": {"use": "lif", "v_threshold": 0.3},
    "trainer": {
        "epochs": 1,
        "batch": 16,
        "learning_rate": 0.02,
        "schedule": "constant",
        "order": {"low": 0, "high": 10**6},
    },
    "search": {"algorithm": "cluster-suppression", "population": 4, "generations": 4},
    "execution": {"use": "inline"},
}


def losses_of(database: Database) -> list[list[float | None]]:
    numbers = [row.number for row in queries.evaluations(database, "turns")]
    return [queries.evaluation(database, "turns", number).history[0]["loss"] for number in numbers]


def test_training_goes_on_from_turn_to_turn_and_from_the_record(tmp_path):
    study = Specification.from_document(DOCUMENT, load())

    def interrupt(progress):
        if progress.done == 9:
            raise KeyboardInterrupt

    with Database.open(tmp_path / "whole.db", create=True) as database:
        assert Search(study, database).run() == "finished"
        whole = losses_of(database)
    with Database.open(tmp_path / "parts.db", create=True) as database:
        assert Search(study, database, interrupt).run() == "interrupted"
        assert Search(study, database).run() == "finished"
        assert losses_of(database) == whole
    turns = [np.mean(whole[4 * n : 4 * n + 4]) for n in range(4)]
    assert turns == sorted(turns, reverse=True)
    assert turns[3] < 0.9 * turns[0]
