"""The search spaces of AutoSNN, SNASNet and EMO-SNAS: members, sizes, a cell against a loop from its equation."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from spikefront.components import Parts
from spikefront.errors import InputError
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.specification import Specification
from spikefront_plugins.coders.direct import Direct as DirectCoder
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.networks.autosnn import AutoSNN, Block
from spikefront_plugins.networks.emo_snas import EMOSNAS, Expand
from spikefront_plugins.networks.emo_snas import Block as Residual
from spikefront_plugins.networks.snas_cell import Cell, Operation, SNASCell
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.synapses.dense import Dense

T = 4


def build(network, shape=(1, 8, 8), synapse=None):
    parts = Parts(network, (LIF(v_threshold=0.3),), ATan(), synapse or Dense(), DirectCoder(steps=T), Direct())
    return parts.build(shape, 10, Streams(3))


def size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def slots(*blocks):
    return {f"slot_{number}": block for number, block in enumerate(blocks, 1)}


# AutoSNN


def conv(kernel: int, inputs: int, outputs: int) -> int:
    """Numbers of a convolution and its normalisation."""
    return kernel**2 * inputs * outputs + 2 * outputs


AROUND = conv(3, 1, 4) + 16 * 10 + 10
"""Stem and readout at width 4 on images of 8x8."""


@pytest.mark.parametrize(("blocks", "expected"), [
    (("skip",) * 5, conv(1, 4, 8) + conv(1, 8, 16)),
    (("scb-3", "scb-5", "scb-3", "scb-5", "scb-3"),
     conv(3, 4, 4) + conv(5, 4, 8) + conv(3, 8, 8) + conv(5, 8, 16) + conv(3, 16, 16)),
    (("srb-5", "srb-5", "skip", "srb-3", "srb-5"),
     2 * conv(5, 4, 4) + conv(5, 4, 8) + conv(5, 8, 8) + conv(1, 4, 8)
     + conv(3, 8, 16) + conv(3, 16, 16) + conv(1, 8, 16) + 2 * conv(5, 16, 16)),
])  # fmt: skip
def test_the_numbers_of_an_autosnn_follow_from_its_blocks(blocks, expected):
    assert size(build(AutoSNN(width=4, **slots(*blocks)))) == AROUND + expected


def test_autosnns_space_has_3125_members_and_the_found_network_is_one():
    choice = {"choice": list(get_args(Block))}
    document = {
        "study": {"name": "space", "objectives": ["accuracy", "spikes"]},
        "task": {"use": "digits"},
        "network": {"use": "autosnn", **slots(*[choice] * 5)},
        "search": {"population": 4, "generations": 1},
    }
    space = Specification.from_document(document, load()).space
    assert space.size() == 3125
    found = AutoSNN().model_dump()
    assert all(space[f"network.{slot}"].domain.contains(found[slot]) for slot in slots(*"abcde"))


def test_an_autosnn_sends_spikes_only():
    built, seen = build(AutoSNN(width=4)).eval(), []
    for layer in built.body:
        if type(layer).__name__ in {"SpikingResidual", "NeuronLayer"}:
            layer.register_forward_hook(lambda module, inputs, output: seen.append(output))
    built(torch.rand(2, 1, 8, 8))
    assert len(seen) == 5
    assert all(((spikes == 0) | (spikes == 1)).all() for spikes in seen)


# SNASNet


def by_hand(cell: Cell, names: dict[tuple[int, int], Operation], x: Tensor) -> Tensor:
    """Return the spikes of a cell's last node, step by step and edge by edge, from the equation of the docstring."""
    modules = dict(zip(cell.edges, cell.operations, strict=True))

    def apply(edge: tuple[int, int], s: Tensor) -> Tensor:
        kind, _, side = names[edge].partition("-")
        if kind == "skip":
            return s
        if kind == "pool":
            return functional.avg_pool2d(s, 3, 1, 1)
        weight = next(module for module in modules[edge].modules() if isinstance(module, nn.Conv2d)).weight.double()
        return functional.conv2d(s, weight, padding=int(side) // 2) / (1 + 1e-5) ** 0.5  # a fresh norm, evaluated

    v = {node: torch.zeros_like(x[0]) for node in (1, 2, 3)}
    before = {node: torch.zeros_like(x[0]) for node in range(4)}
    outputs = []
    for step in x:
        now = {0: step}
        for node in (1, 2, 3):
            current = torch.zeros_like(step)
            for start, end in names:
                if end == node:
                    current = current + apply((start, end), now[start] if start < end else before[start])
            v[node] = v[node] + (current - v[node]) / 2
            now[node] = (v[node] >= 0.3).double()
            v[node] = v[node] * (1 - now[node])
        outputs.append(now[3])
        before = now
    return torch.stack(outputs)


@pytest.mark.parametrize("edges", [
    {(0, 1): "conv-3", (1, 2): "skip", (0, 3): "pool-3", (2, 3): "conv-1"},
    {(0, 1): "skip", (1, 3): "pool-3", (2, 1): "conv-3", (0, 2): "pool-3", (3, 2): "conv-1", (3, 1): "pool-3"},
    {(0, 2): "skip", (3, 2): "conv-3", (2, 3): "conv-3"},
])  # fmt: skip
def test_a_cell_follows_its_equation(edges):
    names = {f"from_{a}_to_{b}": "zero" for a in range(4) for b in range(1, 4) if a != b}
    names |= {f"from_{a}_to_{b}": operation for (a, b), operation in edges.items()}
    built = build(SNASCell(width=3, **names)).eval()
    cell = next(module for module in built.modules() if isinstance(module, Cell))
    assert set(cell.edges) == set(edges)
    x = (torch.rand(T, 2, 3, 6, 5, generator=torch.Generator().manual_seed(1)) < 0.5).double()
    expected = by_hand(cell, edges, x)
    assert 0.02 < expected.mean() < 0.98
    assert torch.equal(cell.double()(x), expected)


def test_an_edge_back_needs_a_synapse_without_memory():
    class Remembering(Dense):
        name = "remembering"
        sequential = True

    with pytest.raises(InputError, match=r"from_3_to_2 leads back"):
        build(SNASCell(from_3_to_2="skip"), synapse=Remembering())


def test_a_synapse_that_changes_widths_is_refused():
    class Halving(Dense):
        name = "halving"

        def conv(self, inputs, outputs, *others):
            return super().conv(inputs, outputs // 2, *others)

    with pytest.raises(InputError, match=r"an edge of 4 channels ends in 2"):
        build(SNASCell(width=8), synapse=Halving())


def test_a_cell_that_nothing_reaches_is_silent():
    edges = {f"from_{a}_to_{b}": "zero" for a in range(4) for b in range(1, 4) if a != b}
    outputs = build(SNASCell(width=3, **edges)).eval()(torch.rand(2, 1, 8, 8))
    assert torch.equal(outputs, outputs[:1, :1].expand_as(outputs))


# EMO-SNAS


def blocks(*channels, expand=()):
    return EMOSNAS(blocks=[Residual(channels=c, expand=n in expand) for n, c in enumerate(channels)])


@pytest.mark.parametrize(("channels", "expected"), [
    ((4,), conv(3, 1, 4) + 2 * conv(3, 4, 4) + 4 * 10 + 10),
    ((4, 8, 4), conv(3, 1, 4) + 2 * conv(3, 4, 4) + conv(3, 4, 8) + conv(3, 8, 8) + conv(1, 4, 8)
     + conv(3, 8, 4) + conv(3, 4, 4) + conv(1, 8, 4) + 4 * 10 + 10),
])  # fmt: skip
def test_the_numbers_of_a_list_of_blocks_follow_from_its_channels(channels, expected):
    assert size(build(blocks(*channels))) == expected


def test_the_image_is_halved_where_blocks_get_wider_than_all_before():
    shapes = [layer.shape for layer in build(blocks(2, 4, 2, 4, 8)).modules() if hasattr(layer, "shape")]
    assert [shape[-1] for shape in shapes] == [8] * 3 + [4] * 6 + [2] * 2


def test_expand_adds_the_product_of_all_steps():
    s = (torch.rand(T, 2, 3, 5, 5, generator=torch.Generator().manual_seed(1)) < 0.8).float()
    longer = Expand(T)(s)
    assert torch.equal(longer[:T], s)
    assert torch.equal(longer[T], s[0] * s[1] * s[2] * s[3])
    assert set(longer.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(Expand(T)(longer), longer)


@pytest.mark.parametrize(("expand", "steps"), [((), T), ((0,), T + 1), ((1, 2), T + 1)])
def test_the_network_runs_one_step_longer_behind_its_first_expand(expand, steps):
    assert build(blocks(2, 2, 4, expand=expand))(torch.rand(3, 1, 8, 8)).shape == (steps, 3, 10)
