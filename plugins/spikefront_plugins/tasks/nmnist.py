"""Task `nmnist`: handwritten digits as an event camera sees them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from spikefront import hookimpl
from spikefront.errors import DataError
from spikefront_plugins.tasks._images import (
    Bytes,
    ImageClassification,
    RawImages,
    data_folder,
    dated,
    read_arrays,
)

ARCHIVE = "nmnist-small.npz"
SIDE = 34
DURATION = 340_000
"""Microseconds that a sample's bins cover: three saccades, which end before."""

_NAMES = ("x", "y", "p", "t", "offsets", "labels", "split")


class NMnist(ImageClassification):
    """A part of N-MNIST (Orchard, Jayawant, Cohen, Thakor, Frontiers in Neuroscience 9:437, 2015).

    1000 training and 100 test samples of two polarities and 34 x 34 pixels, the subset of SLAYER (Shrestha and Orchard,
    NeurIPS 2018): accuracies do not compare with those of the full set. Events are gathered in `bins` equal times, from
    0 to 340 ms after a sample's start; a pixel of a frame is 1 where its polarity had an event in that time, else 0.
    Samples are sequences of frames (bins, 2, 34, 34), for coder `frames` with as many steps.

    The file is `nmnist-small.npz` in the folder that SPIKEFRONT_DATA names, or in `data`: events x, y, p, t one sample
    after the other, sample i from offsets[i] to offsets[i + 1], its label, and its split, 0 training and 1 test.
    """

    name: ClassVar[str] = "nmnist"
    shape: ClassVar[tuple[int, int, int]] = (2, SIDE, SIDE)

    bins: int = Field(10, ge=1, le=100, description="frames of a sample, each of 340 ms / bins")
    validation: int = Field(200, ge=10, description="validation samples")

    @property
    def frames(self) -> int:
        return self.bins

    def source(self) -> Hashable:
        return dated(data_folder() / ARCHIVE)

    def inputs(self, images: Bytes) -> Tensor:
        return torch.from_numpy(images).float()

    def raw(self) -> RawImages:
        path = data_folder() / ARCHIVE
        if not path.exists():
            raise DataError(
                f"task 'nmnist': {path} is not there",
                f"Set SPIKEFRONT_DATA to the folder that holds {ARCHIVE}.",
            )
        x, y, p, t, offsets, labels, split = read_arrays(path, _NAMES)
        try:
            frames = event_frames(x, y, p, t, offsets, self.bins)
        except (IndexError, ValueError, TypeError) as error:
            raise DataError(f"task 'nmnist': {path} is not the data set: {error}", "Get the file again.") from error
        train, test = split == 0, split == 1
        return RawImages(frames[train], labels[train], frames[test], labels[test])


def event_frames(
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    p: npt.NDArray[Any],
    t: npt.NDArray[Any],
    offsets: npt.NDArray[Any],
    bins: int,
) -> Bytes:
    """Return frames (N, bins, 2, 34, 34): 1 where there was an event, else 0.

    Args:
        x: Column of each event.
        y: Row of each event.
        p: Polarity of each event, 0 or 1.
        t: Time of each event in microseconds; later ones than `DURATION` are left out.
        offsets: First event of each sample, and the number of all, (N + 1,).
        bins: Number of frames.
    """
    samples = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    seen = t < DURATION
    bin_of = t[seen].astype(np.int64) * bins // DURATION
    frames = np.zeros((len(offsets) - 1, bins, 2, SIDE, SIDE), dtype=np.uint8)
    frames[samples[seen], bin_of, p[seen], y[seen], x[seen]] = 1
    return frames


@hookimpl
def spikefront_tasks() -> list[type[NMnist]]:
    """Return the task."""
    return [NMnist]
