"""Tensors that all layers of a model share: which one serves them, gradients, and the state dict."""

import copy

import torch
from torch import nn

from spikefront import NeuronModel
from spikefront.spiking.layers import NeuronLayer, share_trained
from spikefront_plugins.surrogates.atan import ATan


class Levels(NeuronModel):
    """v_t = (v_{t-1} + x_t) / 2, s_t = 1 where v_t >= level; no reset; layers share `level` and have a `gain` each."""

    name = "levels"

    scale: float = 1.0

    def trained(self, shape, steps, generator):
        return {"level": torch.rand(shape, generator=generator), "gain": torch.ones(())}

    def shared(self):
        return frozenset({"level"})

    def step(self, x, state, trained, spike):
        v = (state[0] + trained["gain"] * x) / 2
        return spike(v - trained["level"][: x.shape[1]]), (v,)


def layers(*sizes, models=None):
    models = models or [Levels()] * len(sizes)
    made = [
        NeuronLayer(model, ATan(), (size,), 4, torch.Generator().manual_seed(size + 10 * n))
        for n, (model, size) in enumerate(zip(models, sizes, strict=True))
    ]
    network = nn.ModuleList(made)
    largest = made[sizes.index(max(sizes))].trained["level"]
    share_trained(network)
    return network, largest


def test_the_largest_tensor_serves_all():
    network, largest = layers(3, 8, 5)
    assert all(layer.trained["level"] is largest for layer in network)
    assert len({id(layer.trained["gain"]) for layer in network}) == 3
    assert [tuple(p.shape) for p in network.parameters()].count((8,)) == 1
    assert sum(p.numel() for p in network.parameters()) == 8 + 3


def test_models_with_other_parameters_share_nothing_with_each_other():
    network, _ = layers(3, 8, 5, models=[Levels(), Levels(scale=2.0), Levels()])
    first, other, last = (layer.trained["level"] for layer in network)
    assert first is last
    assert first.shape == (5,)
    assert other.shape == (8,)


def test_gradients_of_all_layers_add_up():
    network, largest = layers(3, 8)
    x = torch.randn(4, 2, 8, generator=torch.Generator().manual_seed(1))
    parts = []
    for layer, inputs in zip(network, (x[..., :3], x), strict=True):
        (gradient,) = torch.autograd.grad(layer(inputs).sum(), largest)
        parts.append(gradient)
    (whole,) = torch.autograd.grad(network[0](x[..., :3]).sum() + network[1](x).sum(), largest)
    torch.testing.assert_close(whole, parts[0] + parts[1])
    assert parts[0][:3].abs().min() > 0
    assert parts[0][3:].abs().max() == 0


def test_a_state_dict_leads_to_one_tensor_and_comes_back_into_one():
    network, largest = layers(3, 8)
    with torch.no_grad():
        largest.add_(1.0)
    state = network.state_dict()
    assert state["0.trained.level"].data_ptr() == state["1.trained.level"].data_ptr()
    again, serving = layers(3, 8)
    again.load_state_dict({name: value for name, value in state.items() if name != "0.trained.level"}, strict=False)
    assert torch.equal(serving, largest)
    assert again[0].trained["level"] is serving


def test_a_deep_copy_still_shares():
    network, _ = layers(3, 8)
    first, second = copy.deepcopy(network)
    assert first.trained["level"] is second.trained["level"]
    assert first.trained["level"] is not network[0].trained["level"]
