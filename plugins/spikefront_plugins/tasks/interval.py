"""Task `interval`: how many of the gaps between pulses are long?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from spikefront import hookimpl
from spikefront_plugins.tasks._generated import Bits, GeneratedSequences, Labels, Numbers

INTERVALS = 7
SHORT, LONG, LENGTHS = 3, 7, 3
"""Steps of the least short and the least long interval; how many lengths there are of each."""

STEPS = 1 + INTERVALS * (LONG + LENGTHS - 1)


class Interval(GeneratedSequences):
    """Eight pulses on one line, and between them seven intervals, short (3 to 5 steps) or long (7 to 9 steps).

    The class is the number of long ones, 0 to 7, each about as frequent as the others; which ones are long, and their
    lengths, are drawn evenly. The first pulse is at step 0; behind the last one there is silence up to step 63. A count
    of pulses says nothing; what has to be known is how long ago the last pulse, or the first one, was. After the
    interval discrimination of arXiv 2308.15150; lengths and classes are our reading.
    """

    name: ClassVar[str] = "interval"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def frames(self) -> int:
        return STEPS

    @property
    def outputs(self) -> int:
        return INTERVALS + 1

    @property
    def draws(self) -> int:
        return 1 + 2 * INTERVALS

    def make(self, drawn: Numbers) -> tuple[Bits, Labels]:
        label, place, length = np.split(drawn, [1, 1 + INTERVALS], axis=1)
        number = (label[:, 0] * (INTERVALS + 1)).astype(np.int64)
        rank = place.argsort(1).argsort(1)
        intervals = np.where(rank < number[:, None], LONG, SHORT) + (length * LENGTHS).astype(np.int64)
        pulses = np.cumsum(np.pad(intervals, ((0, 0), (1, 0))), axis=1)
        signal = np.zeros((len(drawn), STEPS, 1), np.bool_)
        np.put_along_axis(signal[:, :, 0], pulses, True, axis=1)
        return signal, number


@hookimpl
def spikefront_tasks() -> list[type[Interval]]:
    """Return the task."""
    return [Interval]
