"""EMO-SNAS: a list of spiking residual blocks that grows and shrinks."""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from spikefront import Network, hookimpl
from spikefront.spiking.builder import Builder
from spikefront_plugins.networks._residual import add_residual
from spikefront_plugins.networks._stack import Stack, Width, require_image


class Block(BaseModel):
    """One residual block."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: Width = Field(64, description="number of channels")
    expand: bool = Field(False, description="send one step more: the product of all the others")


class EMOSNAS(Network):
    """Residual blocks in a row, as many as there are in the list: stem, blocks, linear readout of the averages.

    A block with `expand` sends s_1 ... s_T and their product as step T + 1: a neuron fires in it that fired in all
    steps. A study searches `blocks` as a list; the operators of the published search are `edit` with insert = 0.7 and
    delete = 0.1 (the rest draws channels or `expand` anew) and `splice` with probability 0.9. Published: T = 2, at
    first 5 to 15 blocks of 64, 128 or 256 channels, at most 50. Source: Song et al., EMO-SNAS, IEEE Transactions on
    Evolutionary Computation 2025. Our reading: the form of a block, with binary spikes; the stem has the channels of
    the first block; the image is halved by a maximum in front of each block that is wider than all before; a later
    block with `expand` makes the product anew.
    """

    name = "emo-snas"

    blocks: tuple[Block, ...] = Field(
        (Block(), Block(channels=128)), min_length=1, max_length=50, description="residual blocks, in their order"
    )

    def build(self, builder: Builder) -> nn.Module:
        self.check(builder.input_shape)
        steps = builder.steps
        stack = Stack(builder, builder.input_shape)
        stack.conv(self.blocks[0].channels)
        stack.fire()
        widest = self.blocks[0].channels
        for block in self.blocks:
            if block.channels > widest and min(stack.shape[1:]) > 1:
                stack.pool("max")
            widest = max(widest, block.channels)
            add_residual(stack, block.channels)
            if block.expand:
                stack.layers.append(Expand(steps))
                builder.steps = steps + 1
        stack.readout("average")
        return stack.module()

    def check(self, input_shape: tuple[int, ...]) -> None:
        require_image(self.name, input_shape)


class Expand(nn.Module):
    """Adds a step that is the product of the first ones, (T, B, ...) or (T + 1, B, ...) to (T + 1, B, ...)."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, s: Tensor) -> Tensor:
        first = s[: self.steps]
        return torch.cat([first, first.prod(0, keepdim=True)])


@hookimpl
def spikefront_networks() -> list[type[Network]]:
    """Return the space of EMO-SNAS."""
    return [EMOSNAS]
