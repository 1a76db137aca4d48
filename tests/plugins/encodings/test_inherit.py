"""What every encoding inherits where it says nothing else."""

import torch
from torch import nn

from spikefront_plugins.encodings.direct import Direct


def network(seed, hidden=5, tied=False):
    """Return layers with all kinds of tensors: parameters, statistics and a buffer of another kind."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = nn.Sequential(nn.Linear(4, hidden), nn.BatchNorm1d(hidden), nn.Linear(hidden, 4), nn.Linear(4, hidden))
        made(torch.randn(8, 4))
        made.register_buffer("constant", torch.full((), float(seed)))
    if tied:
        made[3].weight = made[0].weight
    return made


def changed(child, tensors):
    """Return the names of the tensors that inheritance changes."""
    before = {name: tensor.clone() for name, tensor in child.state_dict().items()}
    Direct().inherit(child, tensors)
    return {name for name, tensor in child.state_dict().items() if not torch.equal(tensor, before[name])}


def test_parameters_and_statistics_are_inherited_and_other_buffers_are_not():
    parent, child = network(1).state_dict(), network(2)
    assert changed(child, parent) <= set(parent) - {"constant"}
    now = child.state_dict()
    assert {name for name in parent if not torch.equal(now[name], parent[name])} == {"constant"}
    assert child.constant == 2


def test_what_has_another_shape_or_name_stays_fresh():
    child = network(2)
    assert changed(child, network(1, hidden=6).state_dict()) == {"2.bias"}
    assert changed(child, {"another": torch.zeros(4)}) == set()


def test_inherited_parameters_are_copies_that_can_be_trained():
    parent, child = network(1), network(2)
    Direct().inherit(child, parent.state_dict())
    with torch.no_grad():
        parent[0].weight.zero_()
    assert child[0].weight.any()
    child(torch.ones(8, 4)).sum().backward()
    assert all(parameter.requires_grad and parameter.grad is not None for parameter in child.parameters())


def test_a_shared_parameter_is_found_under_its_first_name():
    parent, child = network(1, tied=True).state_dict(), network(2, tied=True)
    del parent["3.weight"]
    assert {"0.weight", "3.weight"} <= changed(child, parent)
    assert child[3].weight is child[0].weight
    assert torch.equal(child[0].weight, parent["0.weight"])
