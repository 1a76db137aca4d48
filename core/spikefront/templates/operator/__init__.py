"""Integer mutation with geometric steps."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from spikefront import Mutation, hookimpl
from spikefront.components import Operator
from spikefront.space import Domain, Integer


class NewComponent(Mutation):
    """Adds the difference of two geometric numbers to a whole number, and holds it within its bounds.

        x' = x + step (z_1 - z_2),    P(z = n) = p (1 - p)^n,    p = 1 - m / (1 + sqrt(1 + m^2))

    m is the mean of |z_1 - z_2|. Of all steps with this mean these have the largest entropy: they are to whole numbers
    what normal ones are to real numbers. A step may be 0. Source: Rudolph, "An Evolutionary Algorithm for Integer
    Programming", PPSN III (1994).
    """

    name = "new-component"
    domains: ClassVar[tuple[type[Any], ...]] = (Integer,)

    mean_step: float = Field(1.0, gt=0, le=1e6, description="mean length m of a mutation, in steps of the domain")

    def mutate(self, domain: Domain, value: Any, rng: np.random.Generator) -> Any:
        if not isinstance(domain, Integer):
            raise TypeError(f"Integer domain expected, found {type(domain).__name__}")
        p = 1 - self.mean_step / (1 + math.sqrt(1 + self.mean_step**2))
        return domain.project(value + domain.step * int(rng.geometric(p) - rng.geometric(p)))


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Return this module's operator."""
    return [NewComponent]
