"""What the algorithms that breed candidates share."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar

from pydantic import Field

from spikefront import Algorithm


class Evolution(Algorithm, ABC):
    """An algorithm that breeds pairs of parents with the study's operators.

    A pair is crossed with the chance `crossover`; then each gene is, with its operator's own probability. The children
    of a pair that is not crossed are copies. All children are mutated, and one that was asked for before is bred again.
    """

    partial: ClassVar[bool] = True

    crossover: float = Field(1.0, ge=0, le=1, description="chance that a pair of parents is crossed at all")
