"""Blend crossover of arrays."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from spikefront import Crossover, hookimpl
from spikefront.components import Operator
from spikefront.space import Domain, Tensor
from spikefront_plugins.operators._domains import expect


class BlendCrossover(Crossover):
    """Draws two children from the line through their parents, a little beyond them too (BLX-alpha).

        g = (1 + 2 alpha) u - alpha,   u from U(0, 1)
        c1 = (1 - g) a + g b,   c2 = g a + (1 - g) b

    Drawn once for an array, structure that both parents share survives; drawn for each entry, the children
    fill the box around their parents.

    Source: Eshelman and Schaffer, Real-coded genetic algorithms and interval-schemata, FOGA 2 (1993).
    """

    name: ClassVar[str] = "blend"
    domains: ClassVar[tuple[type[Any], ...]] = (Tensor,)

    alpha: float = Field(0.5, ge=0, le=2, description="how far beyond the parents, in units of their distance")
    draw: Literal["array", "entry"] = Field("array", description="one draw for the whole array or for each entry")

    def cross(self, domain: Domain, a: Any, b: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        tensor = expect(domain, Tensor)
        u = rng.random(tensor.shape if self.draw == "entry" else ())
        g = (1 + 2 * self.alpha) * u - self.alpha
        return tensor.project((1 - g) * a + g * b), tensor.project(g * a + (1 - g) * b)


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide blend crossover."""
    return [BlendCrossover]
