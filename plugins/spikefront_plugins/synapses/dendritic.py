"""Dendritic synapses: neurons with several nonlinear branches before the soma, and fewer of them."""

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from spikefront import Synapse, hookimpl
from spikefront.measure.recorder import Work
from spikefront_plugins.synapses.dense import Dense

Aggregation = Literal["sum", "mean", "root"]


class Dendritic(Synapse):
    """Branches that rectify their own weighted sums, summed in the soma.

        I_n = a sum_{k=1..K} max(0, <w_nk, x> + b_nk - theta),    n = 1..round(D / sqrt K),    a = 1, 1/K or 1/sqrt K

    With D / sqrt K neurons where D are asked for, a layer between two of its kind has the D^2 weights of the point
    layer, and sends D / sqrt K values. A readout is dense: it has the outputs of the task, and no soma. Weights and
    biases start as those of `dense`. In convolutions neurons are channels, and the branches of one share its place.

    After Wu et al., "Mitigating Communication Costs in Neural Networks: The Role of Dendritic Nonlinearity", arXiv
    2306.11950, where the sum is the output. That it is the current of a spiking soma is our reading; and that K = 1 is
    the point neuron, I = <w, x> + b, whose only nonlinearity is the soma's. The norm is that of layers without
    parameters: the currents of a step have mean 0 and variance 1 over the layer.
    """

    name = "dendritic"

    branches: int = Field(4, ge=1, le=256, description="number K of branches of a neuron")
    aggregation: Aggregation = Field("root", description="sum of the branches, their mean, or the sum / sqrt K")
    norm: bool = Field(False, description="normalise the currents over the layer, without parameters")
    threshold: float = Field(0.0, ge=0, description="theta, which a branch's sum has to exceed")

    def linear(self, inputs: int, outputs: int, bias: bool, generator: torch.Generator) -> nn.Module:
        neurons = self._neurons(outputs)
        return self._layer(Dense().linear(inputs, neurons * self.branches, bias, generator), "out_features", neurons)

    def readout(self, inputs: int, outputs: int, bias: bool, generator: torch.Generator) -> nn.Module:
        return Dense().linear(inputs, outputs, bias, generator)

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
        neurons = self._neurons(outputs)
        layer = Dense().conv(inputs, neurons * self.branches, kernel, stride, padding, bias, generator)
        return self._layer(layer, "out_channels", neurons)

    def _neurons(self, outputs: int) -> int:
        return max(1, round(outputs / math.sqrt(self.branches)))

    def _layer(self, weighted: nn.Module, width: str, neurons: int) -> nn.Module:
        if self.branches == 1 and not self.norm:
            return weighted
        scale = {"sum": 1.0, "mean": 1 / self.branches, "root": 1 / math.sqrt(self.branches)}[self.aggregation]
        layer = Dendrites(weighted, self.threshold, Soma(self.branches, scale, self.norm))
        vars(layer)[width] = neurons
        return layer


class Dendrites(nn.Module):
    """Inputs (N, inputs) or (N, inputs, H, W) to the currents of the somata.

    Args:
        weighted: The layer that makes the sums of all branches; those of a neuron follow each other.
        threshold: What they have to exceed.
        soma: Makes currents of branches.
    """

    repeatable: ClassVar[bool] = True

    def __init__(self, weighted: nn.Module, threshold: float, soma: "Soma") -> None:
        super().__init__()
        self.weighted = weighted
        self.threshold = threshold
        self.soma = soma

    def forward(self, x: Tensor) -> Tensor:
        d = self.weighted(x)
        currents: Tensor = self.soma(d if self.soma.branches == 1 else torch.relu(d - self.threshold))
        return currents


class Soma(nn.Module):
    """Adds up branches: (N, neurons K, ...) to currents (N, neurons, ...)."""

    def __init__(self, branches: int, scale: float, norm: bool) -> None:
        super().__init__()
        self.branches = branches
        self.scale = scale
        self.norm = norm

    def forward(self, d: Tensor) -> Tensor:
        currents = self.scale * d.unflatten(1, (-1, self.branches)).sum(2)
        return functional.group_norm(currents, 1) if self.norm else currents

    def count_operations(self, inputs: Tensor) -> Work:
        """Return K - 1 additions a neuron and step: accumulates, though branches are real numbers."""
        additions = inputs.numel() * (1 - 1 / self.branches)
        return Work(additions, additions, analog=False)


@hookimpl
def spikefront_synapses() -> list[type[Synapse]]:
    """Return the dendritic synapse."""
    return [Dendritic]
