"""Smooth weights over pictures and kernels: the cosines, the encoding `cosines`, and `places` of the genetic one."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from encoded_layers import conv, encoded, generator, interactions, is_encoded, linear, plain, stored
from pydantic import ValidationError
from torch import nn

from spikefront import Encoding
from spikefront.components.encoding import picture_of
from spikefront.plugins import load
from spikefront.spiking.builder import Builder
from spikefront_plugins.encodings._cosines import cosines
from spikefront_plugins.encodings._genes import gene_vectors_of
from spikefront_plugins.encodings.cosines import Cosines
from spikefront_plugins.networks._stack import Stack
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.surrogates.sigmoid import Sigmoid
from spikefront_plugins.synapses.dense import Dense


def reader(shape, outputs, bias=False):
    """Return a linear layer that reads pictures of some shape as vectors."""
    builder = Builder(shape, 2, Dense(), [LIF()], Sigmoid(), generator(), 4)
    return builder.linear(shape, outputs, bias).module


@pytest.mark.parametrize(("height", "width", "number"), [
    (1, 1, 1), (3, 3, 1), (3, 3, 4), (3, 3, 9), (5, 5, 7), (5, 5, 25), (4, 6, 5), (4, 6, 24), (1, 7, 3),
])  # fmt: skip
def test_cosines_are_orthogonal_and_scaled(height, width, number):
    columns = cosines(height, width, number).numpy()
    product = columns.T @ columns
    np.testing.assert_allclose(product, np.eye(number) * height * width / number, atol=1e-12)
    assert (columns**2).sum(axis=1).mean() == pytest.approx(1)


@pytest.mark.parametrize("number", [1, 2, 4, 7, 15])
def test_the_smoothest_come_first(number):
    height, width = 3, 5
    waves = sorted(
        itertools.product(range(height), range(width)),
        key=lambda wave: (round((wave[0] / height) ** 2 + (wave[1] / width) ** 2, 9), wave),
    )
    p, q = waves[number - 1]
    expected = np.array([
        [math.cos(math.pi * (i + 0.5) * p / height) * math.cos(math.pi * (j + 0.5) * q / width) for j in range(width)]
        for i in range(height)
    ])  # fmt: skip
    column = cosines(height, width, number)[:, -1].numpy().reshape(height, width)
    np.testing.assert_allclose(column * expected[0, 0], expected * column[0, 0], atol=1e-12)


def test_linear_layers_know_the_pictures_that_they_read():
    builder = Builder((3, 8, 6), 2, Dense(), [LIF()], Sigmoid(), generator(), 4)
    stack = Stack(builder, (3, 8, 6))
    stack.conv(4)
    stack.pool("max")
    stack.vectors()
    stack.linear(9, batch_norm=True)
    stack.readout()
    found = [picture_of(module) for module in stack.module().modules() if isinstance(module, nn.Linear)]
    assert found == [(4, 4, 3), None]
    averaged = Stack(builder, (3, 8, 6))
    averaged.readout("average")
    assert [picture_of(module) for module in averaged.module().modules() if isinstance(module, nn.Linear)] == [None]


def test_weights_over_a_picture_follow_the_equation():
    layer = encoded(Cosines(places=5), reader((2, 4, 3), 7)).double()[0]
    (coefficients,) = (tensor.detach().numpy() for tensor in stored(layer))
    waves = cosines(4, 3, 5).float().double().numpy()
    assert coefficients.shape == (7, 2, 5)
    expected = np.zeros((7, 2, 12))
    for o, c, place in np.ndindex(*expected.shape):
        expected[o, c, place] = sum(coefficients[o, c, k] * waves[place, k] for k in range(5))
    np.testing.assert_allclose(layer.weight.detach().numpy(), expected.reshape(7, 24), rtol=1e-9, atol=1e-15)


def test_weights_over_a_kernel_follow_the_equation():
    layer = encoded(Cosines(taps=4), conv(5, 6)).double()[0]
    (coefficients,) = stored(layer)
    expected = torch.einsum("ock,pk->ocp", coefficients, cosines(3, 3, 4).float().double()).view(6, 5, 3, 3)
    torch.testing.assert_close(layer.weight, expected)
    assert layer.weight.is_contiguous()


@pytest.mark.parametrize(("encoding", "make"), [
    (Cosines(places=40), lambda: reader((2, 12, 12), 300)), (Cosines(taps=3), lambda: conv(40, 90)),
    (plain(genes=32, origin="trained", places=40), lambda: reader((2, 12, 12), 300)),
])  # fmt: skip
def test_the_variance_of_first_weights_is_pytorchs(encoding, make):
    weights = [encoded(encoding, make(), seed=seed)[0].weight.detach() for seed in range(20)]
    variances = [float(weight.var()) * 3 * weight[0].numel() for weight in weights]
    assert np.mean(variances) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize(("encoding", "layer", "expected"), [
    (Cosines(places=11), reader((2, 4, 3), 7), True), (Cosines(places=12), reader((2, 4, 3), 7), False),
    (Cosines(places=0), reader((2, 4, 3), 7), False), (Cosines(places=3), linear(24, 7), False),
    (Cosines(places=3), conv(5, 6), False), (Cosines(taps=8), conv(5, 6), True), (Cosines(taps=9), conv(5, 6), False),
    (Cosines(taps=1), conv(5, 6, kernel=1), False),
])  # fmt: skip
def test_layers_stay_direct_where_cosines_are_no_fewer_numbers(encoding, layer, expected):
    assert is_encoded(encoded(encoding, layer)[0]) == expected


def test_only_coefficients_are_stored_and_they_alone_make_the_weights():
    first, second = (encoded(Cosines(places=5), reader((2, 4, 3), 7, bias=True), seed=seed) for seed in (1, 2))
    assert Cosines().stored_numbers(first) == 7 * 2 * 5 + 7
    assert not torch.equal(first[0].weight, second[0].weight)
    second.load_state_dict(copy.deepcopy(first).state_dict())
    assert torch.equal(first[0].weight, second[0].weight)
    first[0](torch.ones(3, 24)).sum().backward()
    assert stored(first[0])[0].grad.abs().sum() > 0
    others, own = Cosines(factor_rate=3.0, factor_decay=0.5).groups(first)
    assert [len(group.parameters) for group in (others, own)] == [1, 1]
    assert (own.learning_rate, own.weight_decay) == (3.0, 0.5)


@pytest.mark.parametrize("arguments", [{"places": -1}, {"taps": -1}, {"factor_rate": 0.0}, {"factor_decay": -1.0}])
def test_parameters_out_of_range_are_refused(arguments):
    with pytest.raises(ValidationError):
        Cosines(**arguments)


def test_it_comes_through_the_hook():
    assert load().get(Encoding, "cosines") is Cosines


@pytest.mark.parametrize("variant", ["per-tap", "unfold", "fields"])
def test_gene_vectors_of_pixels_are_smooth(variant):
    arrays = interactions(1, 9, 2, 2)
    network = encoded(plain(genes=2, variant=variant, places=5), reader((2, 4, 3), 70), arrays=arrays).double()
    y, coefficients = (tensor.detach() for tensor in stored(network[0]))
    assert coefficients.shape == (2 * 5, 2)
    pixels = torch.cat([cosines(4, 3, 5) @ coefficients[5 * channel : 5 * channel + 5] for channel in range(2)])
    tap = 0 if variant == "fields" else 4
    matrix = torch.tensor(arrays["interactions"][0, tap]).double()
    torch.testing.assert_close(network[0].weight, y @ matrix @ pixels.T)
    in_training = network.train()(torch.ones(1, 24, dtype=torch.float64))
    torch.testing.assert_close(in_training, (y @ matrix @ pixels.T).sum(1)[None])


def test_vectors_of_pixels_count_as_many_numbers_as_they_have():
    encoding = plain(genes=3, origin="trained", places=5)
    network = encoded(encoding, reader((2, 4, 3), 40))
    assert encoding.stored_numbers(network) == 3 * (40 + 2 * 5) + 9
    whole = plain(genes=3, origin="trained", places=12)
    assert whole.stored_numbers(encoded(whole, reader((2, 4, 3), 40))) == 3 * (40 + 24) + 9
    assert not is_encoded(encoded(plain(genes=9, origin="trained", places=12), reader((2, 4, 3), 14))[0])
    assert is_encoded(encoded(plain(genes=9, origin="trained", places=1), reader((2, 4, 3), 14))[0])


def test_vectors_of_pixels_are_tied_to_none_before_them():
    encoding = plain(genes=2, origin="trained", tied=True, places=5)
    network = encoded(encoding, linear(30, 10), reader((2, 4, 3), 40), linear(40, 30))  # 2 * 5 cosines, as 10 outputs
    assert len(gene_vectors_of(network)) == 5
    assert encoding.stored_numbers(network) == 2 * (30 + 10 + 10 + 40 + 30) + 4
