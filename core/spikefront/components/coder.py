"""Contract of coders: data (B, ...) to the network's input (T, B, ...)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from spikefront.components.base import Component
from spikefront.errors import InputError


class Coder(Component, ABC):
    """How data becomes a sequence of T inputs.

    Attributes:
        analog: Whether the sequence holds real numbers; the layers it enters then multiply and accumulate
            instead of accumulating.
    """

    kind: ClassVar[str] = "coder"
    analog: ClassVar[bool] = False

    steps: int = Field(4, ge=1, le=10_000, description="number of time steps T")

    @abstractmethod
    def encode(self, data: Tensor, generator: torch.Generator) -> Tensor:
        """Return the input sequence.

        Args:
            data: Samples (B, ...), images with values in [0, 1]; of a task of sequences (B, frames, ...).
            generator: Source of randomness, for stochastic codes.

        Returns:
            Tensor (T, B, ...).
        """

    def check(self, frames: int | None) -> None:
        """Refuse samples that this coder cannot take, before anything is built; by default those that are sequences.

        Args:
            frames: Number of frames of a sample, see `SupervisedTask.frames`.

        Raises:
            InputError: The hint says which coder, or which number of steps, would fit.
        """
        if frames is not None:
            raise InputError(
                f"coder '{self.name}': the task's samples are sequences of {frames} frames",
                f"Use coder 'frames', with steps = {frames}.",
            )
