"""Task `sequential-mnist`: handwritten digits that are shown a row, or a pixel, at a time."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from spikefront import hookimpl
from spikefront.components import Data, Split
from spikefront_plugins.tasks._images import ImageClassification, RawImages
from spikefront_plugins.tasks.mnist import Mnist

SIDE = 28
PIXELS = SIDE * SIDE


class SequentialMnist(ImageClassification):
    """MNIST as sequences (Le, Jaitly, Hinton, "A simple way to initialize recurrent networks", arXiv 1504.00941).

    By rows, 28 steps of 28 pixels, from the top; by pixels, 784 steps of one, row after row; permuted, the pixels in a
    random order that is the same for all images and studies. Splits, loss and metrics are those of `mnist`.
    """

    name: ClassVar[str] = "sequential-mnist"
    shape: ClassVar[tuple[int, int, int]] = (1, SIDE, SIDE)

    order: Literal["rows", "pixels", "permuted"] = Field("rows", description="what one step shows, and in which order")
    download: bool = Field(False, description="let torchvision download the data set where it is missing")

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (SIDE,) if self.order == "rows" else (1,)

    @property
    def frames(self) -> int:
        return SIDE if self.order == "rows" else PIXELS

    def source(self) -> Hashable:
        return Mnist().source()

    def raw(self) -> RawImages:
        return Mnist(download=self.download).raw()

    def data(self, split: Split) -> Data:
        images, targets = super().data(split)
        if self.order == "permuted":
            images = images.flatten(1)[:, torch.from_numpy(np.random.default_rng(0).permutation(PIXELS))]
        return Data(images.reshape(-1, *self.sample_shape), targets)


@hookimpl
def spikefront_tasks() -> list[type[SequentialMnist]]:
    """Return the task."""
    return [SequentialMnist]
