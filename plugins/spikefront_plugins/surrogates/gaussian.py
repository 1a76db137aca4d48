"""The Gaussian surrogate."""

from __future__ import annotations

import math

from pydantic import Field
from torch import Tensor

from spikefront import Surrogate, hookimpl
from spikefront.components.surrogate import Scalar


class Gaussian(Surrogate):
    """A bell around the threshold: smooth, and practically nothing outside.

        derivative  exp(-(alpha v)^2)
        primitive   sqrt(pi) / (2 alpha) erf(alpha v)

    The area is sqrt(pi) / alpha. Source: Wu et al., "Spatio-Temporal Backpropagation for Training
    High-Performance Spiking Neural Networks", Frontiers in Neuroscience 2018, h4 (there with area 1).
    """

    name = "gaussian"

    alpha: float = Field(2.0, gt=0, description="slope; the derivative is 1/e at |v| = 1 / alpha")

    def derivative(self, v: Tensor) -> Tensor:
        return (v * self.alpha).square_().neg_().exp_()

    def scalar(self) -> Scalar:
        return Scalar("exponential(-square(alpha * v))", {"alpha": self.alpha})

    def primitive(self, v: Tensor) -> Tensor:
        return (self.alpha * v).erf() * (math.sqrt(math.pi) / (2 * self.alpha))


@hookimpl
def spikefront_surrogates() -> list[type[Surrogate]]:
    """Return this module's surrogate."""
    return [Gaussian]
