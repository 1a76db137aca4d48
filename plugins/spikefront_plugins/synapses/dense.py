"""Dense synapses: every input reaches every neuron, or every channel within the kernel."""

import math

import torch
from torch import nn
from torch.nn import init

from spikefront import Synapse, hookimpl


class Dense(Synapse):
    """Fully connected layers and convolutions, one weight for each connection.

    I = W x + b. Weights and biases start uniform in +-1/sqrt(fan_in), PyTorch's default for `Linear` and `Conv2d`
    (variance 1 / (3 fan_in)), but drawn from the generator that is passed in.
    """

    name = "dense"

    def linear(self, inputs: int, outputs: int, bias: bool, generator: torch.Generator) -> nn.Linear:
        layer = nn.Linear(inputs, outputs, bias, device="meta").to_empty(device="cpu")
        _initialise(layer, generator)
        return layer

    def conv(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int,
        padding: int,
        bias: bool,
        generator: torch.Generator,
    ) -> nn.Conv2d:
        meta = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias, device="meta")
        layer = meta.to_empty(device="cpu")
        _initialise(layer, generator)
        return layer


def _initialise(layer: nn.Linear | nn.Conv2d, generator: torch.Generator) -> None:
    init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    if layer.bias is not None:
        bound = 1 / math.sqrt(layer.weight[0].numel())
        init.uniform_(layer.bias, -bound, bound, generator=generator)


@hookimpl
def spikefront_synapses() -> list[type[Synapse]]:
    """Return the dense synapse."""
    return [Dense]
