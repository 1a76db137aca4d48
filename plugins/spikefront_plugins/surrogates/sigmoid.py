"""The sigmoid surrogate."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from spikefront import Surrogate, hookimpl
from spikefront.components.surrogate import Scalar


class Sigmoid(Surrogate):
    """The derivative of a logistic function, scaled to a peak of 1.

        derivative  4 f (1 - f)             with f = 1 / (1 + exp(-alpha v))
        primitive   4 / alpha (f - 1/2)

    The area is 4 / alpha. With alpha = 4 it is the logistic function's own derivative. Source: Wu et al.,
    "Spatio-Temporal Backpropagation for Training High-Performance Spiking Neural Networks", Frontiers in
    Neuroscience 2018, h3 (there with area 1).
    """

    name = "sigmoid"

    alpha: float = Field(4.0, gt=0, description="slope; the derivative falls as exp(-alpha |v|)")

    def derivative(self, v: Tensor) -> Tensor:
        f = (v * self.alpha).sigmoid_()
        return (1 - f).mul_(f).mul_(4)

    def scalar(self) -> Scalar:
        return Scalar(
            "4 * exponential(-alpha * magnitude(v)) / square(1 + exponential(-alpha * magnitude(v)))",
            {"alpha": self.alpha},
        )

    def primitive(self, v: Tensor) -> Tensor:
        return ((self.alpha * v).sigmoid() - 0.5) * (4 / self.alpha)


@hookimpl
def spikefront_surrogates() -> list[type[Surrogate]]:
    """Return this module's surrogate."""
    return [Sigmoid]
