"""Contract of synapses: a layer's map from its input to the currents of its neurons."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import nn

from spikefront.components.base import Component


class Synapse(Component, ABC):
    """What stands where a dense network has `Linear` and `Conv2d`.

    The modules it makes tell their width afterwards (`out_features`, `out_channels`), which may differ from what
    was asked for: a dendritic layer gives fewer outputs. Only a readout gives exactly what was asked for. The tensors
    that an encoding may generate are the weights of `nn.Linear` and `nn.Conv2d`, within a module too, or those that a
    module of its own names in `encodable_weights` (a tuple of attribute names). A module that does other work than
    these counts it in `count_operations`, see `spikefront.measure.recorder.CountsItself`.

    Attributes:
        sequential: True where the layer remembers something from step to step: it is then called with
            (T, B, ...) instead of (T*B, ...).
    """

    kind: ClassVar[str] = "synapse"
    sequential: ClassVar[bool] = False

    @abstractmethod
    def linear(self, inputs: int, outputs: int, bias: bool, generator: torch.Generator) -> nn.Module:
        """Make a fully connected layer, (N, inputs) to (N, outputs), initialised from `generator`."""

    def readout(self, inputs: int, outputs: int, bias: bool, generator: torch.Generator) -> nn.Module:
        """Make the last layer, (N, inputs) to exactly (N, outputs): the currents that the task reads.

        By default that of `linear`; a synapse whose `linear` gives another width than asked for has to say what it is.
        """
        return self.linear(inputs, outputs, bias, generator)

    def conv(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int,
        padding: int,
        bias: bool,
        generator: torch.Generator,
    ) -> nn.Module:
        """Make a convolution, (N, inputs, H, W) to (N, outputs, H', W'), initialised from `generator`.

        Raises:
            NotImplementedError: This synapse has no form for images.
        """
        raise NotImplementedError(f"synapse '{self.name}' has no convolution; use it with a network of linear layers")
