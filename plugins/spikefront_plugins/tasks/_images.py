"""What the tasks that classify images share: splits, loss, metrics, and where data are looked for."""

from __future__ import annotations

import functools
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from sklearn.model_selection import train_test_split
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

    The network's outputs (T, B, classes) are averaged over time and taken as logits; the loss is their
    cross-entropy. Training and validation images are drawn from the official training part, stratified by label, by
    `split_seed` alone: the same for all candidates and studies. Inputs are (N, C, H, W) in [0, 1].
    """

    validation: int = Field(5000, ge=1, description="validation samples")
    split_seed: int = Field(0, ge=0, description="seed of the split into training and validation")

    shape: ClassVar[tuple[int, int, int]]
    classes: ClassVar[int] = 10

    @abstractmethod
    def wanted(self) -> int | None:
        """Return the number of training samples; None for all that validation leaves."""

    @abstractmethod
    def raw(self) -> RawImages:
        """Read the data set.

        Raises:
            DataError: It is not there.
        """

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def outputs(self) -> int:
        return self.classes

    def check(self) -> None:
        self.data("validation")

    def data(self, split: Split) -> Data:
        return _split(self, split)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(outputs.mean(0), targets)

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        logits = outputs.mean(0)
        loss = functional.cross_entropy(logits, targets, reduction="none")
        return {"accuracy": (logits.argmax(1) == targets).float(), "loss": loss}


@functools.lru_cache(maxsize=3)
def _split(task: ImageClassification, split: Split) -> Data:
    raw = task.raw()
    if split == "test":
        return _tensors(raw.x_test, raw.y_test)
    train, validation = _indices(task, raw.y_train)
    chosen = train if split == "train" else validation
    return _tensors(raw.x_train[chosen], raw.y_train[chosen])


def _indices(task: ImageClassification, labels: Bytes) -> tuple[Any, Any]:
    """Return the rows of the training and the validation split."""
    available = len(labels)
    train = task.wanted() or available - task.validation
    if train < task.classes or task.validation < task.classes or train + task.validation > available:
        raise DataError(
            f"task '{task.name}': {train} training and {task.validation} validation samples asked for",
            f"There are {available} together, and each split needs {task.classes} or more.",
        )
    rows = np.arange(available)
    train_rows, validation_rows = train_test_split(
        rows, train_size=train, test_size=task.validation, stratify=labels, random_state=task.split_seed
    )
    return train_rows, validation_rows


def _tensors(images: Bytes, labels: Bytes) -> Data:
    inputs = torch.from_numpy(images).float().div_(255)
    inputs = inputs.unsqueeze(1) if inputs.ndim == 3 else inputs.permute(0, 3, 1, 2)
    return Data(inputs.contiguous(), torch.from_numpy(labels).long())


class StoredImages(ImageClassification, ABC):
    """An image data set in the data folder: `NAME.npz`, or the files that torchvision reads.

    The folder is the one named by the environment variable SPIKEFRONT_DATA, or `data` in the working folder. An
    .npz holds x_train, y_train, x_test, y_test as uint8.
    """

    train: int | None = Field(None, ge=10, description="training samples; by default all that validation leaves")
    download: bool = Field(False, description="let torchvision download the data set where it is missing")

    reader: ClassVar[str]
    """Name of the class in `torchvision.datasets`."""

    def wanted(self) -> int | None:
        return self.train

    def raw(self) -> RawImages:
        folder = Path(os.environ.get("SPIKEFRONT_DATA", "data"))
        archive = folder / f"{self.name}.npz"
        return _from_archive(archive) if archive.exists() else self._from_torchvision(folder)

    def _from_torchvision(self, folder: Path) -> RawImages:
        reader = getattr(torchvision().datasets, self.reader)
        try:
            parts = [reader(folder, train=train, download=self.download) for train in (True, False)]
        except (RuntimeError, OSError) as error:
            raise DataError(
                f"task '{self.name}': the data set is not in {folder.resolve()} ({error})",
                f"Set SPIKEFRONT_DATA to the folder that holds {self.name}.npz or torchvision's files, "
                "or allow the download: --set task.download=true.",
            ) from None
        arrays = [np.asarray(array, np.uint8) for part in parts for array in (part.data, part.targets)]
        return RawImages(*arrays)


def _from_archive(path: Path) -> RawImages:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return RawImages(*(archive[name] for name in RawImages._fields))
    except (KeyError, ValueError, OSError) as error:
        raise DataError(f"{path}: cannot be read: {error}", f"It should hold {', '.join(RawImages._fields)}.") from None
