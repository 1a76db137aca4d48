"""What the tasks that classify images share: splits, loss, metrics, and where data are looked for."""

from __future__ import annotations

import functools
import os
import zlib
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from spikefront import SupervisedTask
from spikefront.components import Data, Split
from spikefront.errors import DataError
from spikefront.vision import torchvision

Bytes = npt.NDArray[np.uint8]


class RawImages(NamedTuple):
    """A data set with its official split: images (N, H, W[, C]) and labels (N,), as bytes."""

    x_train: Bytes
    y_train: Bytes
    x_test: Bytes
    y_test: Bytes


class ImageClassification(SupervisedTask, ABC):
    """Images with one label each.

    The network's outputs (T, B, classes) are averaged over time and taken as logits; the loss is their cross-entropy.
    Training and validation images are drawn from the official training part, stratified by label. The validation
    images depend on `split_seed` and their number alone, and a smaller training split is part of a larger one, so that
    candidates and studies with other numbers of training samples compare. Inputs are (N, C, H, W) in [0, 1].
    """

    train: int | None = Field(None, ge=10, description="training samples; by default all that validation leaves")
    validation: int = Field(5000, ge=10, description="validation samples")
    split_seed: int = Field(0, ge=0, description="seed of the split into training and validation")

    shape: ClassVar[tuple[int, int, int]]
    classes: ClassVar[int] = 10

    @abstractmethod
    def raw(self) -> RawImages:
        """Read the data set.

        Raises:
            DataError: It is not there, or not what it should be.
        """

    def source(self) -> Hashable:
        """Return what the images depend on beside the parameters: where they come from."""
        return None

    def inputs(self, images: Bytes) -> Tensor:
        """Return raw images as what the network is given, (N, *sample_shape)."""
        inputs = torch.from_numpy(images).float().div_(255)
        inputs = inputs.unsqueeze(1) if inputs.ndim == 3 else inputs.permute(0, 3, 1, 2)
        return inputs.contiguous()

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def outputs(self) -> int:
        return self.classes

    def check(self) -> None:
        self.data("validation")

    def data(self, split: Split) -> Data:
        return _split(self, split, self.source())

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(outputs.mean(0), targets)

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        logits = outputs.mean(0)
        loss = functional.cross_entropy(logits, targets, reduction="none")
        return {"accuracy": (logits.argmax(1) == targets).float(), "loss": loss}


@functools.lru_cache(maxsize=3)
def _split(task: ImageClassification, split: Split, source: Hashable) -> Data:
    raw = task.raw()
    if split == "test":
        return Data(task.inputs(raw.x_test), torch.from_numpy(raw.y_test).long())
    rows = _rows(task, raw.y_train, split)
    return Data(task.inputs(raw.x_train[rows]), torch.from_numpy(raw.y_train[rows]).long())


def _rows(task: ImageClassification, labels: Bytes, split: Split) -> npt.NDArray[np.intp]:
    available, validation = len(labels), task.validation
    train = available - validation if task.train is None else task.train
    if train < task.classes or train + validation > available:
        raise DataError(
            f"task '{task.name}': {train} training and {validation} validation samples asked for",
            f"There are {available} together, and each split needs {task.classes} or more.",
        )
    order = stratified(labels, task.split_seed)
    return order[:validation] if split == "validation" else order[validation : validation + train]


def stratified(labels: Bytes, seed: int) -> npt.NDArray[np.intp]:
    """Return all rows in a random order in which every stretch has each label in its proportion, but for one or two."""
    rng = np.random.default_rng(seed)
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        place[rows] = (np.arange(len(rows)) + rng.random(len(rows))) / len(rows)
    return np.argsort(place, kind="stable")


class StoredImages(ImageClassification, ABC):
    """An image data set in the data folder: `NAME.npz`, or the files that torchvision reads.

    The folder is the one named by the environment variable SPIKEFRONT_DATA, or `data` in the working folder. An
    .npz holds x_train, y_train, x_test, y_test as uint8, images as (N, H, W) or (N, H, W, C).
    """

    download: bool = Field(False, description="let torchvision download the data set where it is missing")

    reader: ClassVar[str]
    """Name of the class in `torchvision.datasets`."""

    def source(self) -> Hashable:
        return dated(data_folder() / f"{self.name}.npz")

    def raw(self) -> RawImages:
        folder = data_folder()
        archive = folder / f"{self.name}.npz"
        stored = archive.exists()
        raw = RawImages(*read_arrays(archive, RawImages._fields)) if stored else self._from_torchvision(folder)
        wrong = self._mistake(raw)
        if wrong:
            place = archive if stored else folder
            raise DataError(f"task '{self.name}': {place} is not the data set: {wrong}", "Get the files again.")
        return raw

    def _mistake(self, raw: RawImages) -> str:
        """Return what is wrong with the arrays, or nothing."""
        channels, *sides = self.shape
        shape = (*sides, channels) if channels > 1 else tuple(sides)
        for images, labels in (raw[:2], raw[2:]):
            if images.dtype != np.uint8 or images.shape[1:] != shape:
                return f"images {images.dtype} {images.shape}, expected uint8 {('N', *shape)}"
            if labels.dtype != np.uint8 or labels.shape != images.shape[:1] or labels.max(initial=0) >= self.classes:
                return f"labels {labels.dtype} {labels.shape}, expected uint8 ({len(images)},) below {self.classes}"
        return ""

    def _from_torchvision(self, folder: Path) -> RawImages:
        reader = getattr(torchvision().datasets, self.reader)
        try:
            parts = [reader(folder, train=train, download=self.download) for train in (True, False)]
        except (RuntimeError, OSError, ValueError, TypeError, AssertionError) as error:
            raise DataError(
                f"task '{self.name}': the data set is not in {folder}, or is damaged ({error})",
                f"Set SPIKEFRONT_DATA to the folder that holds {self.name}.npz or torchvision's files, "
                "or allow the download: --set task.download=true.",
            ) from error
        arrays = [np.asarray(array, np.uint8) for part in parts for array in (part.data, part.targets)]
        return RawImages(*arrays)


def data_folder() -> Path:
    """Return the folder that data are looked for in."""
    return Path(os.environ.get("SPIKEFRONT_DATA", "data")).resolve()


def dated(path: Path) -> Hashable:
    """Return a file's path and when it was changed last, None where it is not there."""
    return path, path.stat().st_mtime_ns if path.exists() else None


def read_arrays(path: Path, names: Sequence[str]) -> list[npt.NDArray[Any]]:
    """Return arrays of an .npz.

    Raises:
        DataError: The file is damaged, or lacks one.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return [archive[name] for name in names]
    except (KeyError, ValueError, TypeError, OSError, EOFError, BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}", f"It should hold {', '.join(names)}.") from error
