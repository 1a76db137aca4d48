"""VGG: stages of 3x3 convolutions with a pooling after each stage."""

from typing import Literal

from pydantic import Field
from torch import nn

from spikefront import Network, hookimpl
from spikefront.spiking.builder import Builder
from spikefront_plugins.networks._stack import Head, Stack, require_image, require_side

STAGES: dict[str, tuple[tuple[int, ...], ...]] = {
    "small": ((64,), (128,), (256,)),
    "11": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "13": ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "16": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
}
"""Channels of each convolution, by depth and stage (Simonyan & Zisserman, ICLR 2015, table 1: A, B, D)."""


class VGG(Network):
    """3x3 convolutions with batch normalisation and neurons, in stages; a 2x2 pooling after each stage.

    The convolutional part of Simonyan & Zisserman (ICLR 2015) with neurons in place of rectifiers and a single linear
    readout in place of the three large ones, as is common for small images. Max pooling keeps spikes binary; average
    pooling, and the head "average", make the input of the next layer analog (multiply-accumulates).
    """

    name = "vgg"

    depth: Literal["small", "11", "13", "16"] = Field("small", description="number of weighted layers of the original")
    multiplier: float = Field(1.0, gt=0, le=8, description="factor on all numbers of channels")
    pooling: Literal["max", "average"] = Field("max", description="kind of the 2x2 pooling")
    head: Head = Field("flatten", description="what the readout sees: all spikes, or each channel's average")

    def build(self, builder: Builder) -> nn.Module:
        self.check(builder.input_shape)
        stack = Stack(builder, builder.input_shape)
        for stage in STAGES[self.depth]:
            for channels in stage:
                stack.conv(max(1, round(channels * self.multiplier)))
                stack.fire()
            stack.pool(self.pooling)
        stack.readout(self.head)
        return stack.module()

    def check(self, input_shape: tuple[int, ...]) -> None:
        require_image(self.name, input_shape)
        require_side(self.name, f"depth = '{self.depth}'", len(STAGES[self.depth]), input_shape)


@hookimpl
def spikefront_networks() -> list[type[Network]]:
    """Return VGG."""
    return [VGG]
