"""What algorithms check: the population before they start, losses before they rank them."""

from __future__ import annotations

import math

from spikefront.components import Problem, Told
from spikefront.errors import InputError


def require_population(problem: Problem, algorithm: str, minimum: int) -> None:
    """Refuse a population that is too small for an algorithm.

    Raises:
        InputError: There are fewer candidates in a generation than `minimum`.
    """
    if problem.population < minimum:
        raise InputError(
            f"algorithm '{algorithm}' cannot work with a population of {problem.population}",
            f"Set search.population to {minimum} or more.",
        )


def finite_losses(told: Told) -> tuple[float, ...] | None:
    """Return losses that can be ranked, or None where the evaluation failed or one is not finite."""
    if told.losses is None or not all(math.isfinite(loss) for loss in told.losses):
        return None
    return told.losses
