"""What is recorded while a network runs: synaptic operations and spikes, layer by layer, per sample."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SynapseRecord:
    """Work of one weighted layer, per sample, summed over all time steps.

    Attributes:
        name: Path of the layer in the network.
        analog: True where the input holds real numbers (multiply-accumulates), False for spikes
            (accumulates; a burst of s counts s).
        effective: Operations with a non-zero input and a non-zero weight.
        dense: Operations with any input and any weight, borders excluded.
        rate: Mean magnitude of the input: spikes for each position and step; effective / dense where a module counts
            for itself.
        flops: Multiply-accumulates of a single step by the usual formula, borders included.
        absent: Those of `dense` whose weight is zero: where a sparse layer has no connection.
    """

    name: str
    analog: bool
    effective: float
    dense: float
    rate: float = 0.0
    flops: float = 0.0
    absent: float = 0.0


@dataclass(frozen=True)
class NeuronRecord:
    """Activity of one layer of neurons, per sample, summed over all time steps.

    Attributes:
        name: Path of the layer in the network.
        neurons: Number of neurons.
        spikes: Sum of the magnitudes of all outputs.
        active: Number of outputs that are not zero.
    """

    name: str
    neurons: int
    spikes: float
    active: float


@dataclass(frozen=True)
class Recording:
    """All layers of a network in the order in which they run.

    Attributes:
        samples: Number of samples that were averaged over.
        steps: Number of time steps.
        synapses: Weighted layers.
        neurons: Layers of neurons.
    """

    samples: int = 0
    steps: int = 0
    synapses: tuple[SynapseRecord, ...] = ()
    neurons: tuple[NeuronRecord, ...] = ()
