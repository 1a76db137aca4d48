"""The cell of SNASNet: a small graph of neurons, with edges that lead back in time."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront import Network, hookimpl
from spikefront.components import State
from spikefront.errors import InputError
from spikefront.spiking.builder import Builder
from spikefront.spiking.layers import NeuronLayer
from spikefront_plugins.networks._stack import Stack, Width, require_image, require_side

Operation = Literal["zero", "skip", "conv-1", "conv-3", "pool-3"]
"""What an edge does to spikes: nothing arrives, all as it is, a normalised convolution, a 3x3 average."""

NODES = 4
EDGES = tuple(combinations(range(NODES), 2))
"""Pairs of nodes, the earlier first; node 0 is what enters a cell."""

FORWARD = "operation from node {0} to node {1}"
BACKWARD = "operation from node {0} back to node {1}, one step later"


class SNASCell(Network):
    """Two cells of four nodes whose edges are searched: stem, cell, wider convolution, pooling, cell, pooling, readout.

    With s_0 the spikes that enter a cell, and node 3 what leaves it,

        s_j[t] = neurons( sum_{i<j} op_ij(s_i[t]) + sum_{k>j} op_kj(s_k[t-1]) ),   j = 1, 2, 3,   s_k[-1] = 0

    Both cells have the same operations, and weights of their own. A node that nothing reaches stays silent. Without an
    edge back the cell runs layer by layer, else step by step, and its convolutions are normalised for each step alone.
    The published setting is width 128, T = 5 and LIF with tau 4/3. Source: Kim et al., "Neural Architecture Search for
    Spiking Neural Networks", ECCV 2022, arXiv 2201.10355. Our reading: one edge at most between two nodes in either
    direction, none back to node 0; 5^9 members; the layers around the cells. `search.screening` with `spike-pattern`
    is its score without training.
    """

    name = "snas-cell"

    width: Width = Field(16, description="channels of the first cell; the second has twice as many")
    from_0_to_1: Operation = Field("conv-3", description=FORWARD.format(0, 1))
    from_0_to_2: Operation = Field("skip", description=FORWARD.format(0, 2))
    from_0_to_3: Operation = Field("zero", description=FORWARD.format(0, 3))
    from_1_to_2: Operation = Field("conv-3", description=FORWARD.format(1, 2))
    from_1_to_3: Operation = Field("skip", description=FORWARD.format(1, 3))
    from_2_to_3: Operation = Field("conv-3", description=FORWARD.format(2, 3))
    from_2_to_1: Operation = Field("zero", description=BACKWARD.format(2, 1))
    from_3_to_1: Operation = Field("zero", description=BACKWARD.format(3, 1))
    from_3_to_2: Operation = Field("zero", description=BACKWARD.format(3, 2))

    def build(self, builder: Builder) -> nn.Module:
        self.check(builder.input_shape)
        self._check_synapse(builder)
        stack = Stack(builder, builder.input_shape)
        stack.conv(self.width)
        stack.fire()
        stack.layers.append(self._cell(builder, stack.shape))
        stack.conv(2 * self.width)
        stack.fire()
        stack.pool("average")
        stack.layers.append(self._cell(builder, stack.shape))
        stack.pool("average")
        stack.readout()
        return stack.module()

    def check(self, input_shape: tuple[int, ...]) -> None:
        require_image(self.name, input_shape)
        require_side(self.name, "its two poolings", 2, input_shape)

    @property
    def _back(self) -> list[tuple[int, int]]:
        return [(late, early) for early, late in EDGES if early and self._operation(late, early) != "zero"]

    def _operation(self, start: int, end: int) -> Operation:
        operation: Operation = getattr(self, f"from_{start}_to_{end}")
        return operation

    def _check_synapse(self, builder: Builder) -> None:
        if self._back and builder.synapse.sequential:
            start, end = self._back[0]
            raise InputError(
                f"network '{self.name}': from_{start}_to_{end} leads back in time, step by step, and synapse "
                f"'{builder.synapse.name}' wants whole sequences",
                "Use synapse 'dense', or 'zero' for the edges that lead back.",
            )

    def _cell(self, builder: Builder, shape: tuple[int, ...]) -> Cell:
        used = [edge for edge in (*EDGES, *self._back) if self._operation(*edge) != "zero"]
        operations = {edge: _made(builder, self._operation(*edge), shape) for edge in used}
        return Cell(operations, [builder.neuron(shape) for _ in range(1, NODES)])


class Cell(nn.Module):
    """Nodes and edges of one cell, (T, B, C, H, W) to the same.

    Args:
        operations: (from node, to node) -> module; from the later to the earlier one, it is used a step later.
        neurons: The neurons of node 1, 2, ...
    """

    def __init__(self, operations: Mapping[tuple[int, int], nn.Module], neurons: list[NeuronLayer]) -> None:
        super().__init__()
        self.edges = list(operations)
        self.operations = nn.ModuleList(operations.values())
        self.neurons = nn.ModuleList(neurons)

    def forward(self, x: Tensor) -> Tensor:
        if all(start < end for start, end in self.edges):
            return self._run(x, {}, {})
        before, states = dict[int, Tensor](), dict[int, State]()
        with parametrize.cached():  # a generated weight is made once, not once a step
            return torch.cat([self._run(step, before, states) for step in x.unsqueeze(1)])

    def _run(self, x: Tensor, before: dict[int, Tensor], states: dict[int, State]) -> Tensor:
        """Return the spikes of the last node; those of all nodes, and their states, are left for the next step.

        Args:
            x: One or more steps (T, B, C, H, W) of what enters.
            before: Spikes of each node one step before; empty before the first.
            states: States of the nodes; empty before the first step.
        """
        now = {0: x}
        for node, layer in enumerate(cast("list[NeuronLayer]", list(self.neurons)), 1):
            current = torch.zeros_like(x)
            for (start, end), operation in zip(self.edges, self.operations, strict=True):
                source = now if start < end else before
                if end == node and start in source:
                    current = current + operation(source[start])
            now[node], states[node] = layer.run(current, states.get(node))
        before.update(now)
        return now[NODES - 1]


def _made(builder: Builder, operation: Operation, shape: tuple[int, ...]) -> nn.Module:
    kind, _, side = operation.partition("-")
    if kind == "skip":
        return nn.Identity()
    if kind == "pool":
        return builder.stateless(nn.AvgPool2d(int(side), stride=1, padding=int(side) // 2))
    stack = Stack(builder, shape)
    stack.conv(shape[0], int(side))
    if stack.shape != shape:
        raise InputError(
            f"network '{SNASCell.name}': an edge of {shape[0]} channels ends in {stack.shape[0]}, which synapse "
            f"'{builder.synapse.name}' makes of them, and nodes add what their edges bring",
            "Use synapse 'dense', or another network.",
        )
    return stack.module()


@hookimpl
def spikefront_networks() -> list[type[Network]]:
    """Return the cell of SNASNet."""
    return [SNASCell]
