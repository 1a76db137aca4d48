"""Task `digits`: 1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from spikefront import hookimpl
from spikefront_plugins.tasks._images import ImageClassification, RawImages, stratified

TEST = 360
"""Images that are set aside as the test split for good."""


class Digits(ImageClassification):
    """Optical recognition of handwritten digits (Alpaydin and Kaynak, UCI 1998), embedded in scikit-learn.

    The set has no official split; 360 images, stratified, are the test split for good.
    """

    name: ClassVar[str] = "digits"
    shape: ClassVar[tuple[int, int, int]] = (1, 8, 8)

    train: int | None = Field(
        None, ge=10, le=1427, description="training samples; by default all that validation leaves"
    )
    validation: int = Field(360, ge=10, le=1427, description="validation samples")

    def raw(self) -> RawImages:
        from sklearn.datasets import load_digits  # slow to import, and only needed here

        images, labels = load_digits(return_X_y=True)
        pixels = np.round(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
        digits = labels.astype(np.uint8)
        order = stratified(digits, seed=0)
        test, rest = order[:TEST], order[TEST:]
        return RawImages(pixels[rest], digits[rest], pixels[test], digits[test])


@hookimpl
def spikefront_tasks() -> list[type[Digits]]:
    """Return the task."""
    return [Digits]
