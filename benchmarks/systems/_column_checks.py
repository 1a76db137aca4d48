"""The quick checks of the Izhikevich column: single neurons, the network of 2003, signs."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from benchmarks.systems import Finding
from spikefront_plugins.neurons.izhikevich import Izhikevich
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.tasks._column import Column, drawn_column, spike_counts

CELLS: dict[str, tuple[tuple[float, float, float, float], int]] = {
    "RS": ((0.02, 0.2, -65.0, 8.0), 20),
    "FS": ((0.1, 0.2, -65.0, 2.0), 63),
    "CH": ((0.02, 0.2, -50.0, 2.0), 43),
    "IB": ((0.02, 0.2, -55.0, 4.0), 27),
    "LTS": ((0.02, 0.25, -65.0, 2.0), 44),
}
"""a, b, c, d, and spikes within 1,000 ms at a current of 10, counted by a loop outside of Spikefront."""


def short() -> Iterator[Finding]:
    """Yield the checks of the equations: single neurons, the network of 2003, signs."""
    counts = {name: neuron_spikes(cell) for name, (cell, _) in CELLS.items()}
    wanted = {name: count for name, (_, count) in CELLS.items()}
    yield Finding(
        "Spikes of five cell types in 1,000 ms at I = 10, half steps of 1 ms: " + told(wanted),
        told(counts),
        counts == wanted,
    )
    alone = {name: alone_in_the_column(cell) for name, (cell, _) in CELLS.items()}
    yield Finding(
        "A column without weights and noise fires as its neurons do alone",
        told(alone),
        alone == wanted,
    )
    fine = {dt: looped(0.1, 0.2, -65.0, 2.0, dt) for dt in (1.0, 0.1)}
    yield Finding(
        "The scheme is part of the model: FS fires 63 times with steps of 1 ms, 128 times with 0.1 ms",
        f"{fine[1.0]} and {fine[0.1]}",
        fine == {1.0: 63, 0.1: 128},
    )
    pairs = [rates(drawn_column(seed), 1000, 0, seed) for seed in range(5)]
    (e, e_sd), (i, i_sd) = ((statistics.fmean(x), statistics.stdev(x)) for x in zip(*pairs, strict=True))
    yield Finding(
        "The network of 2003 fires at 7.68 Hz (sd 0.13) and 7.31 Hz (0.19), 5 seeds (our own earlier measurement)",
        f"excitatory {e:.2f} Hz ({e_sd:.2f}), inhibitory {i:.2f} Hz ({i_sd:.2f})",
        abs(e - 7.68) < 0.35 and abs(i - 7.31) < 0.5,
    )
    column = drawn_column(0)
    more = replace(column, bias=np.where(np.arange(1000) < 800, 1.0, 0.0))
    before, after = rates(column, 1000, 100, 0), rates(more, 1000, 100, 0)
    yield Finding(
        "More current to the excitatory neurons raises both rates",
        f"{before[0]:.1f} and {before[1]:.1f} Hz become {after[0]:.1f} and {after[1]:.1f} Hz",
        after[0] > before[0] and after[1] > before[1],
    )


def told(counts: dict[str, int]) -> str:
    """Return counts by name as text."""
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def neuron_spikes(cell: tuple[float, float, float, float]) -> int:
    """Return how often the component `izhikevich` fires; it tells a spike a step earlier than the original."""
    a, b, c, d = cell
    neuron = Izhikevich(a=a, b=b, c=c, d=d, input_scale=1.0)
    x = torch.full((999, 1, 1), 10.0, dtype=torch.float64)
    spikes, _ = neuron.sequence(x, neuron.initial_state(x[0]), {}, ATan(), torch.Generator())
    return int(spikes.sum())


def alone_in_the_column(cell: tuple[float, float, float, float]) -> int:
    """Return how often each of three unconnected neurons fires, or -1 if they differ."""
    a, b, c, d = (np.full(3, value) for value in cell)
    column = Column(a, b, c, d, np.zeros((3, 3)), np.zeros(3), np.full(3, 10.0))
    counts = np.unique(spike_counts(column, 1000, 0, 1, np.random.default_rng(0)))
    return int(counts[0]) if len(counts) == 1 else -1


def looped(a: float, b: float, c: float, d: float, dt: float) -> int:
    """Return how often a neuron fires in 1,000 ms at I = 10, with two half steps in each step of `dt`."""
    v, u, count = -65.0, b * -65.0, 0
    for _ in range(round(1000 / dt)):
        if v >= 30:
            v, u, count = c, u + d, count + 1
        for _ in range(2):
            v += dt / 2 * (0.04 * v * v + 5 * v + 140 - u + 10)
        u += dt * a * (b * v - u)
    return count


def rates(column: Column, steps: int, dropped: int, seed: int) -> tuple[float, float]:
    """Return the rates of both populations in Hz, in one simulation."""
    counts = spike_counts(column, steps, dropped, 1, np.random.default_rng(seed + 100))[0]
    seconds = (steps - dropped) / 1000
    return float(counts[:800].mean() / seconds), float(counts[800:].mean() / seconds)
