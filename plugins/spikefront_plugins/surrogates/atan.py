"""The arc tangent surrogate."""

from __future__ import annotations

import math

from pydantic import Field
from torch import Tensor

from spikefront import Surrogate, hookimpl
from spikefront.components.surrogate import Scalar


class ATan(Surrogate):
    """The derivative of an arc tangent: a slim peak with long tails, so that no neuron is out of reach.

        derivative  1 / (1 + (pi/2 alpha v)^2)
        primitive   2 / (pi alpha) arctan(pi/2 alpha v)

    The area is 2 / alpha. With alpha = 2 this is the surrogate of Fang et al., "Incorporating Learnable
    Membrane Time Constant to Enhance Learning of Spiking Neural Networks", ICCV 2021.
    """

    name = "atan"

    alpha: float = Field(2.0, gt=0, description="slope; the derivative is 1/2 at |v| = 2 / (pi alpha)")

    def derivative(self, v: Tensor) -> Tensor:
        return (v * (math.pi / 2 * self.alpha)).square().add_(1).reciprocal_()

    def scalar(self) -> Scalar:
        return Scalar("1 / (1 + square(scale * v))", {"scale": math.pi / 2 * self.alpha})

    def primitive(self, v: Tensor) -> Tensor:
        scale = math.pi / 2 * self.alpha
        return (scale * v).atan() / scale


@hookimpl
def spikefront_surrogates() -> list[type[Surrogate]]:
    """Return this module's surrogate."""
    return [ATan]
