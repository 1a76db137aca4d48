"""Recurrent network: layers of neurons that also hear their own spikes of the step before."""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront import Network, hookimpl
from spikefront.errors import InputError
from spikefront.spiking.builder import Builder
from spikefront.spiking.layers import NeuronLayer
from spikefront_plugins.networks._stack import Stack, Width, require_values


class Recurrent(Network):
    """Fully connected layers with recurrent connections, and a linear readout.

    s_t = neurons(W x_t + b + R s_{t-1}), s_0 = 0, in each hidden layer; y_t = V s_t + c. Samples of any shape are
    flattened.
    """

    name = "recurrent"

    hidden: tuple[Width, ...] = Field((128,), min_length=1, description="numbers of neurons of the recurrent layers")

    def build(self, builder: Builder) -> nn.Module:
        self.check(builder.input_shape)
        if builder.synapse.sequential:
            raise InputError(
                f"network 'recurrent' runs step by step, and synapse '{builder.synapse.name}' wants whole sequences",
                "Use synapse 'dense', or another network.",
            )
        stack = Stack(builder, builder.input_shape)
        stack.vectors()
        for neurons in self.hidden:
            stack.linear(neurons)
            feedback = builder.linear(stack.shape[0], neurons, bias=False)
            stack.layers.append(RecurrentLayer(feedback, builder.neuron(stack.shape)))
        stack.readout()
        return stack.module()

    def check(self, input_shape: tuple[int, ...]) -> None:
        require_values(self.name, input_shape)


class RecurrentLayer(nn.Module):
    """Neurons that hear their own spikes of the step before: currents (T, B, N) to spikes (T, B, N)."""

    def __init__(self, feedback: nn.Module, neurons: NeuronLayer) -> None:
        super().__init__()
        self.feedback = feedback
        self.neurons = neurons

    def forward(self, x: Tensor) -> Tensor:
        spikes, state = torch.zeros_like(x[:1]), None
        steps = []
        with parametrize.cached():  # a generated weight is made once, not once a step
            for current in x.unsqueeze(1):
                spikes, state = self.neurons.run(current + self.feedback(spikes), state)
                steps.append(spikes)
        return torch.cat(steps)


@hookimpl
def spikefront_networks() -> list[type[Network]]:
    """Return the recurrent network."""
    return [Recurrent]
