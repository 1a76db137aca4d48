"""What the tasks whose samples are drawn from a seed share: splits without common samples, loss and metrics."""

from __future__ import annotations

import functools
import itertools
import math
from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from spikefront import SupervisedTask
from spikefront.components import Data, Split
from spikefront.errors import DataError
from spikefront.randomness import Streams

Numbers = npt.NDArray[np.float64]
Bits = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]

BLOCK = 1024
"""Samples that are drawn together."""

SPARE = 4
"""How many times as many samples may be drawn as are needed: some are equal, and used once."""


class GeneratedSequences(SupervisedTask, ABC):
    """Sequences of 0 and 1 with a class each, drawn from a seed.

    Of equal samples only the first is kept; of the rest the first ones are the test split, the next ones validation,
    the others training: no sample is in two splits, and a smaller training split is part of a larger one.
    """

    train: int = Field(2000, ge=10, le=100_000, description="training samples")
    validation: int = Field(500, ge=10, le=100_000, description="validation samples")
    test: int = Field(1000, ge=10, le=100_000, description="test samples")
    seed: int = Field(0, ge=0, description="seed that all samples are drawn from")

    @property
    @abstractmethod
    def draws(self) -> int:
        """How many numbers a sample is made from."""

    @abstractmethod
    def make(self, drawn: Numbers) -> tuple[Bits, Labels]:
        """Return samples (N, *sample_shape) and classes (N,) made from numbers in [0, 1), (N, draws)."""

    def answer(self, outputs: Tensor) -> Tensor:
        """Return the logits (B, classes) in outputs (T, B, classes): their mean over time."""
        return outputs.mean(0)

    def data(self, split: Split) -> Data:
        return _splits(self)[split]

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(self.answer(outputs), targets)

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        logits = self.answer(outputs)
        loss = functional.cross_entropy(logits, targets, reduction="none")
        return {"accuracy": (logits.argmax(1) == targets).float(), "loss": loss}


@functools.lru_cache(maxsize=2)
def _splits(task: GeneratedSequences) -> dict[Split, Data]:
    sizes = [task.test, task.validation, task.train]
    known = _distinct(task, sum(sizes))
    packed = np.frombuffer(b"".join(known), np.uint8).reshape(len(known), -1)
    bits = np.unpackbits(packed, axis=1, count=math.prod(task.sample_shape)).reshape(-1, *task.sample_shape)
    parts = zip(
        torch.from_numpy(bits).float().split(sizes), torch.tensor(list(known.values())).split(sizes), strict=True
    )
    names: tuple[Split, ...] = ("test", "validation", "train")
    return {name: Data(*part) for name, part in zip(names, parts, strict=True)}


def _distinct(task: GeneratedSequences, number: int) -> dict[bytes, int]:
    """Return the first samples that differ, as packed bits, and their classes; more samples begin with the same."""
    rng, known = Streams(task.seed).numpy(task.name), dict[bytes, int]()
    for _ in range(0, SPARE * number, BLOCK):
        samples, labels = task.make(rng.random((BLOCK, task.draws)))
        for bits, label in zip(np.packbits(samples.reshape(BLOCK, -1), axis=1), labels.tolist(), strict=True):
            known.setdefault(bits.tobytes(), label)
        if len(known) >= number:
            return dict(itertools.islice(known.items(), number))
    raise DataError(
        f"task '{task.name}': {number} samples asked for, and only {len(known)} were found that differ",
        "Ask for fewer samples, task.train, task.validation and task.test.",
    )
