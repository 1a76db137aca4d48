"""The encodings whose layers share nothing, low-rank and random-basis: weights, numbers, training and reloading."""

import copy

import numpy as np
import pytest
import torch
from encoded_layers import by_factors_and_by_weight, conv, encoded, is_encoded, linear, stored, watched
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from safetensors.torch import load_model, save_model
from torch import nn
from torch.nn.utils import parametrize

from spikefront import Encoding
from spikefront.evaluate import evaluate, phenotype_of, streams_of
from spikefront.exported import candidate_of, load_network, write_candidate
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.specification import Specification
from spikefront_plugins.encodings.low_rank import LowRank
from spikefront_plugins.encodings.random_basis import RandomBasis


def low_rank(number, **more):
    return LowRank(rank=number, **more)


def random_basis(number, **more):
    return RandomBasis(genes=number, **more)


both = pytest.mark.parametrize("encoding_of", [low_rank, random_basis])


def factors(layer):
    """Return the matrices whose product is the weight of a layer, (n, r) and (r, fan_in)."""
    left, *right = stored(layer)
    return left.detach(), right[0].detach().T if right else layer.parametrizations.weight[0].basis


@both
@pytest.mark.parametrize("make", [lambda: linear(20, 15), lambda: conv(5, 9)])
def test_weights_follow_the_equation(encoding_of, make):
    layer = encoded(encoding_of(3), make()).double()[0]
    left, right = (matrix.tolist() for matrix in factors(layer))
    columns = len(right[0])
    expected = [[sum(row[r] * right[r][i] for r in range(3)) for i in range(columns)] for row in left]
    np.testing.assert_allclose(layer.weight.detach().flatten(1), expected, rtol=1e-12)
    assert layer.weight.is_contiguous()
    assert torch.linalg.matrix_rank(layer.weight.flatten(1)) == 3


@both
@pytest.mark.parametrize("number", [4, 32])
@pytest.mark.parametrize("make", [lambda: linear(300, 200), lambda: conv(40, 90)])
def test_the_variance_of_first_weights_is_pytorchs(encoding_of, make, number):
    variances = []
    for seed in range(20):
        layer = encoded(encoding_of(number), make(), seed=seed)[0]
        variances.append(float(layer.weight.detach().var()) * 3 * layer.weight[0].numel())
        left, right = factors(layer)
        assert float(left.var() / right.var()) == pytest.approx(1, abs=0.25)
    assert np.mean(variances) == pytest.approx(1, abs=0.08)


# U and V of 12 * 6 weights are 18 r numbers: 72 of 72 with 4 columns. R mixes up to 12 inputs.
@pytest.mark.parametrize(("encoding", "expected"), [
    (LowRank(rank=3), True), (LowRank(rank=4), False), (RandomBasis(genes=11), True), (RandomBasis(genes=12), False),
])  # fmt: skip
def test_layers_stay_direct_where_factors_are_no_fewer_numbers(encoding, expected):
    layer = encoded(encoding, linear(12, 6))[0]
    assert is_encoded(layer) == expected


@pytest.mark.parametrize(("encoding", "expected"), [
    (LowRank(rank=8), 8 * (256 + 784) + 8 * (10 + 256) + 10),
    (LowRank(rank=32), 32 * (256 + 784) + 10 * 256 + 10),
    (RandomBasis(genes=8), 8 * 256 + 8 * 10 + 10),
    (RandomBasis(genes=300), 300 * 256 + 10 * 256 + 10),
])  # fmt: skip
def test_stored_numbers_of_a_perceptron(encoding, expected):
    assert encoding.stored_numbers(encoded(encoding, linear(784, 256), linear(256, 10, bias=True))) == expected


@settings(deadline=None, max_examples=30)
@given(
    widths=st.lists(st.integers(1, 14), min_size=2, max_size=4),
    kernels=st.lists(st.sampled_from([1, 3, 5]), min_size=3, max_size=3),
    number=st.integers(1, 20),
)
def test_stored_numbers_follow_the_formula(widths, kernels, number):
    shapes = [(n, m, k) for m, n, k in zip(widths[:-1], widths[1:], kernels, strict=False)]
    rank = sum(min(n * m * k * k, number * (n + m * k * k)) for n, m, k in shapes)
    basis = sum(n * min(m * k * k, number) for n, m, k in shapes)
    for encoding, expected in ((LowRank(rank=number), rank), (RandomBasis(genes=number), basis)):
        assert encoding.stored_numbers(encoded(encoding, *(conv(m, n, k) for n, m, k in shapes))) == expected


@both
@pytest.mark.parametrize(("make", "shape"), [
    (lambda: linear(30, 20, bias=True), (12, 30)),
    (lambda: conv(12, 16, bias=True), (2, 12, 5, 6)),
    (lambda: conv(12, 16, stride=2), (2, 12, 7, 6)),
    (lambda: conv(12, 16, 1, stride=2), (2, 12, 5, 6)),
], ids=["linear", "conv", "strided", "pointwise"])  # fmt: skip
def test_training_on_factors_equals_training_on_weights(encoding_of, make, shape):
    layer = encoded(encoding_of(2), make()).double()[0]
    torch.testing.assert_close(*by_factors_and_by_weight(layer, *shape), rtol=1e-9, atol=1e-12)


# For 3 outputs, 4 inputs, r = 1 and N rows: the factors take N (4 + 3) = 7 N operations, the weight 12 N and its making
# 12, always more; with r = 2 14 N and 12 N + 24: equal at N = 12.
@pytest.mark.parametrize(("rows", "number", "expected"), [(99, 1, []), (11, 2, []), (12, 2, [1])])
def test_weights_are_made_where_that_is_less_work(rows, number, expected):
    layer = encoded(RandomBasis(genes=number), linear(4, 3))[0]
    calls = watched(layer)
    layer(torch.ones(rows, 4))
    assert calls == expected


