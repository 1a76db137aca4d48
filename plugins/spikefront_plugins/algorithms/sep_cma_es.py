"""Separable CMA-ES for numbers and large arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from spikefront import Algorithm, hookimpl
from spikefront.components import Engine, Objective, Problem, Proposal, Told
from spikefront.errors import InputError, did_you_mean
from spikefront.genome import Value
from spikefront.space import Domain, Integer, Real, Space, Tensor
from spikefront_plugins.algorithms._checks import finite_losses, require_population
from spikefront_plugins.operators._domains import Axis

Floats = npt.NDArray[np.float64]
HALF_RANGE = 2.0
"""Half the range of a number in the search's coordinates, so that a step of 1 is a quarter of it."""


class SepCMAES(Algorithm):
    """Adapts a normal distribution with a diagonal covariance; its cost is linear in the number of entries.

    One loss is minimised: that of the only objective, or sum_k weights[k] loss_k, where the loss of an
    objective that is maximised is its negative value. A coordinate of 1 is the scale of an array, so that a
    step of 1 starts from the domain's own first draws, or a quarter of a number's (logarithmic) range.
    Integers are rounded, and a genome may be asked for again. The search ends once it has converged.

    Source: Ros and Hansen, A simple modification in CMA-ES achieving linear time and space complexity,
    PPSN X (2008). Runs on the library cmaes.
    """

    name: ClassVar[str] = "sep-cma-es"

    weights: dict[str, float] = Field(default_factory=dict, description="weight of each objective's loss")
    sigma: float = Field(1.0, gt=0, le=10, description="first step size, in scales of an array or quarters of a range")

    def __hash__(self) -> int:
        return hash((self.name, self.sigma, frozenset(self.weights.items())))

    def start(self, problem: Problem) -> Engine:
        require_population(problem, self.name, 2)
        coordinates = Coordinates(problem.space)
        if coordinates.size < 2:
            raise InputError("algorithm 'sep-cma-es' needs at least two numbers to search", "Use 'tpe' or 'random'.")
        return SepCMAEngine(problem, coordinates, self.sigma, self._weights(problem.objectives))

    def _weights(self, objectives: Sequence[Objective]) -> Floats:
        names = [objective.name for objective in objectives]
        if len(names) == 1 and not self.weights:
            return np.ones(1)
        hint = f"Give weights for exactly {', '.join(names)}."
        for name in self.weights:
            if name not in names:
                raise InputError(f"algorithm 'sep-cma-es' has a weight for '{name}'", did_you_mean(name, names))
        if len(self.weights) < len(names):
            raise InputError(f"algorithm 'sep-cma-es' searches one number, not {len(names)} objectives", hint)
        return np.array([self.weights[name] for name in names])


class SepCMAEngine(Engine):
    """Samples the distribution, and moves it after each generation in which something succeeded."""

    def __init__(self, problem: Problem, coordinates: Coordinates, sigma: float, weights: Floats) -> None:
        from cmaes import SepCMA

        self._space = problem.space
        self._coordinates = coordinates
        self._weights = weights
        self._search = SepCMA(
            mean=coordinates.start,
            sigma=sigma,
            bounds=coordinates.bounds,
            seed=problem.streams.integer("algorithm"),
            population_size=problem.population,
        )
        self._asked: list[Floats] = []

    def ask(self) -> list[Proposal]:
        if self._search.should_stop():
            return []
        self._asked = [self._search.ask() for _ in range(self._search.population_size)]
        return [Proposal(self._space.genome(self._coordinates.point(vector))) for vector in self._asked]

    def tell(self, results: Sequence[Told]) -> None:
        found = [finite_losses(told) for told in results]
        totals = [None if losses is None else float(self._weights @ losses) for losses in found]
        worst = max((total for total in totals if total is not None), default=None)
        if worst is not None:
            filled = [worst if total is None else total for total in totals]
            self._search.tell(list(zip(self._asked, filled, strict=True)))


class Coordinates:
    """The map from a vector, in which all entries have about the same unit, to a point of the space.

    Attributes:
        bounds: Smallest and largest value of each entry, (size, 2).
        start: Where the search begins: 0, or the nearest allowed value, (size).

    Raises:
        InputError: A gene is a choice or a list.
    """

    def __init__(self, space: Space) -> None:
        self._domains = {path: gene.domain for path, gene in space.items()}
        self.bounds = np.concatenate([np.empty((0, 2)), *(_bounds(*item) for item in self._domains.items())])
        self.start = np.clip(np.zeros(len(self.bounds)), self.bounds[:, 0], self.bounds[:, 1])

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.bounds)

    def point(self, vector: Floats) -> Mapping[str, Value]:
        """Return the point that a vector (size) stands for."""
        values, begin = {}, 0
        for path, domain in self._domains.items():
            end = begin + (math.prod(domain.shape) if isinstance(domain, Tensor) else 1)
            values[path] = _value(domain, vector[begin:end])
            begin = end
        return values


def _bounds(path: str, domain: Domain) -> Floats:
    match domain:
        case Tensor(shape, scale, low, high):
            return np.tile([low / scale, high / scale], (math.prod(shape), 1))
        case Real() | Integer():
            return np.array([[-HALF_RANGE, HALF_RANGE]])
    raise InputError(
        f"algorithm 'sep-cma-es' cannot search '{path}', a choice or a list",
        "Fix it, or use an evolutionary algorithm.",
    )


def _value(domain: Domain, vector: Floats) -> Value:
    if isinstance(domain, Tensor):
        return domain.project(vector.reshape(domain.shape) * domain.scale)
    axis = Axis(domain)
    return axis.value(axis.low + (float(vector[0]) + HALF_RANGE) / (2 * HALF_RANGE) * axis.width)


@hookimpl
def spikefront_algorithms() -> list[type[Algorithm]]:
    """Provide separable CMA-ES."""
    return [SepCMAES]
