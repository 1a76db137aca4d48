"""Task sequential-mnist: the images of mnist, in rows and pixels."""

import numpy as np
import pytest
import torch

from spikefront_plugins.tasks.mnist import Mnist
from spikefront_plugins.tasks.sequential_mnist import SequentialMnist

SMALL = {"train": 30, "validation": 20}
SPLITS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def _images(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKEFRONT_DATA", str(tmp_path))
    rng = np.random.default_rng(0)
    arrays = {f"x_{part}": rng.integers(256, size=(n, 28, 28), dtype=np.uint8) for part, n in SIZES}
    arrays |= {f"y_{part}": (np.arange(n) % 10).astype(np.uint8) for part, n in SIZES}
    np.savez(tmp_path / "mnist.npz", **arrays)


SIZES = (("train", 60), ("test", 20))


@pytest.mark.parametrize("split", SPLITS)
def test_rows_are_shown_from_the_top_and_pixels_row_after_row(split):
    images, labels = Mnist(**SMALL).data(split)
    rows, pixels = (SequentialMnist(**SMALL, order=order) for order in ("rows", "pixels"))
    assert (rows.frames, rows.input_shape, pixels.frames, pixels.input_shape) == (28, (28,), 784, (1,))
    assert torch.equal(rows.data(split).inputs, images[:, 0])
    assert torch.equal(pixels.data(split).inputs, images.reshape(-1, 784, 1))
    assert torch.equal(rows.data(split).targets, labels)


def test_one_order_of_pixels_is_that_of_all_images_and_splits():
    pixels, permuted = (SequentialMnist(**SMALL, order=order) for order in ("pixels", "permuted"))
    order = np.random.default_rng(0).permutation(784)
    assert sorted(order) == list(range(784))
    for split in SPLITS:
        assert torch.equal(permuted.data(split).inputs, pixels.data(split).inputs[:, order])
        assert torch.equal(permuted.data(split).targets, pixels.data(split).targets)
    assert permuted.fingerprint() != pixels.fingerprint()
