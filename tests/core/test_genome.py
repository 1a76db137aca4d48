"""Genomes: canonical content, hashes that mean the same everywhere, the way to JSON and back."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spikefront.errors import InputError
from spikefront.genome import Genome, same

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
arrays = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=0, max_dims=3, max_side=3),
    elements={"allow_nan": False, "allow_infinity": False},
)
values = st.dictionaries(st.text(min_size=1, max_size=8), plain | arrays, max_size=5)


@given(values)
@settings(deadline=None, max_examples=50)
def test_json_and_arrays_give_the_same_genome_back(content):
    genome = Genome(content)
    again = Genome.from_json(genome.to_json(), genome.arrays)
    assert again == genome
    assert again.hash == genome.hash
    assert {path: value.shape for path, value in again.arrays.items()} == {
        path: value.shape for path, value in content.items() if isinstance(value, np.ndarray)
    }


@given(values, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_order_does_not_matter(content, random):
    paths = list(content)
    random.shuffle(paths)
    assert Genome({path: content[path] for path in paths}).hash == Genome(content).hash


def test_hash_is_sha256_of_canonical_json_and_bytes():
    array = np.array([[1.0, -2.5]], dtype="<f4")
    digest = hashlib.sha256(b'{"a.b":1,"m":{"$array":[1,2]},"z":[true,"x"]}')
    digest.update(array.tobytes())
    assert Genome({"z": (True, "x"), "m": array.astype(np.float64), "a.b": 1}).hash == digest.hexdigest()


def test_hash_is_the_same_in_another_process():
    code = "from spikefront.genome import Genome; print(Genome({'b': 'x', 'a': [1, 2.5]}).hash)"
    found = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert found == [Genome({"a": (1, 2.5), "b": "x"}).hash] * 2


def test_negative_zero_is_zero():
    assert Genome({"a": -0.0}) == Genome({"a": 0.0})
    assert Genome({"a": np.array([-0.0, 1.0])}) == Genome({"a": np.array([0.0, 1.0])})


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (1, True),
        (0, False),
        ("1", 1),
        ([1], 1),
        ([1, 2], [2, 1]),
        ([{"k": 1}], [{"k": 1.0}]),
        ([{"k": 1}], [{"k": 1, "l": 1}]),
        (None, 0),
        (np.zeros(2), [0.0, 0.0]),
        (np.zeros((1, 2)), np.zeros((2, 1))),
        (np.zeros(2), np.array([0.0, 1e-30])),
    ],
)
def test_different_values_have_different_hashes(a, b):
    assert Genome({"a": a}).hash != Genome({"a": b}).hash
    assert not same(a, b)


@pytest.mark.parametrize("value", [3, 2.5, True, "x", [1, (2, 3)], [{"b": 1, "a": (2,)}], np.arange(3.0)])
def test_a_value_is_the_same_as_what_a_genome_makes_of_it(value):
    stored = Genome({"a": value})["a"]
    assert isinstance(stored, np.ndarray) or same(value, stored)
    assert np.array_equal(np.asarray(stored, dtype=object), np.asarray(value, dtype=object)) or isinstance(value, list)


def test_numpy_scalars_become_plain():
    genome = Genome({"i": np.int64(3), "f": np.float32(0.5), "b": np.bool_(True)})
    assert genome.to_json() == '{"b":true,"f":0.5,"i":3}'
    assert [type(value) for value in genome.values()] == [bool, float, int]


def test_arrays_are_copied_and_read_only():
    array = np.ones(3, dtype=np.float32)
    genome = Genome({"a": array})
    array[0] = 7
    assert genome["a"][0] == 1
    with pytest.raises(ValueError, match="read-only"):
        genome["a"][0] = 2


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        np.array([1.0, np.nan]),
        np.array([1e300]),
        object(),
        1j,
        [np.zeros(2)],
        {"a": np.zeros(2)},
        {"$array": [2]},
        b"x",
    ],
)
def test_what_cannot_be_stored_is_refused(value):
    with pytest.raises(InputError, match="'here'"):
        Genome({"here": value})


@pytest.mark.parametrize("arrays", [{}, {"m": np.zeros(3, np.float32)}])
def test_missing_or_wrong_arrays_are_refused(arrays):
    text = Genome({"m": np.zeros((2, 2))}).to_json()
    with pytest.raises(InputError, match=r"'m' should have shape \(2, 2\)"):
        Genome.from_json(text, arrays)


def test_genome_behaves_like_a_value():
    genome = Genome({"b": 1, "a": "x"})
    assert list(genome) == ["a", "b"]
    assert len({genome, Genome({"a": "x", "b": 1})}) == 1
    assert genome != {"a": "x", "b": 1}
    assert json.loads(genome.to_json()) == dict(genome)
    assert genome.hash[:12] in repr(genome)
