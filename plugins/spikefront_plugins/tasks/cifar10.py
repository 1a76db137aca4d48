"""Task `cifar10`: 60,000 colour photographs of 32 x 32 pixels."""

from __future__ import annotations

from typing import ClassVar

from spikefront import hookimpl
from spikefront_plugins.tasks._images import StoredImages


class Cifar10(StoredImages):
    """CIFAR-10 (Krizhevsky, 2009): 50,000 training and 10,000 test images of ten classes."""

    name: ClassVar[str] = "cifar10"
    reader: ClassVar[str] = "CIFAR10"
    shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)


@hookimpl
def spikefront_tasks() -> list[type[Cifar10]]:
    """Return the task."""
    return [Cifar10]
