"""Gaussian mutation of numbers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from spikefront import Mutation, hookimpl
from spikefront.components import Operator
from spikefront.space import Domain, Integer, Real
from spikefront_plugins.operators._domains import Axis


class GaussianMutation(Mutation):
    """Adds normal noise: x' = x + N(0, (sigma (high - low))^2), held within the bounds.

    Logarithmic domains move in the exponent; an integer moves by one step at least.

    Source: Bäck and Schwefel, An overview of evolutionary algorithms for parameter optimization,
    Evolutionary Computation 1 (1993).
    """

    name: ClassVar[str] = "gaussian"
    domains: ClassVar[tuple[type[Any], ...]] = (Real, Integer)

    sigma: float = Field(0.1, gt=0, le=1, description="standard deviation, as a share of the (logarithmic) range")

    def mutate(self, domain: Domain, value: Any, rng: np.random.Generator) -> Any:
        axis = Axis(domain)
        return axis.moved(value, axis.position(value) + rng.normal(0.0, self.sigma * axis.width))


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide gaussian mutation."""
    return [GaussianMutation]
