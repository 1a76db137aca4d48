"""Chebyshev synapses: each weight is a polynomial of the input that it multiplies."""

import math
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import init

from spikefront import Synapse, hookimpl
from spikefront.spiking.layers import Folded
from spikefront_plugins.synapses.dense import Dense

Squash = Literal["tanh", "clip"]


class Chebyshev(Synapse):
    """Weights that are sums of Chebyshev polynomials T_k of their own input, with learnt coefficients.

        z_i[t] = x_i[t] + lambda (z_i[t-1] - x_i[t]),  z_i[-1] = x_i[0];    u_i = squash(z_i)
        w_ji(u) = sum_{k=0..n} a_jik T_k(u),    I_j[t] = b_j + sum_i w_ji(u_i[t]) u_i[t]

    T_0 = 1, T_1 = u, T_{k+1} = 2 u T_k - T_{k-1}. With n = 0 the layer is linear in u. Each order is a layer of its own
    for encodings and for the count of operations: n + 1 products a connection, which are multiply-accumulates where u
    is no whole number. a_ji0 and b start as those of `dense`, the others normal with deviation
    0.1 / sqrt(inputs (n + 1)), so that training starts near the linear layer.

    After Islam, Bouzerdoum and Belhaouari, "Bio-Inspired Adaptive Neurons for Dynamic Weighting in Artificial Neural
    Networks", arXiv 2412.01454, by its abstract. The rest is our reading. On spikes the T_k are constants, and the
    layer is linear: so it reads their traces z, in [0, 1]. A constant input is its own trace, and enters as it is.
    Outside of [-1, 1] T_k grows like |u|^k, so z is squashed.
    """

    name = "chebyshev"
    sequential = True

    order: int = Field(2, ge=0, le=16, description="order n of the polynomials; 0 is a linear layer")
    squash: Squash = Field("clip", description="what keeps traces in [-1, 1]: clip leaves those within as they are")
    decay: float = Field(0.5, ge=0, lt=1, description="lambda of the traces; 0 takes inputs as they are")

    def linear(self, inputs: int, outputs: int, bias: bool, generator: torch.Generator) -> nn.Module:
        orders = [Dense().linear(inputs, outputs, bias and k == 0, generator) for k in range(self.order + 1)]
        return self._layer(orders, "out_features", outputs, generator)

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
        orders = [
            Dense().conv(inputs, outputs, kernel, stride, padding, bias and k == 0, generator)
            for k in range(self.order + 1)
        ]
        return self._layer(orders, "out_channels", outputs, generator)

    def _layer(
        self, orders: Sequence[nn.Linear | nn.Conv2d], width: str, outputs: int, generator: torch.Generator
    ) -> nn.Module:
        for order in orders[1:]:
            deviation = 0.1 / math.sqrt(order.weight[0].numel() * len(orders))
            init.normal_(order.weight, 0, deviation, generator=generator)
        layer = ChebyshevLayer(orders, self.squash, self.decay)
        vars(layer)[width] = outputs
        return layer


class ChebyshevLayer(nn.Module):
    """Inputs (T, B, ...) to currents (T, B, ...).

    Args:
        orders: The layers that hold a_0 ... a_n.
        squash: What keeps traces in [-1, 1].
        decay: Lambda of the traces.
    """

    squashes: ClassVar[dict[Squash, Callable[[Tensor], Tensor]]] = {
        "tanh": torch.tanh,
        "clip": lambda z: z.clamp(-1, 1),
    }

    def __init__(self, orders: Sequence[nn.Module], squash: Squash, decay: float) -> None:
        super().__init__()
        self.orders = nn.ModuleList(Folded(order) for order in orders)
        self.squash = squash
        self.decay = decay

    def forward(self, x: Tensor) -> Tensor:
        u = self.squashes[self.squash](traces(x, self.decay))
        before, now = u, torch.ones_like(u)  # T_{-1} = T_1
        total: Tensor = self.orders[0](u)
        for order in self.orders[1:]:
            before, now = now, 2 * u * now - before
            total = total + order(now * u)
        return total


def traces(x: Tensor, decay: float) -> Tensor:
    """Return the exponential means of inputs (T, B, ...), which start at the first input."""
    if decay == 0:
        return x
    z = x[0]
    means = []
    for now in x:
        z = now + decay * (z - now)  # exactly x where x stays the same
        means.append(z)
    return torch.stack(means)


@hookimpl
def spikefront_synapses() -> list[type[Synapse]]:
    """Return the Chebyshev synapse."""
    return [Chebyshev]
