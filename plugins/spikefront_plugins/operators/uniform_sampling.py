"""Uniform sampling: the first value of a gene is drawn as its domain says."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from spikefront import Sampling, hookimpl
from spikefront.components import Operator
from spikefront.space import Choice, Domain, Integer, ListOf, Real, Tensor


class UniformSampling(Sampling):
    """Draws numbers and choices uniformly (logarithmic domains in the exponent), arrays from N(0, scale^2).

    The length of a list is drawn uniformly too, and then each of its tables.
    """

    name: ClassVar[str] = "uniform-sampling"
    domains: ClassVar[tuple[type[Any], ...]] = (Real, Integer, Choice, Tensor, ListOf)

    def sample(self, domain: Domain, rng: np.random.Generator) -> Any:
        return domain.sample(rng)


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide uniform sampling."""
    return [UniformSampling]
