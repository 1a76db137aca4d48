"""Signed synapses: every input either excites all neurons of a layer, or inhibits them all."""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from spikefront import Synapse, hookimpl


class NewComponent(Synapse):
    """Linear layers and convolutions that obey Dale's principle.

        I_i = sum_j |w_ij| d_j x_j + b_i,    d_j = 1 where input j excites, -1 where it inhibits

    The inhibitory inputs are spread evenly. w and b start uniform in +-1/sqrt(fan_in). Source: Song, Yang and Wang,
    "Training Excitatory-Inhibitory Recurrent Neural Networks for Cognitive Tasks", PLOS Computational Biology 2016,
    where weights are rectified and not made positive.
    """

    name = "new-component"

    excitatory: float = Field(0.8, ge=0, le=1, description="share of the inputs that excite")

    def linear(self, inputs: int, outputs: int, bias: bool, generator: torch.Generator) -> nn.Module:
        layer = nn.utils.skip_init(SignedLinear, inputs, outputs, bias=bias)
        return self._initialised(layer, inputs, generator)

    def conv(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int,
        padding: int,
        bias: bool,
        generator: torch.Generator,
    ) -> nn.Module:
        layer = nn.utils.skip_init(SignedConv2d, inputs, outputs, kernel, stride, padding, bias=bias)
        return self._initialised(layer, inputs, generator)

    def _initialised(self, layer: nn.Module, inputs: int, generator: torch.Generator) -> nn.Module:
        weight = layer.get_parameter("weight")
        bound = 1 / math.sqrt(weight[0].numel())
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        inhibiting = ((1 - self.excitatory) * torch.arange(inputs + 1, dtype=torch.float64)).round().diff()
        layer.register_buffer(
            "d", (1 - 2 * inhibiting).to(weight).view(-1, *[1] * (weight.dim() - 2)), persistent=False
        )
        return layer


class SignedLinear(nn.Linear):
    """(N, inputs) to (N, outputs)."""

    d: Tensor

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight.abs() * self.d, self.bias)


class SignedConv2d(nn.Conv2d):
    """(N, inputs, H, W) to (N, outputs, H', W')."""

    d: Tensor

    def forward(self, x: Tensor) -> Tensor:
        currents: Tensor = self._conv_forward(x, self.weight.abs() * self.d, self.bias)
        return currents


@hookimpl
def spikefront_synapses() -> list[type[Synapse]]:
    """Return this module's synapse."""
    return [NewComponent]
