"""Dense synapses: PyTorch's initial distribution, from a given generator."""

import pytest
import torch
from torch import nn

from spikefront import Synapse
from spikefront.plugins import load
from spikefront_plugins.synapses.dense import Dense


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("make", [
    lambda g: Dense().linear(300, 400, True, g),
    lambda g: Dense().conv(30, 400, 3, 1, 1, True, g),
], ids=["linear", "conv"])  # fmt: skip
def test_weights_and_biases_have_pytorchs_range_and_variance(make):
    layer = make(generator())
    fan_in = layer.weight[0].numel()
    assert float(layer.weight.detach().var()) * 3 * fan_in == pytest.approx(1, abs=0.02)
    assert float(layer.bias.detach().var()) * 3 * fan_in == pytest.approx(1, abs=0.15)
    bound = fan_in**-0.5
    assert float(layer.weight.detach().abs().max()) <= bound
    assert float(layer.weight.detach().abs().max()) > 0.999 * bound
    assert float(layer.bias.detach().abs().max()) <= bound


def test_layers_are_what_was_asked_for():
    conv = Dense().conv(3, 5, 7, 2, 3, False, generator())
    assert isinstance(conv, nn.Conv2d)
    assert conv.bias is None
    assert conv(torch.zeros(2, 3, 11, 8)).shape == (2, 5, 6, 4)
    linear = Dense().linear(6, 4, False, generator())
    assert isinstance(linear, nn.Linear)
    assert linear.bias is None
    assert linear(torch.zeros(2, 6)).shape == (2, 4)


def test_it_comes_through_the_hook():
    assert load().get(Synapse, "dense") is Dense
