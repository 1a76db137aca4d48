"""What the components share; it has no hooks."""

import math


def keep(tau: float) -> float:
    """Return the share of a potential that a step leaves: exp(-1 / tau)."""
    return math.exp(-1 / tau)


def per_step(total: float, steps: int) -> float:
    """Return a sum over time steps as a mean."""
    return total / max(steps, 1)
