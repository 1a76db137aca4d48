"""The search space: domains of single parameters, and the map from paths to domains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikefront.genome import Genome, Value, same

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Real:
    """Numbers in [low, high]; `log` searches the exponent."""

    low: float
    high: float
    log: bool = False

    def contains(self, value: Value) -> bool:
        return isinstance(value, float) and self.low <= value <= self.high

    def project(self, value: float) -> float:
        """Return the nearest allowed value."""
        return float(min(max(value, self.low), self.high))

    def sample(self, rng: np.random.Generator) -> float:
        """Draw uniformly (log-uniformly where `log` is set)."""
        if self.log:
            return self.project(float(np.exp(rng.uniform(np.log(self.low), np.log(self.high)))))
        return self.project(float(rng.uniform(self.low, self.high)))


@dataclass(frozen=True)
class Integer:
    """Whole numbers low, low + step, ... up to high; `log` searches the exponent."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    def contains(self, value: Value) -> bool:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and value == self.project(value)

    def project(self, value: float) -> int:
        """Return the nearest allowed value."""
        steps = round((value - self.low) / self.step)
        return self.low + self.step * min(max(steps, 0), (self.high - self.low) // self.step)

    def sample(self, rng: np.random.Generator) -> int:
        """Draw uniformly (log-uniformly where `log` is set)."""
        if self.log:
            return self.project(float(np.exp(rng.uniform(np.log(self.low), np.log(self.high)))))
        return self.low + self.step * int(rng.integers((self.high - self.low) // self.step + 1))


@dataclass(frozen=True)
class Choice:
    """One of a few values without an order, each plain JSON."""

    values: tuple[Value, ...]

    def contains(self, value: Value) -> bool:
        return any(same(value, allowed) for allowed in self.values)

    def sample(self, rng: np.random.Generator) -> Value:
        """Draw uniformly."""
        return self.values[int(rng.integers(len(self.values)))]


@dataclass(frozen=True)
class Tensor:
    """Float32 arrays of one shape, drawn at first from a normal distribution; optionally bounded.

    Attributes:
        shape: Shape of the array.
        scale: Standard deviation of the first draw, and the unit in which mutations are measured.
        low: Smallest allowed entry.
        high: Largest allowed entry.
    """

    shape: tuple[int, ...]
    scale: float
    low: float = -np.inf
    high: float = np.inf

    def contains(self, value: Value) -> bool:
        if not isinstance(value, np.ndarray) or value.shape != self.shape:
            return False
        return bool(np.all((value >= self.low) & (value <= self.high)))

    def project(self, value: npt.NDArray[Any]) -> Array:
        """Return the nearest allowed array, as float32."""
        return np.asarray(np.clip(value, self.low, self.high), dtype=np.float32)

    def sample(self, rng: np.random.Generator) -> Array:
        """Draw every entry from N(0, scale^2)."""
        return self.project(rng.normal(0.0, self.scale, self.shape))


@dataclass(frozen=True)
class ListOf:
    """Lists of tables of the same keys: instructions of a program, blocks of a network.

    Attributes:
        each: What each key of a table may be.
        low: Smallest number of tables.
        high: Largest number of tables.
    """

    each: Mapping[str, Real | Integer | Choice]
    low: int
    high: int

    def contains(self, value: Value) -> bool:
        return isinstance(value, list) and self.low <= len(value) <= self.high and all(map(self._holds, value))

    def sample(self, rng: np.random.Generator) -> Value:
        """Draw the length uniformly, and then each table."""
        return [self.sample_one(rng) for _ in range(int(rng.integers(self.low, self.high + 1)))]

    def sample_one(self, rng: np.random.Generator) -> dict[str, Value]:
        """Draw one table."""
        return {key: domain.sample(rng) for key, domain in self.each.items()}

    def _holds(self, item: Value) -> bool:
        return (
            isinstance(item, dict)
            and item.keys() == self.each.keys()
            and all(domain.contains(item[key]) for key, domain in self.each.items())
        )


Domain = Real | Integer | Choice | Tensor | ListOf


@dataclass(frozen=True)
class Gene:
    """One searched parameter.

    Attributes:
        domain: The values it may take.
        selector: Path of the gene that chooses a component, or "" where this gene is always active.
        components: Names of the components, chosen by `selector`, that have this parameter.
    """

    domain: Domain
    selector: str = ""
    components: frozenset[str] = frozenset()

    def is_active(self, values: Mapping[str, Value]) -> bool:
        """Tell whether this gene means anything beside the other `values`."""
        return not self.selector or values[self.selector] in self.components


class Space(Mapping[str, Gene]):
    """All searched parameters of a study: path -> gene; sections in a fixed order, parameters sorted.

    Operators work on points that hold a value for every gene, active or not (a gene that sleeps
    may wake in a child); `genome` drops what is inactive.
    """

    def __init__(self, genes: Mapping[str, Gene]) -> None:
        self._genes = dict(genes)

    def __getitem__(self, path: str) -> Gene:
        return self._genes[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._genes)

    def __len__(self) -> int:
        return len(self._genes)

    def active(self, values: Mapping[str, Value]) -> list[str]:
        """Return the paths of the genes that are active in a full point."""
        return [path for path, gene in self._genes.items() if gene.is_active(values)]

    def genome(self, values: Mapping[str, Value]) -> Genome:
        """Return the genome of a full point: its active genes, nothing else."""
        return Genome({path: values[path] for path in self.active(values)})

    def size(self) -> float:
        """Return the number of different genomes; infinite where a gene is continuous.

        Conditional genes are counted as if always active, so this is an upper bound.
        """
        total = 1.0
        for gene in self._genes.values():
            match gene.domain:
                case Choice(values):
                    total *= len(values)
                case Integer(low, high, step):
                    total *= (high - low) // step + 1
                case _:
                    return float("inf")
        return total
