"""Contract of networks: layers and their wiring."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import nn

from spikefront.components.base import Component
from spikefront.spiking.builder import Builder


class Network(Component, ABC):
    """An architecture. Its parameters are widths, depths and the like; neurons and synapses come from outside."""

    kind: ClassVar[str] = "network"

    @abstractmethod
    def build(self, builder: Builder) -> nn.Module:
        """Return the body of the network: input (T, B, *builder.input_shape) to outputs (T, B, builder.outputs).

        Every weighted layer, neuron layer and stateless module comes from `builder`, so that time, random
        numbers and the other components are taken care of. The last layer, `builder.readout`, gives currents, not
        spikes.
        """

    def check(self, input_shape: tuple[int, ...]) -> None:
        """Refuse an input that this architecture cannot take, before anything is built.

        Args:
            input_shape: Shape of one sample, without time and batch.

        Raises:
            InputError: The message names the parameter, its value and what would fit.
        """
