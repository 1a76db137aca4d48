"""The coder of samples that are sequences already."""

from __future__ import annotations

import torch
from torch import Tensor

from spikefront import Coder, hookimpl
from spikefront.errors import InputError


class Frames(Coder):
    """Shows one frame of a sample after the other: time is the sample's own.

        x_t = data[:, t]        t = 0 ... T-1

    For tasks whose samples are sequences (B, frames, ...): rows of an image, events in bins, symbols. `steps` has to be
    the number of frames. A trainer that begins with fewer steps sees the first ones.
    """

    name = "frames"
    analog = True

    def encode(self, data: Tensor, generator: torch.Generator) -> Tensor:
        if data.dim() < 2 or data.shape[1] < self.steps:
            raise InputError(
                f"coder 'frames': {self.steps} steps of samples {tuple(data.shape)}, whose second axis is time",
                "Give samples (B, frames, ...) with as many frames as steps, or more.",
            )
        return data[:, : self.steps].movedim(1, 0)

    def check(self, frames: int | None) -> None:
        if frames is None:
            raise InputError(
                "coder 'frames': the task's samples have no frames", "Use another coder, for example 'direct'."
            )
        if frames != self.steps:
            raise InputError(
                f"coder 'frames': steps = {self.steps}, and the task's samples have {frames} frames",
                f"Set coder.steps to {frames}.",
            )


@hookimpl
def spikefront_coders() -> list[type[Coder]]:
    """Return this module's coder."""
    return [Frames]
