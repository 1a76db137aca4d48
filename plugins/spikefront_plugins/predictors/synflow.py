"""Synaptic flow: how much of its input a network without training can carry to its outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront import NeuronModel, Predictor, hookimpl
from spikefront.components import Context, Spike, State
from spikefront.components.encoding import encodable_weights
from spikefront.components.task import require_supervised
from spikefront.spiking.layers import NeuronLayer, SpikingNetwork


class Synflow(Predictor):
    """The synaptic flow of an untrained network (Tanaka et al., NeurIPS 2020, arXiv 2006.05467).

    With all weights replaced by their magnitudes, and all inputs by ones,

        score = ln sum_w w dR/dw,   R = sum of the outputs, mean over time

    The logarithm changes no rank. Our reading for spiking networks: neurons pass their currents on as they are, the
    coder is left out, biases are zero, and batch normalisation has the mean 0 and the variance 1 that it starts with.
    Generated weights count as they come out of their encoding. Data play no part, and thresholds and time constants
    neither: candidates that differ in nothing else have equal scores but for their initial weights.
    """

    name: ClassVar[str] = "synflow"

    def probe(self, context: Context) -> Sequence[float]:
        task = require_supervised(context.task, self.name, "predictor")
        network = task.build(context.parts, context.streams)
        return [synaptic_flow(network, torch.ones(context.parts.coder.steps, 1, *task.input_shape))]


def synaptic_flow(network: SpikingNetwork, ones: Tensor) -> float:
    """Return the logarithm of a network's synaptic flow; the network is changed.

    Args:
        network: Freshly built.
        ones: The input in place of what the coder gives (T, 1, ...).
    """
    network.eval()
    for layer in list(network.modules()):
        if parametrize.is_parametrized(layer):
            for name in list(layer.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(layer, name)
    for layer in network.modules():
        if isinstance(layer, NeuronLayer):
            layer.model = _PassOn()
        bias = getattr(layer, "bias", None)
        if isinstance(bias, Tensor):
            nn.init.zeros_(bias)
    network.double()
    weights = []
    for layer, name in encodable_weights(network):
        weight = getattr(layer, name)
        weight.requires_grad_(True)
        weight.data.abs_()
        weights.append(weight)
    flow = network.body(ones.double()).mean(0).sum()
    gradients = torch.autograd.grad(flow, weights, allow_unused=True)
    products = [float((w.detach() * g).sum()) for w, g in zip(weights, gradients, strict=True) if g is not None]
    return math.log(sum(products)) if sum(products) > 0 else -math.inf


class _PassOn(NeuronModel):
    """A neuron whose output is its current."""

    name: ClassVar[str] = "pass-on"

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        return x, state


@hookimpl
def spikefront_predictors() -> list[type[Predictor]]:
    """Return the predictor."""
    return [Synflow]
