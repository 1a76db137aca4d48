"""Helpers of the built-in networks: a chain of layers that knows its output shape, and checks of the input."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from spikefront.errors import InputError
from spikefront.spiking.builder import Builder, width

Pooling = Literal["max", "average", "none"]
Head = Literal["average", "flatten"]
Width = Annotated[int, Field(gt=0, le=65536)]


class Stack:
    """A chain of layers under construction.

    Attributes:
        shape: Shape of what the last layer gives, without time and batch.
        layers: The layers so far, each (T, B, ...) to (T, B, ...).
        flattened: Shape of the images that the last layer made vectors of; empty if it did not.
    """

    def __init__(self, builder: Builder, shape: tuple[int, ...]) -> None:
        self.builder = builder
        self.shape = shape
        self.layers: list[nn.Module] = []
        self.flattened: tuple[int, ...] = ()

    def linear(self, outputs: int, batch_norm: bool = False) -> None:
        """Add a fully connected layer; batch normalisation takes the place of its bias."""
        layer = self.builder.linear(self.flattened or self.shape, outputs, bias=not batch_norm)
        self._add(layer, (width(layer),))
        if batch_norm:
            self.layers.append(self.builder.stateless(nn.BatchNorm1d(self.shape[0])))

    def conv(self, channels: int, kernel: int = 3, stride: int = 1, batch_norm: bool = True) -> None:
        """Add a convolution with 'same' padding; batch normalisation takes the place of its bias."""
        inputs, *sides = self.shape
        layer = self.builder.conv(inputs, channels, kernel, stride, bias=not batch_norm)
        self._add(layer, (width(layer), *(math.ceil(side / stride) for side in sides)))
        if batch_norm:
            self.layers.append(self.builder.stateless(nn.BatchNorm2d(self.shape[0])))

    def fire(self) -> None:
        """Add a layer of neurons."""
        self.layers.append(self.builder.neuron(self.shape))

    def pool(self, pooling: Pooling) -> None:
        """Add a 2x2 pooling; an odd last row or column is dropped."""
        if pooling != "none":
            pool = nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2)
            self._add(self.builder.stateless(pool), (self.shape[0], *(side // 2 for side in self.shape[1:])))

    def readout(self, head: Head = "flatten") -> None:
        """Add the last layer: a linear map of all values, or of each channel's average, to the outputs' currents."""
        self.vectors(head)
        self._add(self.builder.readout(self.flattened or self.shape), (self.builder.outputs,))

    def vectors(self, head: Head = "flatten") -> None:
        """Make vectors of images: all values, or each channel's average."""
        if len(images := self.shape) == 1:
            return
        if head == "average":
            average = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
            self._add(self.builder.stateless(average), images[:1])
        else:
            self._add(self.builder.stateless(nn.Flatten()), (math.prod(images),))
            self.flattened = images

    def module(self) -> nn.Sequential:
        """Return the chain as one module."""
        return nn.Sequential(*self.layers)

    def _add(self, layer: nn.Module, shape: tuple[int, ...]) -> None:
        self.layers.append(layer)
        self.shape, self.flattened = shape, ()


def require_values(network: str, input_shape: tuple[int, ...]) -> None:
    """Refuse samples that hold no values.

    Raises:
        InputError: The shape is empty, or a side of it is not positive.
    """
    if not input_shape or min(input_shape) < 1:
        raise InputError(
            f"network '{network}': an input of shape {input_shape} holds no values", "Use samples with at least one."
        )


def require_image(network: str, input_shape: tuple[int, ...]) -> None:
    """Refuse samples that are no images.

    Raises:
        InputError: The shape is not (channels, height, width).
    """
    require_values(network, input_shape)
    if len(input_shape) != 3:
        raise InputError(
            f"network '{network}' needs images (channels, height, width), found samples of shape {input_shape}",
            "Use network 'mlp', which takes samples of any shape, or a task with images.",
        )


def require_side(network: str, parameter: str, halvings: int, input_shape: tuple[int, ...]) -> None:
    """Refuse images that are too small to be halved so often.

    Args:
        network: Name of the network.
        parameter: The parameter that asks for the halvings, with its value.
        halvings: How often each side is halved.
        input_shape: (channels, height, width).

    Raises:
        InputError: The smaller side is below 2 ** halvings.
    """
    side = min(input_shape[1:])
    if side < 2**halvings:
        raise InputError(
            f"network '{network}': {parameter} halves the image {halvings} times, and {input_shape[1]}x{input_shape[2]}"
            f" is too small for that",
            f"Images of this size can be halved {side.bit_length() - 1} times; "
            f"{halvings} times needs at least {2**halvings}x{2**halvings}.",
        )
