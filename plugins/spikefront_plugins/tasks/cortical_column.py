"""Task `cortical-column`: a thousand Izhikevich neurons that are to fire at given rates."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from spikefront import Task, hookimpl
from spikefront.components import Parts, Ranges, Split
from spikefront.randomness import Streams
from spikefront.space import Choice, Tensor
from spikefront_plugins.tasks._column import EXCITATORY, INHIBITORY, Column, Floats, drawn_column, spike_counts

Rates = tuple[Annotated[float, Field(gt=0, le=1000)], ...]


class CorticalColumn(Task):
    """Bias currents for a recurrent network of 800 excitatory and 200 inhibitory neurons, scored by simulation.

    Each population has as many equal groups as target rates. The rate of group p is the number of its spikes over that
    of its neurons, the seconds that count, and `runs`, in the scheme of two half steps for 1 ms. The metrics are

        rate_error        sqrt(mean over all p of ((rate_p - target_p) / target_p)^2)
        excitatory_error  the same over the excitatory groups, inhibitory_error over the inhibitory ones
        excitatory_rate, inhibitory_rate    in Hz, of the populations

    A neuron's bias is the current of its population, and, where there are more than two groups, the entry of its group
    in the evolved array `offsets`, which is added. `network_seed` fixes neurons and weights for the whole study; the
    noise is drawn anew for each candidate, and `runs` simulations are averaged before the errors are taken.

    There are no data: use trainer `none`. "validation" and "test" differ in their noise.

    Source: Ezenwe, Joshi and Wong-Lin, Genetic algorithmic parameter optimisation of a recurrent spiking neural network
    model, ISSC (2020), whose abstract names neurons, currents and targets; the network is that of Izhikevich, Simple
    model of spiking neurons, IEEE Transactions on Neural Networks 14 (2003). Error, groups and bounds are our reading.
    """

    name: ClassVar[str] = "cortical-column"

    excitatory_current: float = Field(0.0, ge=-50, le=100, description="bias of excitatory neurons, in mV per ms")
    inhibitory_current: float = Field(0.0, ge=-50, le=100, description="bias of inhibitory neurons, in mV per ms")
    excitatory_targets: Rates = Field(
        (8.0,), min_length=1, max_length=EXCITATORY, description="target rate of each excitatory group, in Hz"
    )
    inhibitory_targets: Rates = Field(
        (15.0,), min_length=1, max_length=INHIBITORY, description="target rate of each inhibitory group, in Hz"
    )
    weights: float = Field(1.0, ge=0, le=10, description="factor of all weights")
    density: float = Field(1.0, ge=0, le=1, description="share of the connections that are there")
    noise: float = Field(1.0, ge=0, le=10, description="factor of the thermal input")
    duration: int = Field(1000, ge=1, le=100_000, description="simulated time whose spikes count, in ms")
    settling: int = Field(100, ge=0, le=100_000, description="time before that, in ms")
    runs: int = Field(2, ge=1, le=1000, description="simulations with other noise that are averaged")
    network_seed: int = Field(0, ge=0, description="seed of neurons and weights")

    @classmethod
    def evolved_arrays(cls, ranges: Ranges) -> dict[str, Tensor]:
        groups = sum(_most_groups(ranges[name]) for name in ("excitatory_targets", "inhibitory_targets"))
        return {"offsets": Tensor((groups,), 2.0, -10.0, 10.0)} if groups > 2 else {}

    def build(self, parts: Parts, streams: Streams) -> Column:
        column = _network(self.network_seed, self.density)
        currents = np.repeat([self.excitatory_current, self.inhibitory_current], [EXCITATORY, INHIBITORY])
        offsets = parts.arrays.get("task", {}).get("offsets")
        if offsets is not None:
            currents = currents + offsets[self.groups].astype(np.float64)
        return replace(column, bias=currents, weights=self.weights * column.weights, noise=self.noise * column.noise)

    def score(self, phenotype: Column, split: Split, streams: Streams) -> dict[str, float]:
        rng, steps = streams.numpy("noise", split), self.settling + self.duration
        counts = spike_counts(phenotype, steps, self.settling, self.runs, rng)
        rates = counts.mean(axis=0) * 1000 / self.duration
        targets, excitatory = self.targets, len(self.excitatory_targets)
        groups = np.bincount(self.groups, weights=rates) / np.bincount(self.groups)
        errors = (groups - targets) / targets
        return {
            "rate_error": _size(errors),
            "excitatory_error": _size(errors[:excitatory]),
            "inhibitory_error": _size(errors[excitatory:]),
            "excitatory_rate": float(rates[:EXCITATORY].mean()),
            "inhibitory_rate": float(rates[EXCITATORY:].mean()),
        }

    @property
    def targets(self) -> Floats:
        """Target rate of each group, in Hz, the excitatory ones first."""
        return np.array([*self.excitatory_targets, *self.inhibitory_targets])

    @property
    def groups(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Number of each neuron's group (N)."""
        first, second = len(self.excitatory_targets), len(self.inhibitory_targets)
        excitatory = np.arange(EXCITATORY) * first // EXCITATORY
        return np.concatenate([excitatory, first + np.arange(INHIBITORY) * second // INHIBITORY])


def _size(errors: Floats) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def _most_groups(targets: Any) -> int:
    """Return how many groups there are at most, whether the targets are fixed or a choice."""
    return max(len(values) for values in (targets.values if isinstance(targets, Choice) else [targets]))


@functools.lru_cache(maxsize=4)
def _network(seed: int, density: float) -> Column:
    """Return a column that is only read; candidates of a study share it."""
    return drawn_column(seed, density)


@hookimpl
def spikefront_tasks() -> list[type[Task]]:
    """Return the task."""
    return [CorticalColumn]
