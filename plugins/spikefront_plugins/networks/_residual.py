"""A residual block whose spikes stay binary: the shortcut joins in front of the second neurons."""

from __future__ import annotations

from torch import Tensor, nn

from spikefront.spiking.layers import NeuronLayer
from spikefront_plugins.networks._stack import Stack


class SpikingResidual(nn.Module):
    """Neurons that hear a chain and its shortcut, (T, B, C, H, W) to (T, B, C', H, W)."""

    def __init__(self, chain: nn.Module, shortcut: nn.Module, neurons: NeuronLayer) -> None:
        super().__init__()
        self.chain = chain
        self.shortcut = shortcut
        self.neurons = neurons

    def forward(self, s: Tensor) -> Tensor:
        spikes: Tensor = self.neurons(self.chain(s) + self.shortcut(s))
        return spikes


def add_residual(stack: Stack, channels: int, kernel: int = 3) -> None:
    """Add o = neurons(norm(W_2 neurons(norm(W_1 s))) + s).

    Where the number of channels changes, the shortcut is a normalised 1x1 convolution of s.
    """
    chain, shortcut = Stack(stack.builder, stack.shape), Stack(stack.builder, stack.shape)
    chain.conv(channels, kernel)
    chain.fire()
    chain.conv(channels, kernel)
    if chain.shape != stack.shape:
        shortcut.conv(channels, kernel=1)
    stack.layers.append(SpikingResidual(chain.module(), shortcut.module(), stack.builder.neuron(chain.shape)))
    stack.shape = chain.shape
