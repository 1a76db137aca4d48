"""Unusual components that keep their contracts: the suites ask for no more than a contract promises."""

import pytest
import torch
from pydantic import Field
from torch import nn
from torch.nn.utils import parametrize

from spikefront import Encoding, Synapse
from spikefront.components.encoding import encodable_weights
from spikefront.testing import run_checks
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.synapses.dense import Dense


class Noisy(LIF):
    """A neuron whose currents are noisy."""

    name = "noisy"

    def sequence(self, x, state, trained, surrogate, generator):
        noise = 0.3 * torch.randn(x.shape, generator=generator, dtype=x.dtype)
        return super().sequence(x + noise, state, trained, surrogate, generator)


class Bursting(LIF):
    """A neuron that fires up to two spikes a step, driven by a current of its own."""

    name = "bursting"

    def step(self, x, state, trained, spike):
        h = state[0] * 0.5 + x + 2.0
        s = spike(h - 1) + spike(h - 2)
        return s, (h - s.detach(),)

    def sequence(self, x, state, trained, surrogate, generator):
        return self.reference(x, state, trained, surrogate)


class Mask(nn.Module):
    """Sets weights to zero."""

    def __init__(self, mask, scale):
        super().__init__()
        self.register_buffer("mask", mask)
        self.scale = scale

    def forward(self, weight):
        return weight * self.mask * self.scale


class Sparse(Encoding):
    """Random weights are zero for good; the others are stored with their indices."""

    name = "sparse"

    density: float = Field(0.3, gt=0, le=1, description="share of the weights that are not zero")

    def apply(self, network, arrays, generator):
        for layer, name in list(encodable_weights(network)):
            drawn = torch.rand(getattr(layer, name).shape, generator=generator)
            parametrize.register_parametrization(layer, name, Mask(drawn < self.density, self.density**-0.5))

    def stored_numbers(self, network):
        masks = [module.mask for module in network.modules() if isinstance(module, Mask)]
        return super().stored_numbers(network) - sum(mask.numel() - 2 * int(mask.sum()) for mask in masks)


class Branches(nn.Module):
    """Sums pairs of rectified sums: half as many outputs as asked for."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.out_features = inner, inner.out_features // 2

    def forward(self, x):
        return torch.relu(self.inner(x)).unflatten(-1, (-1, 2)).sum(-1)


class Dendritic(Synapse):
    """Two branches for each output, and no convolution."""

    name = "dendritic"

    def linear(self, inputs, outputs, bias, generator):
        return Branches(Dense().linear(inputs, outputs, bias, generator))

    def readout(self, inputs, outputs, bias, generator):
        return Dense().linear(inputs, outputs, bias, generator)


@pytest.mark.parametrize("cls", [Noisy, Bursting, Sparse, Dendritic])
def test_it_passes(cls):
    outcomes = run_checks(cls())
    assert not [outcome for outcome in outcomes if outcome.failed]
    assert sum(outcome.state == "passed" for outcome in outcomes) > 14
