"""The gradient of a batch within a limit on memory: how many parts it takes, and their sum."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront import SupervisedTask
from spikefront.errors import OutOfMemoryError
from spikefront.measure.activations import activations
from spikefront.spiking.packing import packed_tensors

GIB = 2**30
_LESS = "or make the batch, the network or the number of steps smaller"


@dataclass(frozen=True)
class Gradient:
    """How the gradient of a batch is computed.

    Attributes:
        parts: Parts that a batch is split into, as equal as they can be; fewer, where one had less than two samples.
        rounded: Whether the products of weights and inputs are rounded to bfloat16.
        packed: Whether the tensors that the backward pass needs are packed until then.
    """

    parts: int = 1
    rounded: bool = False
    packed: bool = False

    def add(self, network: nn.Module, task: SupervisedTask, inputs: Tensor, targets: Tensor) -> float:
        """Add the gradient of the mean loss to those of the parameters, and return the loss."""
        total = 0.0
        parts = min(self.parts, max(1, len(inputs) // 2))
        for some, theirs in zip(inputs.tensor_split(parts), targets.tensor_split(parts), strict=True):
            with parametrize.cached():
                with packed_tensors() if self.packed else contextlib.nullcontext():
                    with self._precision():
                        outputs = network(some)
                    loss = task.loss(outputs, theirs) * (len(some) / len(inputs))
                loss.backward()
            total += loss.item()
        return total

    def peak(self, network: nn.Module, inputs: Tensor) -> int:
        """Return about how many bytes a step with these inputs takes, were they one part."""
        with self._precision():
            return activations(network, inputs, self.packed).peak

    def _precision(self) -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=self.rounded)


def parts_within(limit: float | None, peak: Callable[[Tensor], int], inputs: Tensor) -> int:
    """Return the smallest number of parts of a batch that each stay within a limit on memory.

    Args:
        limit: Most GiB that a part may take; None never splits.
        peak: Bytes that a step with some inputs takes.
        inputs: A batch.

    Raises:
        OutOfMemoryError: Two samples (three of an odd batch, so that none is alone) exceed the limit, or what is
            taken exceeds the machine's memory.
    """
    whole = _machine_memory()
    if limit is None:
        if peak(inputs[:2]) * len(inputs) / 2 > whole:  # more than the batch takes: a part is the same for all samples
            _require(peak(inputs), whole, len(inputs))
        return 1
    samples, least = len(inputs), min(len(inputs), 2 + len(inputs) % 2)
    while (needed := peak(inputs[:samples])) > limit * GIB:
        if samples == least:
            raise OutOfMemoryError(
                f"trainer.memory = {limit}: {samples} samples take about {_shown(needed)}",
                f"Allow at least as much, {_LESS}.",
            )
        samples = max(least, min(samples - 1, int(samples * limit * GIB / needed)))
    _require(needed, whole, samples)
    return math.ceil(len(inputs) / samples)


def _require(needed: int, whole: int, samples: int) -> None:
    if needed > whole:
        raise OutOfMemoryError(
            f"training {samples} samples at once takes about {_shown(needed)}, and this machine has {_shown(whole)}",
            f"Split the batch by a limit in GiB, trainer.memory, set trainer.saved = 'packed', {_LESS}.",
        )


def _machine_memory() -> int:
    """Return all memory of this machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _shown(size: int) -> str:
    return f"{size / GIB:.3g} GiB"
