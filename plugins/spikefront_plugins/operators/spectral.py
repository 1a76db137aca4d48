"""Spectral mutation of matrices."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from spikefront import Mutation, hookimpl
from spikefront.components import Operator
from spikefront.space import Domain, Tensor
from spikefront_plugins.operators._domains import expect


class SpectralMutation(Mutation):
    """Stretches and squeezes a matrix along its own singular vectors.

        A = U diag(s) V^T  ->  A' = c U diag(s exp(sigma z)) V^T,   z from N(0, 1) for each singular value

    with c such that |A'|_F = |A|_F. It changes how evenly a gene interaction matrix spreads its strength,
    which noise on single entries hardly does, and leaves its size and directions alone. Arrays with more
    than two axes are stacks of matrices, each treated by itself. A bounded domain clips the result.
    """

    name: ClassVar[str] = "spectral"
    domains: ClassVar[tuple[type[Any], ...]] = (Tensor,)

    sigma: float = Field(0.2, gt=0, le=3, description="standard deviation of the logarithms of the singular values")

    def fits(self, path: str, domain: Domain) -> bool:
        return super().fits(path, domain) and len(expect(domain, Tensor).shape) >= 2

    def mutate(self, domain: Domain, value: Any, rng: np.random.Generator) -> Any:
        tensor = expect(domain, Tensor)
        left, singular, right = np.linalg.svd(np.asarray(value, dtype=np.float64), full_matrices=False)
        changed = singular * np.exp(rng.normal(0.0, self.sigma, singular.shape))
        before, after = (np.linalg.norm(values, axis=-1, keepdims=True) for values in (singular, changed))
        changed *= before / np.where(after > 0, after, 1.0)
        return tensor.project((left * changed[..., None, :]) @ right)


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide spectral mutation."""
    return [SpectralMutation]
