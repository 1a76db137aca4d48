"""Polynomial mutation of numbers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from spikefront import Mutation, hookimpl
from spikefront.components import Operator
from spikefront.space import Domain, Integer, Real
from spikefront_plugins.operators._domains import Axis


class PolynomialMutation(Mutation):
    """Moves a number, mostly a little, never past its bounds.

    For x on [low, high] and u from U(0, 1), with d the distance to the bound on the drawn side as a share of
    the range (below for u < 0.5, above else):

        u < 0.5:  x' = x - (1 - (2 u + (1 - 2 u) (1 - d)^(eta + 1))^(1 / (eta + 1))) (high - low)
        else:     x' = x + (1 - (2 (1 - u) + (2 u - 1) (1 - d)^(eta + 1))^(1 / (eta + 1))) (high - low)

    Logarithmic domains move in the exponent; an integer moves by one step at least.

    Source: Deb and Agrawal, A niched-penalty approach for constraint handling in genetic algorithms,
    ICANNGA (1999).
    """

    name: ClassVar[str] = "polynomial"
    domains: ClassVar[tuple[type[Any], ...]] = (Real, Integer)

    eta: float = Field(20.0, ge=0, le=1000, description="distribution index: the larger, the smaller the moves")

    def mutate(self, domain: Domain, value: Any, rng: np.random.Generator) -> Any:
        axis = Axis(domain)
        u = rng.random()
        if axis.width == 0:
            return value
        position = axis.position(value)
        if u < 0.5:
            move = -self._share(2 * u, (position - axis.low) / axis.width)
        else:
            move = self._share(2 * (1 - u), (axis.high - position) / axis.width)
        return axis.moved(value, position + move * axis.width)

    def _share(self, u: float, room: float) -> float:
        """Return the length of the move as a share of the range, for a u from U(0, 1) and the room on that side."""
        power = self.eta + 1
        return float(1 - (u + (1 - u) * (1 - room) ** power) ** (1 / power))


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide polynomial mutation."""
    return [PolynomialMutation]
