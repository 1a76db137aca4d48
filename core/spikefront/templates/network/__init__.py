"""Parallel branches: layers of neurons side by side, each with a neuron model of its own."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from spikefront import Network, hookimpl
from spikefront.spiking.builder import Builder, width


class NewComponent(Network):
    """Hidden layers that all see the whole input, and a linear readout that sees them all.

        s_k = neurons_k(W_k x + b_k),    y = V [s_1, s_2, ...] + c    at every time step

    Where a study gives a list of neurons, each branch takes the next of them: fast ones beside slow ones, as in
    Perez-Nieves et al., "Neural heterogeneity promotes robust learning", Nature Communications 2021. Samples of any
    shape are flattened.
    """

    name = "new-component"

    branches: tuple[Annotated[int, Field(gt=0, le=65536)], ...] = Field(
        (32, 32), min_length=1, description="numbers of neurons of the branches"
    )

    def build(self, builder: Builder) -> nn.Module:
        inputs = math.prod(builder.input_shape)
        layers = [builder.linear(inputs, neurons) for neurons in self.branches]
        branches = [nn.Sequential(layer, builder.neuron((width(layer),))) for layer in layers]
        readout = builder.readout(sum(map(width, layers)))
        return nn.Sequential(builder.stateless(nn.Flatten()), SideBySide(branches), readout)


class SideBySide(nn.Module):
    """Input (T, B, N) to what all branches give, joined (T, B, M)."""

    def __init__(self, branches: list[nn.Sequential]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=-1)


@hookimpl
def spikefront_networks() -> list[type[Network]]:
    """Return this module's network."""
    return [NewComponent]
