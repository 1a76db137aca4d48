"""A recurrent network of Izhikevich neurons, simulated in float64 with several draws of its noise side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikefront.errors import NotFiniteError
from spikefront_plugins.neurons.izhikevich import PEAK, REST, half_step

Floats = npt.NDArray[np.float64]

EXCITATORY, INHIBITORY = 800, 200
"""Neurons of each population; the excitatory ones come first."""


@dataclass(frozen=True)
class Column:
    """N neurons and what drives them.

    Attributes:
        a: Rate of the recovery variable, per ms (N).
        b: Sensitivity of the recovery variable to the potential (N).
        c: Potential after a spike, in mV (N).
        d: Rise of the recovery variable after a spike (N).
        weights: What a spike adds to the currents of the next step, in mV per ms: row of the source, column of the
            target (N, N).
        noise: Standard deviation of the thermal input of each step, in mV per ms (N).
        bias: Constant current, in mV per ms (N).
    """

    a: Floats
    b: Floats
    c: Floats
    d: Floats
    weights: Floats
    noise: Floats
    bias: Floats


def drawn_column(seed: int, density: float = 1.0) -> Column:
    """Draw the column of Izhikevich (2003), without bias; the same seed is the same column.

    With r from U(0, 1) for each neuron:

        excitatory  a = 0.02, b = 0.2, c = -65 + 15 r^2, d = 8 - 6 r^2;  weights 0.5 U(0, 1),  noise 5 N(0, 1)
        inhibitory  a = 0.02 + 0.08 r, b = 0.25 - 0.05 r, c = -65, d = 2;  weights -U(0, 1),  noise 2 N(0, 1)

    Args:
        seed: What the neurons and their weights are drawn with.
        density: Share of the connections that are there; those of a smaller share are part of those of a larger one.
    """
    rng = np.random.default_rng(seed)
    number = EXCITATORY + INHIBITORY
    excitatory = np.arange(number) < EXCITATORY
    r = rng.random(number)
    strength = np.where(excitatory, 0.5, -1.0)[:, None] * rng.random((number, number))
    return Column(
        a=np.where(excitatory, 0.02, 0.02 + 0.08 * r),
        b=np.where(excitatory, 0.2, 0.25 - 0.05 * r),
        c=np.where(excitatory, -65 + 15 * r**2, -65.0),
        d=np.where(excitatory, 8 - 6 * r**2, 2.0),
        weights=np.where(rng.random((number, number)) < density, strength, 0.0),
        noise=np.where(excitatory, 5.0, 2.0),
        bias=np.zeros(number),
    )


def spike_counts(column: Column, steps: int, dropped: int, runs: int, rng: np.random.Generator) -> Floats:
    """Simulate a column, and return the spikes of each neuron in each run (runs, N).

    A step of 1 ms, in the order of Izhikevich's program; two half steps for v, one for u:

        f = {v >= 30};  v[f] = c[f];  u[f] = u[f] + d[f]
        I = bias + noise N(0, 1) + sum over f of weights[f]
        twice:  v = v + 0.5 (0.04 v^2 + 5 v + 140 - u + I)
        u = u + a (b v - u)

    The first step starts from v = -65, u = b v.

    Args:
        column: The network.
        steps: Milliseconds that are simulated.
        dropped: Milliseconds at the beginning whose spikes are not counted.
        runs: Simulations side by side, with noise of their own.
        rng: Source of the noise.

    Raises:
        NotFiniteError: A potential grew beyond all bounds: a network without a rate, and not one that rests.
    """
    v = np.full((runs, len(column.a)), REST)
    u = column.b * v
    counts = np.zeros_like(v)
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            run, fired = np.nonzero(v >= PEAK)
            v[run, fired] = column.c[fired]
            u[run, fired] += column.d[fired]
            if step >= dropped:
                counts[run, fired] += 1
            current = column.bias + column.noise * rng.standard_normal(v.shape)
            for number in np.unique(run):
                current[number] += column.weights[fired[run == number]].sum(axis=0)
            v = half_step(half_step(v, u, current), u, current)
            u += column.a * (column.b * v - u)
    if not (np.isfinite(v).all() and np.isfinite(u).all()):
        raise NotFiniteError("the potentials of the column grew beyond all bounds", "Search smaller currents.")
    return counts
