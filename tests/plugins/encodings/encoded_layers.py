"""Layers for the tests of encodings."""

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from spikefront_plugins.encodings.genetic import Genetic
from spikefront_plugins.synapses.dense import Dense


def plain(**options):
    """Return a genetic encoding without the options that are its defaults."""
    return Genetic(**{"variant": "per-tap", "tied": False, "initial": "normal"} | options)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def linear(inputs, outputs, seed=0, bias=False):
    return Dense().linear(inputs, outputs, bias, generator(seed))


def conv(inputs, outputs, kernel=3, seed=0, stride=1, bias=False):
    return Dense().conv(inputs, outputs, kernel, stride, kernel // 2, bias, generator(seed))


def encoded(encoding, *layers, arrays=None, seed=1):
    network = nn.Sequential(*layers)
    encoding.apply(network, arrays or {}, generator(seed))
    return network


def interactions(*shape):
    """Return an evolved array as a search draws it."""
    array = np.random.default_rng(0).normal(0, 1 / shape[-1], shape).astype(np.float32)
    return {"interactions": array}


def is_encoded(layer):
    return parametrize.is_parametrized(layer, "weight")


def stored(layer):
    """Return the tensors that a layer's weight is made of."""
    tensors = layer.parametrizations.weight
    return [getattr(tensors, f"original{number}") for number in range(tensors.ntensors)]


def watched(layer):
    """Return a list that grows whenever the layer's weight is generated."""
    calls = []
    layer.parametrizations.weight[0].register_forward_hook(lambda *_: calls.append(1))
    return calls


def by_factors_and_by_weight(layer, *shape):
    """Return outputs and gradients in training, which does not make the weight, and those of the weight."""
    generated = watched(layer)
    data = torch.randn(*shape, generator=generator(), dtype=torch.float64, requires_grad=True)
    found = []
    for training in (True, False):
        output = layer.train(training)(data)
        cotangent = torch.randn(output.shape, generator=generator(1), dtype=torch.float64)
        found.append([output, *torch.autograd.grad(output, [data, *layer.parameters()], cotangent)])
    assert generated == [1]
    return found
