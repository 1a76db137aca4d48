"""What operators share: the domain that they expect, and the axis along which numbers are varied."""

from __future__ import annotations

import math
from typing import TypeVar

from spikefront.space import Domain, Integer, Real

Expected = TypeVar("Expected", bound=Domain)


def expect(domain: Domain, kind: type[Expected]) -> Expected:
    """Return `domain`, which has to be of this kind.

    Raises:
        TypeError: It is of another kind.
    """
    if not isinstance(domain, kind):
        raise TypeError(f"{kind.__name__} domain expected, found {type(domain).__name__}")
    return domain


class Axis:
    """The line on which the values of a numeric domain lie: the exponents where it is logarithmic.

    Attributes:
        low: Where the smallest value lies.
        high: Where the largest value lies.

    Raises:
        TypeError: The domain is not numeric.
    """

    def __init__(self, domain: Domain) -> None:
        if not isinstance(domain, Real | Integer):
            raise TypeError(f"Real or Integer domain expected, found {type(domain).__name__}")
        self._domain = domain
        self.low = self.position(domain.low)
        self.high = self.position(domain.high)

    @property
    def width(self) -> float:
        """Distance of the smallest and the largest value."""
        return self.high - self.low

    def position(self, value: float) -> float:
        """Return where a value lies."""
        return math.log(value) if self._domain.log else float(value)

    def value(self, position: float) -> float:
        """Return the allowed value that is nearest to a position."""
        return self._domain.project(math.exp(position) if self._domain.log else position)

    def moved(self, value: float, position: float) -> float:
        """Return the value at a new position; an integer moves by a step at least, back where it is at an end."""
        new = self.value(min(max(position, self.low), self.high))
        if new != value or not isinstance(self._domain, Integer):
            return new
        step = self._domain.step if position >= self.position(value) else -self._domain.step
        ahead = self._domain.project(value + step)
        return ahead if ahead != value else self._domain.project(value - step)
