"""The recorder: counts the synaptic operations and spikes of a network while it runs, exactly."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize
from torch.utils.hooks import RemovableHandle

from spikefront.measure.recording import NeuronRecord, Recording, SynapseRecord
from spikefront.spiking.layers import NeuronLayer

Weighted = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
"""The layers whose connections are their weights."""


class Work(NamedTuple):
    """Operations of a module that counts for itself.

    Attributes:
        effective: Operations with an input and a weight that are not zero.
        dense: All operations.
        analog: Whether they are multiply-accumulates, by whatever its inputs look like; otherwise accumulates.
    """

    effective: float
    dense: float
    analog: bool


@runtime_checkable
class CountsItself(Protocol):
    """A module that is not a linear map of its input, and knows its own work."""

    def count_operations(self, inputs: Tensor) -> Work:
        """Return the work of one call, summed over all of `inputs`."""


@contextmanager
def record(network: nn.Module, analog_input: bool) -> Iterator[Recorder]:
    """Record `network` as long as the context lasts; generated weights are made once in that time.

    The network has to be in evaluation mode, without gradients, and with one set of weights.

    Args:
        network: Maps data (B, ...) to outputs.
        analog_input: Whether its coder gives real numbers, so that the first weighted layer multiplies.
    """
    recorder = Recorder(analog_input)
    with ExitStack() as stack:
        stack.enter_context(parametrize.cached())
        for handle in recorder.hook(network):
            stack.callback(handle.remove)
        for name, module in network.named_modules():
            if isinstance(module, NeuronLayer):
                listener = functools.partial(recorder.add_spikes, name)
                module.listeners.append(listener)
                stack.callback(module.listeners.remove, listener)
        yield recorder


class Recorder:
    """Collects what the layers of one network receive and send.

    The operations of a layer are the sum, over steps and positions, of the input's spikes (a burst of s counts s)
    times the position's fan-out: the number of non-zero weights that the spike meets, which is less at a border
    and with a stride. An analog layer does one operation for each input that is not zero. A layer is analog if
    it receives the coder's analog input, or any value that is not a whole number.

    A module that `CountsItself` is asked with each of its inputs, also whether it is analog; the layers within it are
    not counted again. Its rate is the share of its operations that are effective.
    """

    def __init__(self, analog_input: bool) -> None:
        self._analog_input = analog_input
        self._samples = 0
        self._synapses: dict[str, _SynapseTally] = {}
        self._neurons: dict[str, _NeuronTally] = {}

    def hook(self, network: nn.Module) -> Iterator[RemovableHandle]:
        """Start to listen to the weighted layers, and to the network for the number of its samples."""
        yield network.register_forward_hook(self._add_samples)
        for name, layer in _counted_layers(network, ""):
            yield layer.register_forward_hook(functools.partial(self._add_inputs, name))

    def recording(self, steps: int) -> Recording:
        """Return the average over all samples so far, each summed over its `steps` time steps."""
        if self._samples == 0:
            return Recording()
        return Recording(
            self._samples,
            steps,
            tuple(tally.record(name, self._samples, steps) for name, tally in self._synapses.items()),
            tuple(tally.record(name, self._samples) for name, tally in self._neurons.items()),
        )

    def add_spikes(self, name: str, spikes: Tensor) -> None:
        """Count the spikes (T, B, ...) of a layer of neurons."""
        tally = self._neurons.setdefault(name, _NeuronTally(spikes[0, 0].numel()))
        magnitude, active = _sums(spikes.detach().flatten(0, 1))
        tally.spikes += float(magnitude.double().sum())
        tally.active += int(active.double().sum())

    def _add_samples(self, network: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self._samples += len(inputs[0])

    def _add_inputs(self, name: str, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if name not in self._synapses:
            self._synapses[name] = _SynapseTally(analog=self._analog_input and not self._synapses)
        self._synapses[name].add(layer, inputs[0].detach(), output)


@dataclass
class _NeuronTally:
    neurons: int
    spikes: float = 0.0
    active: int = 0

    def record(self, name: str, samples: int) -> NeuronRecord:
        return NeuronRecord(name, self.neurons, self.spikes / samples, self.active / samples)


@dataclass
class _SynapseTally:
    """Sums over all inputs of one layer; the counts of a linear layer are taken for each shape of its input."""

    analog: bool
    counts: dict[torch.Size, _Counts] = field(default_factory=dict)
    effective: float = 0.0
    dense: float = 0.0
    positions: int = 0
    flops: float = 0.0

    def add(self, layer: nn.Module, x: Tensor, output: Tensor) -> None:
        if isinstance(layer, Weighted):
            self.analog = self.analog or not torch.equal(x, x.round())
            self.positions += x.numel()
            self.flops += output.numel() * layer.weight[0].numel()
            x = x.reshape(-1, *_sample_shape(layer, x))
            if x.shape[1:] not in self.counts:
                self.counts[x.shape[1:]] = _Counts.of(layer, x.shape[1:])
            self.counts[x.shape[1:]].add(x)
        else:
            work = cast("CountsItself", layer).count_operations(x)
            self.analog = work.analog
            self.effective += work.effective
            self.dense += work.dense
            self.flops += work.dense

    def record(self, name: str, samples: int, steps: int) -> SynapseRecord:
        counts = self.counts.values()
        effective = self.effective + sum(count.effective(self.analog) for count in counts)
        dense = self.dense + sum(count.dense() for count in counts)
        magnitude = sum(float(count.magnitude.sum()) for count in counts)
        rate = (magnitude + self.effective) / max(self.positions + self.dense, 1)
        flops = self.flops / samples / steps
        absent = sum(count.absent() for count in counts) / samples
        return SynapseRecord(name, self.analog, effective / samples, dense / samples, rate, flops, absent)


@dataclass
class _Counts:
    """Inputs of one shape, summed at each position over samples and steps, and each position's fan-out."""

    connected: Tensor
    possible: Tensor
    magnitude: Tensor
    active: Tensor
    rows: int = 0

    @classmethod
    def of(cls, layer: Weighted, shape: torch.Size) -> _Counts:
        weight = layer.weight.detach()
        connected = _fan_out(layer, (weight != 0).to(weight.dtype), shape)
        possible = _fan_out(layer, torch.ones_like(weight), shape)
        return cls(connected, possible, torch.zeros_like(possible), torch.zeros_like(possible))

    def add(self, x: Tensor) -> None:
        self.rows += len(x)
        magnitude, active = _sums(x)
        self.magnitude += magnitude
        self.active += active

    def effective(self, analog: bool) -> float:
        return float(((self.active if analog else self.magnitude) * self.connected).sum())

    def dense(self) -> float:
        return self.rows * float(self.possible.sum())

    def absent(self) -> float:
        return self.rows * float((self.possible - self.connected).sum())


