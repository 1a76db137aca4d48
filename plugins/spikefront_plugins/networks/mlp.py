"""Multilayer perceptron: fully connected layers of neurons."""

from pydantic import Field
from torch import nn

from spikefront import Network, hookimpl
from spikefront.spiking.builder import Builder
from spikefront_plugins.networks._stack import Stack, Width, require_values


class MLP(Network):
    """Fully connected layers, each followed by neurons, and a linear readout.

    s_l = neurons(W_l s_{l-1} + b_l), y = W s_L + b at every time step. Samples of any shape are flattened. With
    `batch_norm` the currents are normalised over all steps and samples, and the hidden layers have no bias.
    """

    name = "mlp"

    hidden: tuple[Width, ...] = Field((128,), description="numbers of neurons of the hidden layers")
    batch_norm: bool = Field(False, description="normalise the currents of the hidden layers")

    def build(self, builder: Builder) -> nn.Module:
        self.check(builder.input_shape)
        stack = Stack(builder, builder.input_shape)
        stack.vectors()
        for neurons in self.hidden:
            stack.linear(neurons, self.batch_norm)
            stack.fire()
        stack.readout()
        return stack.module()

    def check(self, input_shape: tuple[int, ...]) -> None:
        require_values(self.name, input_shape)


@hookimpl
def spikefront_networks() -> list[type[Network]]:
    """Return the multilayer perceptron."""
    return [MLP]
