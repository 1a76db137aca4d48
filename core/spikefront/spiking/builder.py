"""The builder that networks are assembled with: every part maps (T, B, ...) to (T, B, ...)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from spikefront.components.encoding import encodable_weights
from spikefront.components.neuron import NeuronModel
from spikefront.components.surrogate import Surrogate
from spikefront.components.synapse import Synapse
from spikefront.errors import PluginError
from spikefront.spiking.layers import Folded, NeuronLayer


@dataclass
class Builder:
    """Makes the layers of one network, from the components of one candidate.

    Attributes:
        input_shape: Shape of one sample at one time step, without time and batch: (N,) or (C, H, W).
        outputs: Number of outputs that the task asks for.
        synapse: Makes the weighted layers.
        neurons: Neuron models in the order of the layers that fire; the last one repeats.
        surrogate: Derivative of the spike.
        generator: Source of the initial weights.
        steps: Number of time steps T.
    """

    input_shape: tuple[int, ...]
    outputs: int
    synapse: Synapse
    neurons: Sequence[NeuronModel]
    surrogate: Surrogate
    generator: torch.Generator
    steps: int
    _fired: int = 0

    def linear(self, inputs: int | tuple[int, ...], outputs: int, bias: bool = True) -> nn.Module:
        """Return a fully connected layer.

        Args:
            inputs: Their number, or the shape of what was flattened, which the modules with the weights keep as
                `input_shape`: an encoding may want to know where its inputs lie.
            outputs: Their number; a synapse may give another one, see `width`.
            bias: Whether there is one.
        """
        return self._vectors(self.synapse.linear, inputs, outputs, bias)

    def readout(self, inputs: int | tuple[int, ...], bias: bool = True) -> nn.Module:
        """Return the last layer, a fully connected one with the outputs that the task asks for.

        Args:
            inputs: As for `linear`.
            bias: Whether there is one.

        Raises:
            PluginError: The synapse gave another number of outputs.
        """
        layer = self._vectors(self.synapse.readout, inputs, self.outputs, bias)
        if width(layer) != self.outputs:
            raise PluginError(
                f"synapse '{self.synapse.name}': its readout has {width(layer)} outputs, and the task {self.outputs}",
                "Let its `readout` return a layer with as many outputs as asked for.",
            )
        return layer

    def conv(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, bias: bool = False) -> nn.Module:
        """Return a convolution with 'same' padding (odd kernels) and the given stride."""
        layer = self.synapse.conv(inputs, outputs, kernel, stride, kernel // 2, bias, self.generator)
        return self._fold(layer)

    def neuron(self, shape: tuple[int, ...]) -> NeuronLayer:
        """Return the next layer of neurons, for currents of `shape` (without time and batch)."""
        model = self.neurons[min(self._fired, len(self.neurons) - 1)]
        self._fired += 1
        return NeuronLayer(model, self.surrogate, shape, self.steps, self.generator)

    def stateless(self, module: nn.Module) -> nn.Module:
        """Return a module without memory (normalisation, pooling, flattening) applied to every step."""
        return Folded(module)

    def _vectors(
        self, make: Callable[..., nn.Module], inputs: int | tuple[int, ...], outputs: int, bias: bool
    ) -> nn.Module:
        shape = (inputs,) if isinstance(inputs, int) else inputs
        layer = make(math.prod(shape), outputs, bias, self.generator)
        for module, _ in encodable_weights(layer):
            vars(module)["input_shape"] = shape  # torch types all attributes of modules as tensors and modules
        return self._fold(layer)

    def _fold(self, layer: nn.Module) -> nn.Module:
        return layer if self.synapse.sequential else Folded(layer)


def width(layer: nn.Module) -> int:
    """Return the number of outputs (features or channels) of a layer made by `Builder`."""
    inner = layer.module if isinstance(layer, Folded) else layer
    for attribute in ("out_features", "out_channels"):
        if hasattr(inner, attribute):
            return int(getattr(inner, attribute))
    raise TypeError(f"{type(inner).__name__} has neither out_features nor out_channels")
