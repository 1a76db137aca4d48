"""Task `fashion-mnist`: 70,000 pictures of clothes of 28 x 28 pixels."""

from __future__ import annotations

from typing import ClassVar

from spikefront import hookimpl
from spikefront_plugins.tasks._images import StoredImages


class FashionMnist(StoredImages):
    """Fashion-MNIST (Xiao, Rasul, Vollgraf, arXiv 1708.07747, 2017): 60,000 training and 10,000 test images."""

    name: ClassVar[str] = "fashion-mnist"
    reader: ClassVar[str] = "FashionMNIST"
    shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)


@hookimpl
def spikefront_tasks() -> list[type[FashionMnist]]:
    """Return the task."""
    return [FashionMnist]
