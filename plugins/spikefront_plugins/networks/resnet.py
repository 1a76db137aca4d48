"""Spiking ResNet: residual blocks whose shortcuts join after the neurons."""

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from spikefront import Network, hookimpl
from spikefront.spiking.builder import Builder
from spikefront_plugins.networks._stack import Head, Stack, Width, require_image, require_side

Depth = Annotated[int, Field(gt=0, le=100)]


class SpikingResNet(Network):
    """Residual blocks with the shortcut added after the neurons: SEW-ResNet with ADD.

    o = s + neurons(norm(W_2 neurons(norm(W_1 s)))), "Deep Residual Learning in Spiking Neural Networks" (Fang et al.,
    NeurIPS 2021). Where a stage halves the image or changes the width, the shortcut is neurons(norm(1x1 convolution
    of s)). The sums are whole numbers (0, 1, 2, ...), so a layer behind them accumulates, each spike as often as it
    counts; the head "average" gives fractions, and its readout costs multiply-accumulates. The stem is a single 3x3
    convolution. ResNet-18: blocks (2, 2, 2, 2), width 64; ResNet-19, with a single readout layer: (3, 3, 2), 128.
    """

    name = "resnet"

    blocks: tuple[Depth, ...] = Field((1, 1, 1), min_length=1, description="number of residual blocks of the stages")
    width: Width = Field(16, description="channels of the first stage; every further stage has twice as many")
    head: Head = Field("average", description="what the readout sees: all values, or each channel's average")

    def build(self, builder: Builder) -> nn.Module:
        self.check(builder.input_shape)
        stack = Stack(builder, builder.input_shape)
        stack.conv(self.width)
        stack.fire()
        for stage, blocks in enumerate(self.blocks):
            for block in range(blocks):
                _add_block(stack, self.width * 2**stage, stride=2 if stage and not block else 1)
        stack.readout(self.head)
        return stack.module()

    def check(self, input_shape: tuple[int, ...]) -> None:
        require_image(self.name, input_shape)
        require_side(self.name, f"blocks = {list(self.blocks)}", len(self.blocks) - 1, input_shape)


class Residual(nn.Module):
    """The sum of a chain and its shortcut, both (T, B, C, H, W)."""

    def __init__(self, chain: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.chain = chain
        self.shortcut = shortcut

    def forward(self, s: Tensor) -> Tensor:
        total: Tensor = self.chain(s) + self.shortcut(s)
        return total


def _add_block(stack: Stack, channels: int, stride: int) -> None:
    chain = Stack(stack.builder, stack.shape)
    chain.conv(channels, stride=stride)
    chain.fire()
    chain.conv(channels)
    chain.fire()
    shortcut = Stack(stack.builder, stack.shape)
    if chain.shape != stack.shape:
        shortcut.conv(channels, kernel=1, stride=stride)
        shortcut.fire()
    stack.layers.append(Residual(chain.module(), shortcut.module()))
    stack.shape = chain.shape


@hookimpl
def spikefront_networks() -> list[type[Network]]:
    """Return the spiking ResNet."""
    return [SpikingResNet]
