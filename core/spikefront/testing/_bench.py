"""The plain components that a component under test is put between, and a small network made of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional, init

from spikefront.components import (
    Coder,
    Data,
    Encoding,
    Network,
    NeuronModel,
    Parts,
    Spike,
    Split,
    State,
    SupervisedTask,
    Surrogate,
    Synapse,
)
from spikefront.components.surrogate import Scalar
from spikefront.randomness import Streams
from spikefront.space import Array
from spikefront.spiking.builder import Builder
from spikefront.spiking.layers import SpikingNetwork

INPUTS, OUTPUTS, STEPS = 12, 3, 4
IMAGE = (2, 8, 8)
CLASSES = 3


def generator(seed: int = 0) -> torch.Generator:
    """Return a fresh generator."""
    return torch.Generator().manual_seed(seed)


class BenchSurrogate(Surrogate):
    """1 / (1 + v^2): nowhere zero, so that a gradient that is cut off shows."""

    name = "bench"

    def derivative(self, v: Tensor) -> Tensor:
        return 1 / (1 + v.square())

    def primitive(self, v: Tensor) -> Tensor:
        return v.atan()

    def scalar(self) -> Scalar | None:
        return Scalar("1 / (1 + square(scale * v))", {"scale": 1.0})


class PlainSurrogate(BenchSurrogate):
    """The same without a form for compiled kernels."""

    name = "bench-plain"

    def scalar(self) -> Scalar | None:
        return None


class BenchNeuron(NeuronModel):
    """h_t = v_{t-1} + (x_t - v_{t-1}) / 2, s_t = 1 where h_t >= threshold, v_t = h_t (1 - s_t)."""

    name = "bench"

    threshold: float = Field(0.5, gt=0, description="potential at which it fires")

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        h = state[0] + (x - state[0]) / 2
        s = spike(h - self.threshold)
        return s, (h * (1 - s.detach()),)


class BenchSynapse(Synapse):
    """Linear layers and convolutions with PyTorch's initial values."""

    name = "bench"

    def linear(self, inputs: int, outputs: int, bias: bool, generator: torch.Generator) -> nn.Module:
        layer = nn.Linear(inputs, outputs, bias, device="meta").to_empty(device="cpu")
        return _initialised(layer, generator)

    def conv(
        self, inputs: int, outputs: int, kernel: int, stride: int, padding: int, bias: bool, generator: torch.Generator
    ) -> nn.Module:
        layer = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias, device="meta").to_empty(device="cpu")
        return _initialised(layer, generator)


class BenchCoder(Coder):
    """Repeats the data in each step."""

    name = "bench"
    analog = True

    def encode(self, data: Tensor, generator: torch.Generator) -> Tensor:
        return data.expand(self.steps, *data.shape)


class BenchFrames(Coder):
    """Shows the first frames of samples that are sequences."""

    name = "bench-frames"
    analog = True

    def encode(self, data: Tensor, generator: torch.Generator) -> Tensor:
        return data.transpose(0, 1)[: self.steps]

    def check(self, frames: int | None) -> None:
        """Take everything."""


class BenchNetwork(Network):
    """Two hidden layers of 16 and 12 neurons, the first a convolution where the input is an image."""

    name = "bench"

    def build(self, builder: Builder) -> nn.Module:
        shape = builder.input_shape
        if len(shape) == 3:
            first = [builder.conv(shape[0], 16, bias=True), builder.neuron((16, *shape[1:]))]
            flat: list[nn.Module] = [builder.stateless(nn.Flatten())]
            middle: int | tuple[int, ...] = (16, *shape[1:])
        else:
            first, flat, middle = [builder.linear(math.prod(shape), 16), builder.neuron((16,))], [], 16
        last = [builder.linear(middle, 12), builder.neuron((12,)), builder.readout(12)]
        return nn.Sequential(*first, *flat, *last)


class BenchEncoding(Encoding):
    """Leaves the weights as they are."""

    name = "bench"

    def apply(self, network: nn.Module, arrays: Mapping[str, Array], generator: torch.Generator) -> None:
        """Do nothing."""


class BenchTask(SupervisedTask):
    """Noisy copies of three patterns in [0, 1], which are easy to tell apart."""

    name = "bench"
    sizes: ClassVar[dict[str, int]] = {"train": 48, "validation": 24, "test": 24}

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (INPUTS,)

    @property
    def outputs(self) -> int:
        return CLASSES

    def data(self, split: Split) -> Data:
        number = self.sizes[split]
        draw = generator(len(split))
        patterns = torch.rand(CLASSES, *self.input_shape, generator=generator(1))
        targets = torch.arange(number) % CLASSES
        noise = torch.randn(number, *self.input_shape, generator=draw)
        return Data((patterns[targets] + 0.1 * noise).clamp(0, 1), targets)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(outputs.mean(0), targets)

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        logits = outputs.mean(0)
        loss = functional.cross_entropy(logits, targets, reduction="none")
        return {"accuracy": (logits.argmax(1) == targets).float(), "loss": loss}


PARTS = Parts(
    BenchNetwork(), (BenchNeuron(),), BenchSurrogate(), BenchSynapse(), BenchCoder(steps=STEPS), BenchEncoding()
)
"""A candidate that is made of plain components only."""


def network(seed: int = 0, shape: tuple[int, ...] = (INPUTS,), **parts: Any) -> SpikingNetwork:
    """Return a small network; `parts` take the place of those of `PARTS`."""
    return replace(PARTS, **parts).build(shape, OUTPUTS, Streams(seed))


def builder(shape: tuple[int, ...], seed: int = 0) -> Builder:
    """Return a builder with plain components."""
    return Builder(shape, OUTPUTS, BenchSynapse(), (BenchNeuron(),), BenchSurrogate(), generator(seed), STEPS)


def data(*shape: int, seed: int = 0) -> Tensor:
    """Return values in [0, 1) that are not equal to each other."""
    return torch.rand(shape, generator=generator(seed))


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Return copies of the tensors of a module's state."""
    return {name: value.detach().clone() for name, value in module.state_dict().items() if isinstance(value, Tensor)}


def differing(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> list[str]:
    """Return the names of tensors that two states do not share, or that are not equal."""
    names = sorted({*first, *second})
    return [name for name in names if name not in first or name not in second or not equal(first[name], second[name])]


def equal(a: Tensor, b: Tensor) -> bool:
    """Tell whether two tensors have the same shape and values; NaN equals NaN."""
    return a.shape == b.shape and bool(torch.allclose(a.double(), b.double(), rtol=0, atol=0, equal_nan=True))


def _initialised(layer: nn.Linear | nn.Conv2d, generator: torch.Generator) -> nn.Module:
    init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    if layer.bias is not None:
        init.uniform_(layer.bias, -0.1, 0.1, generator=generator)
    return layer