def _counted_layers(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """Yield the weighted layers and the modules that count for themselves, with their paths."""
    if isinstance(module, Weighted | CountsItself):
        yield name, module
        return
    for child_name, child in module.named_children():
        yield from _counted_layers(child, f"{name}.{child_name}" if name else child_name)


def _sums(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sum of magnitudes and the number of values that are not zero, over the first axis.

    Single precision is exact for the spikes of one call (below 2^24), and twice as fast as double.
    """
    single = torch.promote_types(x.dtype, torch.float32)
    return x.abs().sum(0, dtype=single), x.sign().abs_().sum(0, dtype=single)


def _sample_shape(layer: Weighted, x: Tensor) -> torch.Size:
    return x.shape[-1:] if isinstance(layer, nn.Linear) else x.shape[1 - layer.weight.dim() :]


def _fan_out(layer: Weighted, weight: Tensor, shape: torch.Size) -> Tensor:
    """Return how many ones of `weight` each input position meets: the gradient of the sum of all outputs."""
    x = weight.new_zeros(1, *shape, requires_grad=True)
    with torch.enable_grad():
        y = functional.linear(x, weight) if isinstance(layer, nn.Linear) else layer._conv_forward(x, weight, None)
        return torch.autograd.grad(y.sum(), x)[0][0].double()
