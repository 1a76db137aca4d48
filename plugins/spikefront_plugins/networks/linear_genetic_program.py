"""Linear genetic program: layers wired by instructions whose registers point to what earlier layers give."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from spikefront import Network, hookimpl
from spikefront.spiking.builder import Builder
from spikefront_plugins.networks._program import BINARY, OUTPUT, Instruction, Register, effective
from spikefront_plugins.networks._stack import Head, Stack, Width, require_values

PLAIN = (Instruction(op="dense", width=64), Instruction(op="neuron"))


class LinearGeneticProgram(Network):
    """A network as a list of instructions (Stapleton and Galvan, NeuroLGP-SM, arXiv 2403.19459 and 2404.08786).

    Each instruction reads registers and writes what its layer gives into a register. At first all of them hold the
    input; the readout is a linear map of register 0. What register 0 does not depend on is dropped before anything is
    built. A study searches `program` as a list, over the operations and as many registers as it names.

    Instruction set and repairs are our reading; the papers' are not public. Every list is a network:

    * `conv3`, `conv5` and `pool` (maximum, 2 x 2) need images: of vectors, a convolution is `dense`, and pooling
      leaves them alone, as it does images with a side of 1; `dense` flattens images.
    * `skip-add` and `concat` of two images of other sides pool the larger one; of an image and a vector they flatten
      the image. A sum fills the narrower one up with zeros. `concat` to more than `widest` channels is `skip-add`.

    Layers without `neuron` between them are one linear map; what they read is then no spike, and costs multiplications.
    """

    name = "linear-genetic-program"

    program: tuple[Instruction, ...] = Field(PLAIN, max_length=256, description="instructions, in their order")
    batch_norm: bool = Field(True, description="normalise what convolutions and dense give")
    head: Head = Field("flatten", description="what the readout sees: all values, or each channel's average")
    widest: Width = Field(512, description="most channels, of vectors most numbers, that concat may give")

    def build(self, builder: Builder) -> nn.Module:
        self.check(builder.input_shape)
        wiring = Wiring(self, builder)
        for instruction in effective(self.program):
            wiring.add(instruction)
        return wiring.network()

    def check(self, input_shape: tuple[int, ...]) -> None:
        require_values(self.name, input_shape)


@dataclass(frozen=True)
class Value:
    """What a register holds: its place among the values of a run, and its shape without time and batch."""

    place: int
    shape: tuple[int, ...]

    @property
    def is_image(self) -> bool:
        """Whether it is (C, H, W)."""
        return len(self.shape) == 3


class Wiring:
    """A program under construction; the input is the value at place 0."""

    def __init__(self, parameters: LinearGeneticProgram, builder: Builder) -> None:
        self._parameters, self._builder = parameters, builder
        self._input = Value(0, builder.input_shape)
        self._registers: dict[Register, Value] = {}
        self._layers: list[nn.Module] = []
        self._sources: list[tuple[int, ...]] = []

    def add(self, instruction: Instruction) -> None:
        """Add the layer of an instruction, repaired where its sources do not fit."""
        x, y = self._read(instruction.x), self._read(instruction.y)
        if instruction.op in BINARY:
            self._registers[instruction.to] = self._joined(x, y, instruction.op == "concat")
        else:
            self._registers[instruction.to] = self._layer(instruction, x)

    def network(self) -> nn.Module:
        """Return the network with its readout."""
        end = self._read(OUTPUT)
        stack = Stack(self._builder, end.shape)
        stack.readout(self._parameters.head if end.is_image else "flatten")
        return Program(self._layers, self._sources, end.place, stack.module())

    def _read(self, register: Register) -> Value:
        return self._registers.get(register, self._input)

    def _layer(self, instruction: Instruction, x: Value) -> Value:
        stack, norm = Stack(self._builder, x.shape), self._parameters.batch_norm
        match instruction.op:
            case "neuron":
                stack.fire()
            case "pool":
                if not x.is_image or min(x.shape[1:]) < 2:
                    return x
                stack.pool("max")
            case "conv3" | "conv5" if x.is_image:
                stack.conv(instruction.width, int(instruction.op[-1]), batch_norm=norm)
            case _:
                stack.vectors()
                stack.linear(instruction.width, norm)
        return self._appended(stack.module(), stack.shape, x)

    def _joined(self, x: Value, y: Value, concat: bool) -> Value:
        stacks = Stack(self._builder, x.shape), Stack(self._builder, y.shape)
        if x.is_image and y.is_image:
            for stack, other in (stacks, stacks[::-1]):
                while stack.shape[1:] > other.shape[1:]:
                    stack.pool("max")
        else:
            for stack in stacks:
                stack.vectors()
        first, second = (stack.shape for stack in stacks)
        concat = concat and first[0] + second[0] <= self._parameters.widest
        width = first[0] + second[0] if concat else max(first[0], second[0])
        return self._appended(Join(concat, *(stack.module() for stack in stacks)), (width, *first[1:]), x, y)

    def _appended(self, layer: nn.Module, shape: tuple[int, ...], *sources: Value) -> Value:
        self._layers.append(layer)
        self._sources.append(tuple(source.place for source in sources))
        return Value(len(self._layers), shape)


class Join(nn.Module):
    """Two inputs (T, B, C, ...), each through a chain that makes their sides equal, side by side or added."""

    def __init__(self, concat: bool, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.concat = concat

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        x, y = self.first(x), self.second(y)
        if self.concat:
            return torch.cat([x, y], 2)
        narrow, wide = sorted((x, y), key=lambda one: one.shape[2])
        sides = (0, 0) * (wide.dim() - 3)
        return wide + functional.pad(narrow, (*sides, 0, wide.shape[2] - narrow.shape[2]))


class Program(nn.Module):
    """Layers in their order, each with the places of what it reads; place 0 is the input (T, B, ...)."""

    def __init__(
        self, layers: list[nn.Module], sources: list[tuple[int, ...]], output: int, readout: nn.Module
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.sources, self.output = tuple(sources), output
        self.readout = readout

    def forward(self, x: Tensor) -> Tensor:
        values = [x]
        for layer, sources in zip(self.layers, self.sources, strict=True):
            values.append(layer(*(values[place] for place in sources)))
        result: Tensor = self.readout(values[self.output])
        return result


@hookimpl
def spikefront_networks() -> list[type[Network]]:
    """Return the linear genetic program."""
    return [LinearGeneticProgram]
