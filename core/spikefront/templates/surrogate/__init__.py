"""The fast sigmoid surrogate."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from spikefront import Surrogate, hookimpl
from spikefront.components.surrogate import Scalar


class NewComponent(Surrogate):
    """The derivative of a fast sigmoid: a sharp peak, and tails that fall with the square of the distance.

        derivative  1 / (1 + alpha |v|)^2
        primitive   v / (1 + alpha |v|)

    The area is 2 / alpha. Source: Zenke and Ganguli, "SuperSpike: Supervised Learning in Multilayer Spiking Neural
    Networks", Neural Computation 30 (2018).
    """

    name = "new-component"

    alpha: float = Field(2.0, gt=0, description="slope; the derivative is 1/4 at |v| = 1 / alpha")

    def derivative(self, v: Tensor) -> Tensor:
        return (1 + self.alpha * v.abs()).square().reciprocal()

    def primitive(self, v: Tensor) -> Tensor:
        return v / (1 + self.alpha * v.abs())

    def scalar(self) -> Scalar:
        return Scalar("1 / square(1 + alpha * magnitude(v))", {"alpha": self.alpha})


@hookimpl
def spikefront_surrogates() -> list[type[Surrogate]]:
    """Return this module's surrogate."""
    return [NewComponent]
