"""Contract of surrogates: the derivative used in place of the spike's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from spikefront.components.base import Component


@dataclass(frozen=True)
class Scalar:
    """A surrogate's derivative at one point, for the compiled kernels.

    Attributes:
        expression: C, of `v` and the names in `values`. Numbers with a fraction belong into `values`: a literal would
            turn float into double. `square`, `magnitude`, `larger(a, b)` and `exponential` are there.
        values: Numbers by name; another value is not another kernel.
    """

    expression: str
    values: Mapping[str, float]


class Surrogate(Component, ABC):
    """A stand-in for the derivative of the Heaviside step.

    The derivative is even, never negative, finite in area, and 1 at its peak (v = 0).
    """

    kind: ClassVar[str] = "surrogate"

    @abstractmethod
    def derivative(self, v: torch.Tensor) -> torch.Tensor:
        """Return the derivative at `v`, potential minus threshold; any shape, elementwise."""

    @abstractmethod
    def primitive(self, v: torch.Tensor) -> torch.Tensor:
        """Return a function of which `derivative` is the derivative, 0 at v = 0; used by tests and plots."""

    def scalar(self) -> Scalar | None:
        """Return `derivative` for the compiled kernels; without it, neurons with this surrogate run uncompiled."""
        return None
