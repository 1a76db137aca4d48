"""A trained network at work: one sample's spikes and potentials, and the rates of all neurons over a batch."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront.components.neuron import State
from spikefront.randomness import Streams
from spikefront.spiking.layers import NeuronLayer, seed_noise

Floats = npt.NDArray[np.float32]
BATCH = 256
"""Samples over which rates are taken."""


@dataclass(frozen=True)
class LayerRun:
    """What one layer of N neurons did.

    Attributes:
        path: The layer in the network.
        spikes: (T, N) of the sample.
        potentials: (T, N) after the reset; None where the steps one by one do not give the spikes of the sequence.
        threshold: Potential at which the neurons fire, None where that is not one number.
        rates: (N,) spikes of a step, mean over the batch.
        always: (N,) whether a neuron fired in every step of every sample of the batch.
    """

    path: str
    spikes: Floats
    potentials: Floats | None
    threshold: float | None
    rates: Floats
    always: npt.NDArray[np.bool_]

    @property
    def silent(self) -> npt.NDArray[np.bool_]:
        """(N,) whether a neuron never fired: it is dead as far as the batch tells."""
        return np.asarray(self.rates == 0, dtype=bool)


@dataclass(frozen=True)
class Run:
    """What a network made of one sample.

    Attributes:
        layers: Layers of neurons in the order of the network.
        outputs: (T, 1, ...) what the network gave for the sample.
        samples: Size of the batch that the rates are from.
    """

    layers: tuple[LayerRun, ...]
    outputs: Tensor
    samples: int


def run(network: nn.Module, inputs: Tensor, sample: int, seed: int) -> Run:
    """Run a network on one sample, and on the first `BATCH` samples.

    The network is left as it is, so that several may look at it at once.

    Args:
        network: A trained network in evaluation mode.
        inputs: All samples (N, ...).
        sample: Which of them to look at.
        seed: What a coder or a neuron that draws is seeded with.
    """
    network = copy.deepcopy(network).eval()
    layers = {path: module for path, module in network.named_modules() if isinstance(module, NeuronLayer)}
    counts = {path: _Counts() for path in layers}
    for path, layer in layers.items():
        layer.listeners = [counts[path].add]
    with torch.no_grad(), parametrize.cached():
        _seed(network, seed)
        network(inputs[:BATCH])
        traces = {path: _Trace(layer) for path, layer in layers.items()}
        _seed(network, seed)
        outputs = network(inputs[sample : sample + 1])
    done = [_layer_run(path, layers[path], traces[path], counts[path]) for path in layers if traces[path].spikes]
    return Run(tuple(done), outputs, min(BATCH, len(inputs)))


class _Counts:
    """Sums of a layer's spikes over steps and samples, also of a layer that is run step by step."""

    def __init__(self) -> None:
        self.runs = 0
        self.spikes: Any = 0
        self.active: Any = 0

    def add(self, spikes: Tensor) -> None:
        """Count spikes (T, B, ...)."""
        flat = spikes.flatten(2) if spikes.dim() > 2 else spikes.unsqueeze(2)
        self.runs += flat.shape[0] * flat.shape[1]
        self.spikes = self.spikes + flat.sum((0, 1), dtype=torch.float64)
        self.active = self.active + (flat != 0).sum((0, 1))


class _Trace:
    """Watches a layer: its spikes as they are, and its potentials from a second run, step by step."""

    def __init__(self, layer: NeuronLayer) -> None:
        self.spikes: list[Tensor] = []
        self.potentials: list[Tensor] | None = []
        layer.listeners = []
        vars(layer)["run"] = functools.partial(self._run, layer, layer.run)

    def _run(self, layer: NeuronLayer, whole: Any, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        generator = layer.noise.generator
        before = generator.get_state()
        spikes, end = whole(x, state)
        after = generator.get_state()
        generator.set_state(before)
        single, potentials = [], []
        for current in x.split(1):
            fired, state = whole(current, state)
            single.append(fired)
            potentials.append(state[0])
        generator.set_state(after)
        self.spikes.append(spikes)
        if self.potentials is not None:
            self.potentials.extend(potentials)
        if not torch.equal(torch.cat(single), spikes):
            self.potentials = None
        return spikes, end


def _layer_run(path: str, layer: NeuronLayer, trace: _Trace, counts: _Counts) -> LayerRun:
    threshold = getattr(layer.model, "v_threshold", None)
    return LayerRun(
        path,
        torch.cat(trace.spikes).float().flatten(1).numpy(),
        None if trace.potentials is None else torch.stack(trace.potentials).float().flatten(1).numpy(),
        threshold if isinstance(threshold, float | int) else None,
        (counts.spikes / counts.runs).float().numpy(),
        (counts.active == counts.runs).numpy(),
    )


def _seed(network: nn.Module, seed: int) -> None:
    seed_noise(network, Streams(seed).torch("app"))
