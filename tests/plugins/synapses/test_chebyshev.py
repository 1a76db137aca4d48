"""Chebyshev synapses: the cosine form, explicit loops, and what enters as it is."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch.nn import functional

from spikefront import Synapse
from spikefront.components.parts import Parts
from spikefront.measure.recorder import record
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront_plugins.coders.direct import Direct as DirectCoder
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.encodings.low_rank import LowRank
from spikefront_plugins.networks.conv import Conv
from spikefront_plugins.networks.mlp import MLP
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.synapses.chebyshev import Chebyshev, traces
from spikefront_plugins.synapses.dense import Dense


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def values(*shape, seed=1, reach=0.99):
    """Return values within +-reach, in double precision."""
    return reach * (2 * torch.rand(shape, generator=generator(seed), dtype=torch.float64) - 1)


def linear(inputs=4, outputs=3, bias=True, **parameters):
    """Return a layer whose coefficients are of the size of 1."""
    layer = Chebyshev(**{"decay": 0.0, **parameters}).linear(inputs, outputs, bias, generator()).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator(7), dtype=torch.float64))
    return layer


def coefficients(layer):
    return torch.stack([order.module.weight for order in layer.orders], 2), layer.orders[0].module.bias


def build(synapse, network, shape=(6,), encoding=None, steps=4):
    parts = Parts(network, (LIF(v_threshold=0.2),), ATan(), synapse, DirectCoder(steps=steps), encoding or Direct())
    return parts.build(shape, 3, Streams(1)).eval()


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_currents_are_those_of_a_loop_in_cosine_form(order):
    layer = linear(order=order)
    x = values(2, 5, 4)
    a, b = (tensor.detach().numpy() for tensor in coefficients(layer))
    expected = np.zeros((2, 5, 3))
    for t, s, j in np.ndindex(2, 5, 3):
        expected[t, s, j] = b[j]
        for i, k in itertools.product(range(4), range(order + 1)):
            u = float(x[t, s, i])
            expected[t, s, j] += a[j, i, k] * math.cos(k * math.acos(u)) * u
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, atol=1e-12)


def test_the_contribution_of_the_notes():
    """x = 0.5, a = (1, 2, 3): w = 1 + 1 - 1.5 = 0.5, and 0.25 enters."""
    layer = linear(1, 1, bias=False, order=2)
    with torch.no_grad():
        for number, order in enumerate(layer.orders, 1):
            order.module.weight.fill_(number)
    assert layer(torch.full((1, 1, 1), 0.5, dtype=torch.float64)).item() == 0.25


@pytest.mark.parametrize("k", range(6))
def test_a_polynomial_times_its_input_is_the_mean_of_its_neighbours(k):
    """x T_k = (T_{k+1} + T_|k-1|) / 2."""
    layer = linear(1, 1, bias=False, order=k)
    with torch.no_grad():
        for number, order in enumerate(layer.orders):
            order.module.weight.fill_(float(number == k))
    x = values(1, 50, 1)
    polynomial = np.polynomial.chebyshev.chebval
    both = [polynomial(x.numpy(), [0.0] * degree + [1.0]) for degree in (k + 1, abs(k - 1))]
    np.testing.assert_allclose(layer(x).detach().numpy(), sum(both) / 2, atol=1e-13)


def test_gradients_are_those_of_the_cosine_form():
    layer = linear(order=4)
    a, b = coefficients(layer)
    x = values(1, 6, 4).requires_grad_()
    orders = torch.arange(5, dtype=torch.float64)
    basis = torch.cos(orders * torch.acos(x).unsqueeze(-1)) * x.unsqueeze(-1)
    expected = torch.einsum("tsik,jik->tsj", basis, a) + b
    wanted = torch.autograd.grad(expected.square().sum(), [x, *layer.parameters()])
    found = torch.autograd.grad(layer(x).square().sum(), [x, *layer.parameters()])
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("shape", [(6,), (2, 8, 8)])
def test_order_0_without_traces_is_the_dense_network_bit_for_bit(shape):
    network = MLP(hidden=(8, 8)) if len(shape) == 1 else Conv(channels=(4, 6))
    dense, zero = (build(synapse, network, shape) for synapse in (Dense(), Chebyshev(order=0, decay=0.0)))
    x = torch.rand(5, *shape, generator=generator(2))
    assert torch.equal(dense(x), zero(x))


@given(decay=st.floats(0, 0.99), seed=st.integers(0, 100))
def test_a_constant_input_enters_as_it_is(decay, seed):
    x = torch.randn(5, generator=generator(seed)).expand(4, 5)
    assert torch.equal(traces(x, decay), x)


@given(decay=st.floats(0, 0.99), seed=st.integers(0, 100))
def test_traces_are_exponential_means_that_start_at_the_first_input(decay, seed):
    x = (torch.rand(6, 3, generator=generator(seed), dtype=torch.float64) < 0.4).double()
    found = traces(x, decay)
    for t in range(6):
        shares = [decay**t, *((1 - decay) * decay ** (t - s) for s in range(1, t + 1))]
        expected = sum(share * now for share, now in zip(shares, x, strict=False))
        torch.testing.assert_close(found[t], expected)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


def test_spikes_without_traces_make_the_layer_linear():
    """T_k(1) = 1, and what does not fire enters with 0."""
    layer = linear(order=3)
    s = (values(3, 5, 4) > 0).double()
    summed = coefficients(layer)[0].sum(2)
    torch.testing.assert_close(layer(s), functional.linear(s, summed, coefficients(layer)[1]))
    traced = linear(order=3, decay=0.5)
    assert not torch.allclose(traced(s), functional.linear(traces(s, 0.5), summed, coefficients(layer)[1]))


@pytest.mark.parametrize(("squash", "function"), [("tanh", np.tanh), ("clip", lambda z: np.clip(z, -1, 1))])
def test_inputs_are_squashed(squash, function):
    layer = linear(order=3, squash=squash)
    x = values(1, 5, 4, reach=3.0)
    within = torch.from_numpy(function(x.numpy()))
    torch.testing.assert_close(layer(x), linear(order=3)(within))


def test_inputs_are_not_mixed_so_that_xor_is_out_of_reach():
    layer = linear(2, 1, order=5)
    corners = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    equal_a, equal_b, other_a, other_b = layer(corners.unsqueeze(0)).flatten().tolist()
    assert equal_a + equal_b == pytest.approx(other_a + other_b, abs=1e-10)


@pytest.mark.parametrize(("inputs", "outputs", "order", "numbers"), [(30, 16, 3, 1936), (4, 3, 0, 15)])
def test_stored_numbers_of_the_notes(inputs, outputs, order, numbers):
    layer = Chebyshev(order=order).linear(inputs, outputs, True, generator())
    assert sum(p.numel() for p in layer.parameters()) == numbers


def test_training_starts_near_the_linear_layer():
    layer = Chebyshev(order=3).linear(300, 400, True, generator())
    first, *others = (order.module.weight.detach() for order in layer.orders)
    assert float(first.var()) * 3 * 300 == pytest.approx(1, abs=0.02)
    for weight in others:
        assert float(weight.std()) == pytest.approx(0.1 / math.sqrt(300 * 4), rel=0.01)
    assert not torch.equal(others[0], others[1])


def test_work_is_n_plus_1_multiply_accumulates_a_connection():
    network = build(Chebyshev(order=2), MLP(hidden=(8,)), steps=3)
    with torch.no_grad(), record(network, analog_input=True) as recorder:
        network(torch.rand(5, 6, generator=generator(4)))
    layers = recorder.recording(3).synapses
    assert [layer.analog for layer in layers] == [True] * 6
    assert [layer.dense for layer in layers] == [3 * 6 * 8] * 3 + [3 * 8 * 3] * 3
    assert recorder.recording(3).neurons[0].spikes > 0


def test_a_convolution_has_a_polynomial_for_each_tap():
    layer = Chebyshev(order=1, decay=0.0).conv(2, 3, 3, 2, 1, True, generator()).double()
    x = values(2, 4, 2, 6, 6)
    linear, square = (order.module for order in layer.orders)
    flat = x.flatten(0, 1)
    expected = functional.conv2d(flat, linear.weight, linear.bias, 2, 1)
    expected = expected + functional.conv2d(flat.square(), square.weight, None, 2, 1)
    torch.testing.assert_close(layer(x), expected.unflatten(0, (2, 4)))


def test_an_encoding_finds_every_order():
    network = build(Chebyshev(order=2), MLP(hidden=(16,)), (1, 8, 8), encoding=LowRank(rank=2))
    assert sum(p.numel() for p in network.parameters()) == 3 * 2 * (64 + 16) + 16 + 3 * 2 * (16 + 3) + 3
    network(torch.rand(2, 1, 8, 8)).sum().backward()


@pytest.mark.parametrize("wrong", [{"order": -1}, {"squash": "sine"}, {"decay": 1.0}])
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValidationError):
        Chebyshev(**wrong)


def test_it_comes_through_the_hook():
    assert load().get(Synapse, "chebyshev") is Chebyshev
