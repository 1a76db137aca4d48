"""Plain operators, spaces and losses for components that search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from spikefront.components import Crossover, Mutation, Objective, Operator, Problem, Sampling
from spikefront.genome import Genome
from spikefront.randomness import Streams
from spikefront.space import Choice, Domain, Gene, Integer, ListOf, Real, Space, Tensor

EVERY = (Real, Integer, Choice, Tensor, ListOf)


class BenchSampling(Sampling):
    """Draws as the domain says."""

    name = "bench-sampling"
    domains = EVERY

    def sample(self, domain: Domain, rng: np.random.Generator) -> Any:
        return domain.sample(rng)


class BenchCrossover(Crossover):
    """Swaps the values."""

    name = "bench-crossover"
    domains = EVERY

    def cross(self, domain: Domain, a: Any, b: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        return b, a


class BenchMutation(Mutation):
    """Draws anew."""

    name = "bench-mutation"
    domains = EVERY

    def mutate(self, domain: Domain, value: Any, rng: np.random.Generator) -> Any:
        return domain.sample(rng)


OPERATORS: tuple[Operator, ...] = (BenchSampling(), BenchCrossover(), BenchMutation())

MIXED = Space(
    {
        "x": Gene(Real(0.0, 1.0)),
        "rate": Gene(Real(1e-4, 1.0, log=True)),
        "n": Gene(Integer(8, 96, 8)),
        "use": Gene(Choice(("plain", "shifted"))),
        "shift": Gene(Integer(1, 5), "use", frozenset({"shifted"})),
        "m": Gene(Tensor((3, 3), 0.5, -2.0, 2.0)),
        "list": Gene(ListOf({"k": Integer(0, 9)}, 1, 4)),
    }
)
"""All kinds of genes, one of which sleeps unless another wakes it."""

SMALL = Space({"a": Gene(Choice(("p", "q"))), "b": Gene(Integer(0, 1))})
"""Four genomes: fewer than a generation."""


def problems(population: int, seed: int = 1, initial: tuple[Genome, ...] = ()) -> Iterator[Problem]:
    """Yield problems, the most general first, for algorithms that cannot search everything."""
    lists = [(), ("list",), ("m", "list"), ("use", "shift", "list"), ("m", "use", "shift", "list")]
    without = [*lists, ("rate", "n", "m", "use", "shift", "list")]
    for number in (2, 1):
        objectives = tuple(Objective(f"loss{n}", "minimize") for n in range(number))
        for left_out in without:
            space = Space({path: gene for path, gene in MIXED.items() if path not in left_out})
            yield Problem(space, objectives, population, OPERATORS, Streams(seed).child("algorithm"), initial)


def losses(genome: Genome, number: int) -> tuple[float, ...]:
    """Return losses that pull in different directions."""
    matrix = np.asarray(genome.get("m", np.zeros((3, 3))), dtype=np.float64)
    common = float(np.mean((matrix - 0.3) ** 2)) + abs(genome.get("shift", 5) - 3) / 10
    x = float(genome["x"])
    return (x**2 + common, (x - 1) ** 2 + common + abs(genome.get("n", 8) - 40) / 96)[:number]
