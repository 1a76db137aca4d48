"""What a network is made from: the components of one candidate, and the making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spikefront.components.coder import Coder
from spikefront.components.encoding import Encoding
from spikefront.components.network import Network
from spikefront.components.neuron import NeuronModel
from spikefront.components.surrogate import Surrogate
from spikefront.components.synapse import Synapse
from spikefront.randomness import Streams
from spikefront.space import Array
from spikefront.spiking.builder import Builder
from spikefront.spiking.layers import CoderLayer, SpikingNetwork, share_trained


@dataclass(frozen=True)
class Parts:
    """The components that a candidate's network is made from.

    Attributes:
        neurons: Neuron models in the order of the layers that fire; the last one repeats.
        arrays: Evolved arrays, by section of the study file and name.
    """

    network: Network
    neurons: tuple[NeuronModel, ...]
    surrogate: Surrogate
    synapse: Synapse
    coder: Coder
    encoding: Encoding
    arrays: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)

    def build(self, input_shape: tuple[int, ...], outputs: int, streams: Streams) -> SpikingNetwork:
        """Return the candidate's network with its initial weights.

        Args:
            input_shape: Shape of one sample at one time step, without time and batch.
            outputs: Number of outputs.
            streams: Randomness of this candidate; "network" and "encoding" are drawn from.
        """
        builder = Builder(
            input_shape,
            outputs,
            self.synapse,
            self.neurons,
            self.surrogate,
            streams.torch("network"),
            self.coder.steps,
        )
        network = SpikingNetwork(CoderLayer(self.coder), self.network.build(builder))
        share_trained(network)
        self.encoding.apply(network, self.arrays.get("encoding", {}), streams.torch("encoding"))
        return network
