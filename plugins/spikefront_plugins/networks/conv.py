"""Convolutional network: blocks of convolution, neurons and pooling."""

from typing import Self

from pydantic import Field, model_validator
from torch import nn

from spikefront import Network, hookimpl
from spikefront.spiking.builder import Builder
from spikefront_plugins.networks._stack import Head, Pooling, Stack, Width, require_image, require_side


class Conv(Network):
    """Blocks of convolution, normalisation, neurons and pooling, then fully connected layers, and a linear readout.

    Convolutions have 'same' padding and stride 1; every `pool_every`-th block ends in a 2x2 pooling. Max pooling of
    spikes gives spikes. Average pooling gives fractions, and so does the head "average" (the mean of each
    channel's spikes): the layer behind them then costs multiply-accumulates. The head "flatten" takes spikes as is.

    With `hidden` it is the form of most spiking networks for small images, such as 32c3-p2-64c3-p2-512 of [32, 64] and
    [512]; nearly all of its weights are those of the first fully connected layer.
    """

    name = "conv"

    channels: tuple[Width, ...] = Field((32, 64), min_length=1, description="numbers of channels of the blocks")
    kernel: int = Field(3, ge=1, le=31, description="side of the kernels, odd")
    pooling: Pooling = Field("max", description="kind of the 2x2 pooling")
    pool_every: int = Field(1, ge=1, description="blocks from one pooling to the next")
    batch_norm: bool = Field(True, description="normalise the currents, in place of a bias")
    head: Head = Field("flatten", description="what is behind the blocks: all spikes, or each channel's average")
    hidden: tuple[Width, ...] = Field((), description="numbers of neurons of fully connected layers behind the blocks")

    @model_validator(mode="after")
    def _odd_kernel(self) -> Self:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel = {self.kernel} has to be odd, for example {self.kernel + 1}")
        return self

    def build(self, builder: Builder) -> nn.Module:
        self.check(builder.input_shape)
        stack = Stack(builder, builder.input_shape)
        for number, channels in enumerate(self.channels, start=1):
            stack.conv(channels, self.kernel, batch_norm=self.batch_norm)
            stack.fire()
            if number % self.pool_every == 0:
                stack.pool(self.pooling)
        stack.vectors(self.head)
        for neurons in self.hidden:
            stack.linear(neurons, self.batch_norm)
            stack.fire()
        stack.readout()
        return stack.module()

    def check(self, input_shape: tuple[int, ...]) -> None:
        require_image(self.name, input_shape)
        if self.pooling != "none":
            halvings = len(self.channels) // self.pool_every
            parameter = f"channels = {list(self.channels)} with pool_every = {self.pool_every}"
            require_side(self.name, parameter, halvings, input_shape)


@hookimpl
def spikefront_networks() -> list[type[Network]]:
    """Return the convolutional network."""
    return [Conv]
