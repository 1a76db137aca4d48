"""The triangle surrogate."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from spikefront import Surrogate, hookimpl
from spikefront.components.surrogate import Scalar


class Triangle(Surrogate):
    """A triangle around the threshold, and nothing outside.

        derivative  max(0, 1 - alpha |v|)
        primitive   v - alpha v |v| / 2 where |v| <= 1 / alpha, else sign(v) / (2 alpha)

    The area is 1 / alpha. Source: Bellec et al., "Long short-term memory and learning-to-learn in networks of
    spiking neurons", NeurIPS 2018 (there damped by 0.3).
    """

    name = "triangle"

    alpha: float = Field(1.0, gt=0, description="slope of the sides; the base is 2 / alpha wide")

    def derivative(self, v: Tensor) -> Tensor:
        return v.abs().mul_(-self.alpha).add_(1).clamp_(min=0)

    def scalar(self) -> Scalar:
        return Scalar("larger(0, 1 - alpha * magnitude(v))", {"alpha": self.alpha})

    def primitive(self, v: Tensor) -> Tensor:
        inside = v.clamp(-1 / self.alpha, 1 / self.alpha)
        return inside - self.alpha / 2 * inside * inside.abs()


@hookimpl
def spikefront_surrogates() -> list[type[Surrogate]]:
    """Return this module's surrogate."""
    return [Triangle]
