"""Streams: one tree of random numbers, the same everywhere, and nothing shared between its branches."""

import hashlib
import itertools

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront.randomness import Streams

names = st.lists(st.text(max_size=6) | st.integers(0, 2**31), max_size=4)


@given(st.integers(0, 2**63), names)
@settings(deadline=None, max_examples=30)
def test_same_path_same_numbers(seed, path):
    first, second = Streams(seed).child(*path), Streams(seed).child(*path)
    assert first.integer("x") == second.integer("x")
    assert first.numpy("x").random(4).tolist() == second.numpy("x").random(4).tolist()
    assert torch.equal(torch.rand(4, generator=first.torch("x")), torch.rand(4, generator=second.torch("x")))


@given(names, names)
@settings(deadline=None, max_examples=30)
def test_children_of_children_are_one_path(first, second):
    assert Streams(3).child(*first).child(*second).integer() == Streams(3).child(*first, *second).integer()


def test_numbers_follow_numpys_seed_sequence():
    words = [int.from_bytes(hashlib.sha256(name).digest()[:4], "little") for name in (b"algorithm", b"weights")]
    expected = np.random.SeedSequence(7, spawn_key=(words[0], 2, words[1]))
    found = Streams(7).child("algorithm", 2).numpy("weights").random(5)
    assert found.tolist() == np.random.default_rng(expected).random(5).tolist()


def test_known_values_stay():
    streams = Streams(7).child("algorithm")
    assert streams.integer("a") == 1146720469
    assert streams.numpy("a").integers(1000, size=4).tolist() == [140, 805, 999, 746]
    assert torch.randint(1000, (4,), generator=streams.torch("a")).tolist() == [791, 683, 242, 913]


def test_different_names_and_seeds_differ():
    nodes = [
        Streams(1),
        Streams(2),
        Streams(1).child("a"),
        Streams(1).child("b"),
        Streams(1).child("a", "b"),
        Streams(1).child("b", "a"),
        Streams(1).child("a", 0),
        Streams(1).child("a", 1),
        Streams(1).child(0),
    ]
    for first, second in itertools.combinations(nodes, 2):
        assert first.integer() != second.integer()
        assert first.numpy().random() != second.numpy().random()
        assert not torch.equal(torch.rand(4, generator=first.torch()), torch.rand(4, generator=second.torch()))


def test_drawing_does_not_move_the_tree():
    streams = Streams(5)
    before = streams.integer("x")
    streams.numpy("x").random(100)
    streams.torch("x")
    assert streams.integer("x") == before


def test_integers_fit_a_signed_word():
    drawn = [Streams(seed).integer("x") for seed in range(200)]
    assert all(0 <= value < 2**31 for value in drawn)
    assert len(set(drawn)) == 200
