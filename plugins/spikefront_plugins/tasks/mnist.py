"""Task `mnist`: 70,000 handwritten digits of 28 x 28 pixels."""

from __future__ import annotations

from typing import ClassVar

from spikefront import hookimpl
from spikefront_plugins.tasks._images import StoredImages


class Mnist(StoredImages):
    """MNIST (LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86, 1998): 60,000 training and 10,000 test images."""

    name: ClassVar[str] = "mnist"
    reader: ClassVar[str] = "MNIST"
    shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)


@hookimpl
def spikefront_tasks() -> list[type[Mnist]]:
    """Return the task."""
    return [Mnist]
