"""AutoSNN: a chain of spiking blocks, five of which are searched."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from torch import nn

from spikefront import Network, hookimpl
from spikefront.spiking.builder import Builder
from spikefront_plugins.networks._residual import add_residual
from spikefront_plugins.networks._stack import Stack, Width, require_image, require_side

Block = Literal["skip", "scb-3", "scb-5", "srb-3", "srb-5"]
"""Nothing, or a spiking convolution block or a spiking residual block with kernels of this side."""

DESCRIPTION = "block of slot {0}, which works on {1} times `width` channels"


class AutoSNN(Network):
    """The search space of AutoSNN: stem, slot, pooling, two slots, pooling, two slots, pooling, linear readout.

        scb   o = neurons(norm(W s))
        srb   o = neurons(norm(W_2 neurons(norm(W_1 s))) + s)

    The five slots have 5^5 = 3,125 members; the defaults are the network that its authors found. Widths are 1, 2, 2, 4
    and 4 times `width`. Max pooling 2x2 keeps spikes binary; the readout sees all spikes and no average. Source: Na
    et al., "AutoSNN: Towards Energy-Efficient Spiking Neural Networks", ICML 2022, arXiv 2201.12738. Our reading: a
    shortcut that has to change the number of channels (also of a slot that is skipped) is a normalised 1x1
    convolution, in a slot that is skipped with neurons behind it; the sum of a residual block is taken before the
    second neurons, so that all spikes are binary. The weights are each candidate's own: there is no supernet.
    """

    name = "autosnn"

    width: Width = Field(16, description="channels of the stem and of the first slot")
    slot_1: Block = Field("srb-5", description=DESCRIPTION.format(1, 1))
    slot_2: Block = Field("srb-5", description=DESCRIPTION.format(2, 2))
    slot_3: Block = Field("skip", description=DESCRIPTION.format(3, 2))
    slot_4: Block = Field("srb-3", description=DESCRIPTION.format(4, 4))
    slot_5: Block = Field("srb-5", description=DESCRIPTION.format(5, 4))

    def build(self, builder: Builder) -> nn.Module:
        self.check(builder.input_shape)
        stack = Stack(builder, builder.input_shape)
        stack.conv(self.width)
        stack.fire()
        stages = ((self.slot_1,), (self.slot_2, self.slot_3), (self.slot_4, self.slot_5))
        for stage, blocks in enumerate(stages):
            for block in blocks:
                _add_block(stack, block, self.width * 2**stage)
            stack.pool("max")
        stack.readout()
        return stack.module()

    def check(self, input_shape: tuple[int, ...]) -> None:
        require_image(self.name, input_shape)
        require_side(self.name, "its three poolings", 3, input_shape)


def _add_block(stack: Stack, block: Block, channels: int) -> None:
    kind, _, kernel = block.partition("-")
    widens = channels != stack.shape[0]
    if kind == "srb":
        add_residual(stack, channels, int(kernel))
    elif kind == "scb" or widens:
        stack.conv(channels, int(kernel or 1))
        stack.fire()


@hookimpl
def spikefront_networks() -> list[type[Network]]:
    """Return the space of AutoSNN."""
    return [AutoSNN]
