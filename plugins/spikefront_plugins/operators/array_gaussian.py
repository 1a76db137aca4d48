"""Gaussian mutation of arrays."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from spikefront import Mutation, hookimpl
from spikefront.components import Operator
from spikefront.space import Domain, Tensor
from spikefront_plugins.operators._domains import expect


class ArrayGaussianMutation(Mutation):
    """Adds N(0, (sigma scale)^2) to a random share of an array's entries, to one at least.

    `scale` is the standard deviation of the domain's first draw, so `sigma` means the same for every array.
    """

    name: ClassVar[str] = "array-gaussian"
    domains: ClassVar[tuple[type[Any], ...]] = (Tensor,)

    sigma: float = Field(0.1, gt=0, le=10, description="standard deviation of the noise, in units of the scale")
    density: float = Field(1.0, gt=0, le=1, description="share of the entries that are touched")

    def mutate(self, domain: Domain, value: Any, rng: np.random.Generator) -> Any:
        tensor = expect(domain, Tensor)
        touched = rng.random(tensor.shape) < self.density
        if not touched.any():
            touched.flat[rng.integers(touched.size)] = True
        noise = rng.normal(0.0, self.sigma * tensor.scale, tensor.shape)
        return tensor.project(np.where(touched, value + noise, value))


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide gaussian mutation of arrays."""
    return [ArrayGaussianMutation]