@pytest.mark.parametrize(("encoding", "trained"), [
    (LowRank(rank=2, factor_rate=3.0, factor_decay=0.5), 4), (RandomBasis(genes=2, gene_rate=3.0, gene_decay=0.5), 2),
])  # fmt: skip
def test_groups_hold_every_parameter_once(encoding, trained):
    network = encoded(encoding, linear(30, 20, bias=True), nn.BatchNorm1d(20), conv(8, 9), linear(2, 1))
    others, own = encoding.groups(network)
    together = [id(parameter) for group in (others, own) for parameter in group.parameters]
    assert sorted(together) == sorted(id(parameter) for parameter in network.parameters())
    assert len(own.parameters) == trained
    assert len(others.parameters) == 4
    assert (own.learning_rate, own.weight_decay) == (3.0, 0.5)
    assert (others.learning_rate, others.weight_decay) == (1.0, 1.0)


@both
def test_weights_of_factors_survive_safetensors(tmp_path, encoding_of):
    first, second, third = (encoded(encoding_of(2), conv(8, 9), linear(20, 30), seed=seed) for seed in (1, 2, 3))
    weights = [layer.weight.detach().clone() for layer in first]
    save_model(first, str(tmp_path / "network.safetensors"))
    assert not torch.equal(second[0].weight, weights[0])
    assert load_model(second, tmp_path / "network.safetensors") == (set(), [])
    third.load_state_dict(copy.deepcopy(first).state_dict())
    for network in (second, third):
        assert all(torch.equal(layer.weight, weight) for layer, weight in zip(network, weights, strict=True))


def test_a_state_dict_holds_the_seed_of_the_basis_and_not_the_basis():
    network = encoded(RandomBasis(genes=2), linear(30, 20))
    state = network.state_dict()
    assert {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in state.items()} == {
        "0.parametrizations.weight.original0": (torch.float32, (20, 2)),
        "0.parametrizations.weight.0._extra_state": (torch.int64, (1,)),
    }
    assert [tuple(parameter.shape) for parameter in network.parameters()] == [(20, 2)]


def test_layers_have_bases_of_their_own_and_gradients_leave_them():
    network = encoded(RandomBasis(genes=2), linear(30, 20), linear(30, 20))
    first, second = (factors(layer)[1] for layer in network)
    before = first.clone()
    network[0](torch.ones(3, 30)).sum().backward()
    assert not torch.equal(first, second)
    assert torch.equal(first, before)
    assert not first.requires_grad
    assert stored(network[0])[0].grad.abs().sum() > 0


@both
def test_the_generator_alone_decides(encoding_of):
    before = torch.get_rng_state()
    first, same, other = (encoded(encoding_of(3), conv(9, 9), seed=seed)[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


@both
def test_a_layer_works_on_when_its_weight_is_set_free(encoding_of):
    layer = encoded(encoding_of(2), linear(30, 20))[0]
    before = layer(torch.ones(2, 30))
    parametrize.remove_parametrizations(layer, "weight")
    torch.testing.assert_close(layer(torch.ones(2, 30)), before)


@pytest.mark.parametrize(("encoding", "arguments"), [
    (LowRank, {"rank": 0}), (LowRank, {"rank": 513}), (LowRank, {"factor_rate": 0.0}),
    (LowRank, {"factor_decay": -1.0}), (RandomBasis, {"genes": 0}), (RandomBasis, {"genes": 513}),
    (RandomBasis, {"gene_rate": 0.0}), (RandomBasis, {"gene_decay": -1.0}),
])  # fmt: skip
def test_parameters_out_of_range_are_refused(encoding, arguments):
    with pytest.raises(ValidationError):
        encoding(**arguments)


def test_they_come_through_the_hook():
    assert load().get(Encoding, "low-rank") is LowRank
    assert load().get(Encoding, "random-basis") is RandomBasis


@pytest.mark.parametrize("encoding", [
    {"use": "low-rank", "rank": 2}, {"use": "random-basis", "genes": 2}, {"use": "cosines", "places": 5, "taps": 2},
])  # fmt: skip
@pytest.mark.parametrize("network", [{"use": "conv", "channels": [4, 6]}, {"use": "recurrent", "hidden": [9]}])
def test_candidates_train_and_come_back_also_without_their_streams(tmp_path, encoding, network):
    document = {
        "study": {"name": "factors", "seed": 3, "objectives": ["accuracy", "parameters"]},
        "task": {"use": "digits", "train": 64, "validation": 20},
        "network": network,
        "neuron": {"v_threshold": 0.3},
        "encoding": encoding,
        "trainer": {"epochs": 1},
        "search": {"generations": 1},
    }
    study = Specification.from_document(document, load())
    genome = study.space.genome({})
    found = evaluate(Job(study.to_json(), genome), load())
    assert found.failure is None, found.failure
    streams, resolved = streams_of(study, genome, 0), study.resolve(genome)
    again = phenotype_of(resolved, found.weights, streams)
    score = resolved.task.score(again, "validation", streams)
    assert score["accuracy"] == found.measurements["accuracy"].mean
    write_candidate(candidate_of(study, 1, genome, {}, found.weights), tmp_path)
    inputs = resolved.task.data("validation").inputs
    with torch.no_grad():
        assert torch.equal(load_network(tmp_path)(inputs), again(inputs))
