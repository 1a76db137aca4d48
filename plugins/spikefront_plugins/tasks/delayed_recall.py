"""Task `delayed-recall`: which symbol was shown, long ago?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field
from torch import Tensor

from spikefront import hookimpl
from spikefront_plugins.tasks._generated import Bits, GeneratedSequences, Labels, Numbers

SYMBOLS = 8
SHOWN, RECALL = 5, 5
"""Steps that a symbol is shown for, and that it has to be named in."""


class DelayedRecall(GeneratedSequences):
    """One of eight symbols is shown for 5 steps; after a delay a cue of 5 steps asks which one it was.

    A line for each symbol, and one for the cue. In the delay, random pulses on the lines of the symbols distract. The
    answer is the mean of the outputs while the cue lasts; chance is 1/8. After the recall of arXiv 2308.15150 with
    delays of 50 to 400 steps; lines, times and distraction are our reading.
    """

    name: ClassVar[str] = "delayed-recall"

    delay: int = Field(50, ge=1, le=1000, description="steps between the symbol and the cue")
    distraction: float = Field(0.02, gt=0, lt=1, description="chance of a pulse in the delay, on each line and step")

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (SYMBOLS + 1,)

    @property
    def frames(self) -> int:
        return SHOWN + self.delay + RECALL

    @property
    def outputs(self) -> int:
        return SYMBOLS

    @property
    def draws(self) -> int:
        return 1 + SYMBOLS * self.delay

    def make(self, drawn: Numbers) -> tuple[Bits, Labels]:
        symbol = (drawn[:, 0] * SYMBOLS).astype(np.int64)
        signal = np.zeros((len(drawn), *self.sample_shape), np.bool_)
        signal[np.arange(len(drawn)), :SHOWN, symbol] = True
        noise = drawn[:, 1:].reshape(len(drawn), self.delay, SYMBOLS) < self.distraction
        signal[:, SHOWN : SHOWN + self.delay, :SYMBOLS] = noise
        signal[:, -RECALL:, SYMBOLS] = True
        return signal, symbol

    def answer(self, outputs: Tensor) -> Tensor:
        return outputs[-RECALL:].mean(0)


@hookimpl
def spikefront_tasks() -> list[type[DelayedRecall]]:
    """Return the task."""
    return [DelayedRecall]
