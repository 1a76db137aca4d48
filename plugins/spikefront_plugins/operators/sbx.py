"""Simulated binary crossover of numbers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from spikefront import Crossover, hookimpl
from spikefront.components import Operator
from spikefront.space import Domain, Integer, Real
from spikefront_plugins.operators._domains import Axis


class SimulatedBinaryCrossover(Crossover):
    """Spreads two children around their parents as one-point crossover of binary strings would.

    For parents x1 < x2 on [low, high] and one draw u from U(0, 1), each child has its own spread:

        c1 = (x1 + x2 - q(1 + 2 (x1 - low) / (x2 - x1)) (x2 - x1)) / 2
        c2 = (x1 + x2 + q(1 + 2 (high - x2) / (x2 - x1)) (x2 - x1)) / 2
        q(b) = (u a)^(1 / (eta + 1))           where u <= 1 / a,  with a = 2 - b^-(eta + 1)
        q(b) = (1 / (2 - u a))^(1 / (eta + 1))  else

    so that no child leaves the bounds. Logarithmic domains are crossed in the exponent, integers are rounded.

    Source: Deb and Agrawal, Simulated binary crossover for continuous search space, Complex Systems 9 (1995).
    """

    name: ClassVar[str] = "sbx"
    domains: ClassVar[tuple[type[Any], ...]] = (Real, Integer)

    eta: float = Field(15.0, ge=0, le=1000, description="distribution index: the larger, the closer to the parents")

    def cross(self, domain: Domain, a: Any, b: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        axis = Axis(domain)
        u = rng.random()
        x1, x2 = sorted((axis.position(a), axis.position(b)))
        if x1 == x2:
            return a, b
        middle, distance = (x1 + x2) / 2, x2 - x1
        lower = axis.value(middle - self._spread(u, (x1 - axis.low) / distance) * distance / 2)
        upper = axis.value(middle + self._spread(u, (axis.high - x2) / distance) * distance / 2)
        return (lower, upper) if a < b else (upper, lower)

    def _spread(self, u: float, room: float) -> float:
        """Return q for the room between a parent and its bound, in units of the parents' distance."""
        power = self.eta + 1
        alpha = 2 - (1 + 2 * max(room, 0.0)) ** -power
        base = u * alpha if u <= 1 / alpha else 1 / (2 - u * alpha)
        return float(base ** (1 / power))


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide simulated binary crossover."""
    return [SimulatedBinaryCrossover]
