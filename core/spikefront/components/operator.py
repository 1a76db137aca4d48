"""Contracts of evolution operators: each works on one gene at a time, within its domain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from spikefront.components.base import Component
from spikefront.space import Domain


class Operator(Component, ABC):
    """Something that makes or changes values of genes.

    All randomness comes from the generator that is passed in. Inputs are never changed in place, and a
    result always lies in the domain.

    Attributes:
        domains: The classes of domains (`Real`, `Integer`, `Choice`, `Tensor`, `ListOf`) that it works on.
    """

    kind: ClassVar[str] = "operator"
    domains: ClassVar[tuple[type[Any], ...]]

    genes: str = Field("*", description="paths of the genes it works on, as a shell pattern")

    def fits(self, path: str, domain: Domain) -> bool:
        """Tell whether it works on the gene at `path`, which has this domain."""
        return isinstance(domain, self.domains) and fnmatchcase(path, self.genes)


class Sampling(Operator, ABC):
    """Draws the first values of genes."""

    @abstractmethod
    def sample(self, domain: Domain, rng: np.random.Generator) -> Any:
        """Return a value of `domain`."""


class Crossover(Operator, ABC):
    """Mixes the values that two parents have for a gene."""

    probability: float = Field(0.5, ge=0, le=1, description="chance, for each gene, that it is mixed")

    def chosen(self, paths: Sequence[str], rng: np.random.Generator) -> Sequence[str]:
        """Return which of its genes two parents mix; by default each with `probability`.

        Args:
            paths: The genes it works on that are active in a parent at least, in the order of the space.
            rng: Source of randomness.
        """
        return [path for path in paths if rng.random() < self.probability]

    @abstractmethod
    def cross(self, domain: Domain, a: Any, b: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        """Return the two children's values of a gene that was `chosen`."""


class Mutation(Operator, ABC):
    """Changes the value of a gene."""

    probability: float | None = Field(
        None, ge=0, le=1, description="chance, for each gene; by default 1 / number of active genes"
    )

    @abstractmethod
    def mutate(self, domain: Domain, value: Any, rng: np.random.Generator) -> Any:
        """Return the changed value. `probability` has been dealt with before."""
