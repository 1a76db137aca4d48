"""The rectangle surrogate."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from spikefront import Surrogate, hookimpl
from spikefront.components.surrogate import Scalar


class Rectangle(Surrogate):
    """A window around the threshold: the gradient passes unchanged inside and not at all outside.

        derivative  1 where |v| <= 1 / (2 alpha), else 0
        primitive   v clipped to [-1 / (2 alpha), 1 / (2 alpha)]

    The area and the width of the window are 1 / alpha. Source: Wu et al., "Spatio-Temporal Backpropagation for
    Training High-Performance Spiking Neural Networks", Frontiers in Neuroscience 2018, h1 (there with area 1).
    """

    name = "rectangle"

    alpha: float = Field(1.0, gt=0, description="inverse of the window's width")

    def derivative(self, v: Tensor) -> Tensor:
        return v.abs().le_(0.5 / self.alpha)

    def scalar(self) -> Scalar:
        return Scalar("magnitude(v) <= half ? 1 : 0", {"half": 0.5 / self.alpha})

    def primitive(self, v: Tensor) -> Tensor:
        return v.clamp(-0.5 / self.alpha, 0.5 / self.alpha)


@hookimpl
def spikefront_surrogates() -> list[type[Surrogate]]:
    """Return this module's surrogate."""
    return [Rectangle]
