"""Augmentation against a loop over single images."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront_plugins.trainers._augment import augmented


def moved(image, down, right):
    """Return an image (C, H, W) moved by whole pixels; zeros enter."""
    result = np.zeros_like(image)
    _, height, width = image.shape
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                result[:, row, column] = image[:, row - down, column - right]
    return result


def variants(image, shift, flip):
    """Return what may become of an image, by (mirrored, down, right)."""
    sources = {False: image, True: image[:, :, ::-1]} if flip else {False: image}
    steps = range(-shift, shift + 1)
    return {(f, d, r): moved(source, d, r) for f, source in sources.items() for d in steps for r in steps}


@given(st.integers(0, 3), st.booleans(), st.integers(1, 3), st.integers(1, 5), st.integers(1, 6), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_each_image_is_one_of_its_variants(shift, flip, channels, height, width, seed):
    images = torch.rand(4, channels, height, width, generator=torch.Generator().manual_seed(seed)) + 1
    before = images.clone()
    result = augmented(images, shift, flip, torch.Generator().manual_seed(seed))
    assert torch.equal(images, before)
    assert result.is_contiguous()
    for image, found in zip(images.numpy(), result.numpy(), strict=True):
        assert any(np.array_equal(found, variant) for variant in variants(image, shift, flip).values())


def test_all_variants_are_equally_likely():
    image = torch.arange(1.0, 26).view(1, 5, 5)
    found = augmented(image.expand(9000, 1, 5, 5), 1, True, torch.Generator().manual_seed(0)).numpy()
    for variant in variants(image.numpy(), 1, True).values():
        count = int((found == variant).all(axis=(1, 2, 3)).sum())
        assert abs(count - 500) < 5 * np.sqrt(500)


@pytest.mark.parametrize(("shift", "flip"), [(0, False), (2, True)])
def test_the_generator_decides(shift, flip):
    images = torch.rand(8, 3, 6, 6)
    first, second = (augmented(images, shift, flip, torch.Generator().manual_seed(4)) for _ in range(2))
    other = augmented(images, shift, flip, torch.Generator().manual_seed(5))
    assert torch.equal(first, second)
    assert torch.equal(first, other) == (shift == 0)
