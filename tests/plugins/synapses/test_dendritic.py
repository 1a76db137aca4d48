"""Dendritic synapses: explicit loops over neurons and branches, budgets, and counted work."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from spikefront import Synapse
from spikefront.components.parts import Parts
from spikefront.measure.recorder import record
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.spiking.builder import width
from spikefront_plugins.coders.direct import Direct as DirectCoder
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.encodings.genetic import Genetic
from spikefront_plugins.networks.conv import Conv
from spikefront_plugins.networks.mlp import MLP
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.synapses.dendritic import Dendritic
from spikefront_plugins.synapses.dense import Dense

SCALE = {"sum": lambda k: 1.0, "mean": lambda k: 1 / k, "root": lambda k: k**-0.5}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def linear(synapse, inputs=5, outputs=8, bias=True):
    return synapse.linear(inputs, outputs, bias, generator()).double()


def build(synapse, network, shape=(6,), outputs=3, encoding=None, steps=4):
    parts = Parts(network, (LIF(v_threshold=0.2),), ATan(), synapse, DirectCoder(steps=steps), encoding or Direct())
    return parts.build(shape, outputs, Streams(1))


def weights(network):
    return sum(p.numel() for name, p in network.named_parameters() if name.endswith("weight"))


def looped(x, weight, bias, branches, aggregation, threshold):
    """Return currents (N, neurons), by the printed equation."""
    currents = np.zeros((len(x), len(weight) // branches))
    for sample, n, k in np.ndindex(*currents.shape, branches):
        row = n * branches + k
        total = bias[row] - threshold + sum(float(w) * float(v) for w, v in zip(weight[row], x[sample], strict=True))
        currents[sample, n] += max(0.0, total) * SCALE[aggregation](branches)
    return currents


@pytest.mark.parametrize("aggregation", ["sum", "mean", "root"])
@pytest.mark.parametrize(("branches", "threshold"), [(4, 0.0), (4, 0.2), (3, 0.1)])
def test_currents_are_those_of_a_loop_over_neurons_and_branches(aggregation, branches, threshold):
    layer = linear(Dendritic(branches=branches, aggregation=aggregation, threshold=threshold), outputs=9)
    x = torch.randn(7, 5, generator=generator(1), dtype=torch.float64)
    weight, bias = (p.detach().numpy() for p in (layer.weighted.weight, layer.weighted.bias))
    expected = looped(x.numpy(), weight, bias, branches, aggregation, threshold)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, atol=1e-12)


def test_the_norm_leaves_mean_0_and_variance_1_over_the_neurons_of_a_layer():
    plain, normed = (linear(Dendritic(norm=norm), outputs=40) for norm in (False, True))
    x = torch.randn(6, 5, generator=generator(1), dtype=torch.float64)
    currents = plain(x).detach().numpy()
    mean, variance = currents.mean(1, keepdims=True), currents.var(1, keepdims=True)
    np.testing.assert_allclose(normed(x).detach().numpy(), (currents - mean) / np.sqrt(variance + 1e-5), atol=1e-10)


def test_branches_that_are_all_open_are_one_linear_map():
    layer = linear(Dendritic(branches=4, aggregation="sum"), bias=False)
    with torch.no_grad():
        layer.weighted.weight.abs_()
    x = torch.rand(7, 5, generator=generator(1), dtype=torch.float64)
    summed = layer.weighted.weight.unflatten(0, (-1, 4)).sum(1)
    torch.testing.assert_close(layer(x), x @ summed.T)


@pytest.mark.parametrize("shape", [(6,), (2, 8, 8)])
def test_one_branch_is_the_point_network_bit_for_bit(shape):
    network = MLP(hidden=(8, 8)) if len(shape) == 1 else Conv(channels=(4, 6))
    point, one = (build(synapse, network, shape).eval() for synapse in (Dense(), Dendritic(branches=1)))
    x = torch.rand(5, *shape, generator=generator(2))
    assert torch.equal(point(x), one(x))
    assert list(point.state_dict()) == list(one.state_dict())


def test_a_norm_of_one_branch_rectifies_nothing():
    layer, dense = linear(Dendritic(branches=1, norm=True)), linear(Dense())
    x = torch.randn(6, 5, generator=generator(1), dtype=torch.float64)
    torch.testing.assert_close(layer(x), nn.functional.layer_norm(dense(x), (8,)))


def test_gradients_are_those_of_finite_differences():
    layer = linear(Dendritic(branches=4, norm=True, threshold=0.05), outputs=6)
    x = torch.randn(3, 5, generator=generator(3), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, _: layer(x), (x, layer.weighted.weight))


@given(neurons=st.integers(1, 40), root=st.integers(1, 6))
def test_between_layers_of_a_kind_branches_cost_no_weights(neurons, root):
    """K Dh^2 = D^2 with Dh = D / sqrt K."""
    outputs = neurons * root
    layer = Dendritic(branches=root**2).linear(neurons, outputs, False, generator())
    assert width(layer) == neurons
    assert sum(p.numel() for p in layer.parameters()) == outputs**2


@pytest.mark.parametrize(("branches", "outputs", "numbers", "sent"), [
    (4, 128, 16_384, 0.5), (16, 256, 65_536, 0.25),
])  # fmt: skip
def test_equal_budgets_of_the_notes(branches, outputs, numbers, sent):
    layer = Dendritic(branches=branches).linear(64, outputs, False, generator())
    assert (width(layer), sum(p.numel() for p in layer.parameters())) == (64, numbers)
    assert width(layer) / outputs == sent


@pytest.mark.parametrize("branches", [1, 2, 4, 16])
def test_the_readout_keeps_the_outputs_of_the_task(branches):
    network = build(Dendritic(branches=branches), MLP(hidden=(16, 16)))
    assert network(torch.rand(2, 6)).shape == (4, 2, 3)
    narrow = round(16 / math.sqrt(branches))
    assert weights(network) == narrow * branches * (6 + narrow) + 3 * narrow


def test_a_convolution_has_the_branches_of_each_place():
    layer = Dendritic(branches=4, aggregation="sum").conv(2, 6, 3, 2, 1, True, generator())
    x = torch.randn(3, 2, 7, 7, generator=generator(1))
    sums = nn.functional.conv2d(x, layer.weighted.weight, layer.weighted.bias, 2, 1)
    expected = torch.stack([sums[:, 4 * n : 4 * n + 4].clamp(min=0).sum(1) for n in range(3)], 1)
    assert width(layer) == 3
    torch.testing.assert_close(layer(x), expected)


def test_work_is_that_of_the_weights_and_of_the_sums_in_the_soma():
    network = build(Dendritic(branches=4), MLP(hidden=(8, 8)), steps=2).eval()
    with torch.no_grad(), record(network, analog_input=True) as recorder:
        network(torch.rand(5, 6, generator=generator(4)))
    first, sums, second, *_ = recorder.recording(2).synapses
    spikes = recorder.recording(2).neurons[0].spikes
    assert (first.analog, first.dense) == (True, 2 * 6 * 16)
    assert (sums.analog, sums.effective, sums.dense, sums.rate) == (False, 2 * 4 * 3, 2 * 4 * 3, 1)
    assert (second.analog, second.effective) == (False, pytest.approx(16 * spikes))


def test_an_encoding_finds_the_weights_and_the_picture_that_they_read():
    encoding = Genetic(variant="fields", origin="trained", genes=2, places=4)
    network = build(Dendritic(branches=4), MLP(hidden=(16,)), (1, 8, 8), encoding=encoding)
    assert encoding.stored_numbers(network) < 2 * (32 + 4) + 32 + 2 * 8 + 3 * 8 + 3 + 2 * 2
    network(torch.rand(2, 1, 8, 8)).sum().backward()


@pytest.mark.parametrize("wrong", [{"branches": 0}, {"aggregation": "max"}, {"threshold": -0.1}])
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValidationError):
        Dendritic(**wrong)


def test_it_comes_through_the_hook():
    assert load().get(Synapse, "dendritic") is Dendritic
