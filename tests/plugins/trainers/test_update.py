"""The optimiser's update in the trainer's own form against torch's."""

import copy

import pytest
import torch
from torch import nn

from spikefront_plugins.trainers._update import forget_gradients, update


def adamw(parameters):
    return torch.optim.AdamW(parameters, 1e-2, weight_decay=0.1, fused=True)


def sgd(parameters):
    return torch.optim.SGD(parameters, 1e-2, 0.9, weight_decay=0.1)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))


def losses(layers, number):
    generator = torch.Generator().manual_seed(number)
    return layers(torch.rand(8, 5, generator=generator)).square().sum()


@pytest.mark.parametrize("make", [adamw, sgd])
def test_weights_and_state_are_those_of_torch_to_the_bit(make):
    ours, theirs = network(), network()
    our_optimizer, their_optimizer = make(ours.parameters()), make(theirs.parameters())
    for number in range(6):
        for optimizer in (our_optimizer, their_optimizer):
            optimizer.param_groups[0]["lr"] = 1e-2 / (1 + number)
        forget_gradients(our_optimizer)
        losses(ours, number).backward()
        update(our_optimizer)
        their_optimizer.zero_grad()
        losses(theirs, number).backward()
        their_optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    our_state, their_state = our_optimizer.state_dict()["state"], their_optimizer.state_dict()["state"]
    assert our_state.keys() == their_state.keys()
    for index, tensors in their_state.items():
        assert all(torch.equal(our_state[index][name], value) for name, value in tensors.items())


def test_a_restored_optimizer_goes_on_as_torch_does():
    first = network()
    optimizer = adamw(first.parameters())
    losses(first, 0).backward()
    update(optimizer)
    second = copy.deepcopy(first)
    other = adamw(second.parameters())
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for layers, advance in ((first, lambda: update(optimizer)), (second, other.step)):
        layers.zero_grad()
        losses(layers, 1).backward()
        advance()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_parameter_without_a_gradient_stays_and_may_join_later():
    layers = network()
    optimizer = adamw(layers.parameters())
    before = layers[0].weight.clone()
    for frozen in (True, True, False):
        layers[0].requires_grad_(not frozen)
        forget_gradients(optimizer)
        losses(layers, 0).backward()
        update(optimizer)
        assert torch.equal(layers[0].weight, before) == frozen
