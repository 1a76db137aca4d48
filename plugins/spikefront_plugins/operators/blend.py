"""Blend crossover of numbers and arrays."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from spikefront import Crossover, hookimpl
from spikefront.components import Operator
from spikefront.space import Domain, Integer, Real, Tensor
from spikefront_plugins.operators._domains import Axis


class BlendCrossover(Crossover):
    """Draws two children from the line through their parents, a little beyond them too (BLX-alpha).

        g = (1 + 2 alpha) u - alpha,   u from U(0, 1)
        c1 = (1 - g) a + g b,   c2 = g a + (1 - g) b

    Drawn once for an array, structure that both parents share survives; drawn for each entry, the children
    fill the box around their parents. Logarithmic domains are blended in the exponent, integers are rounded.

    Source: Eshelman and Schaffer, Real-coded genetic algorithms and interval-schemata, FOGA 2 (1993).
    """

    name: ClassVar[str] = "blend"
    domains: ClassVar[tuple[type[Any], ...]] = (Real, Integer, Tensor)

    alpha: float = Field(0.5, ge=0, le=2, description="how far beyond the parents, in units of their distance")
    draw: Literal["array", "entry"] = Field("array", description="one draw for the whole array or for each entry")

    def cross(self, domain: Domain, a: Any, b: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        if isinstance(domain, Tensor):
            first, second = self._blend(a, b, rng.random(domain.shape if self.draw == "entry" else ()))
            return domain.project(first), domain.project(second)
        axis = Axis(domain)
        first, second = self._blend(axis.position(a), axis.position(b), rng.random())
        return axis.value(min(max(first, axis.low), axis.high)), axis.value(min(max(second, axis.low), axis.high))

    def _blend(self, a: Any, b: Any, u: Any) -> tuple[Any, Any]:
        g = (1 + 2 * self.alpha) * u - self.alpha
        return (1 - g) * a + g * b, g * a + (1 - g) * b


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide blend crossover."""
    return [BlendCrossover]
