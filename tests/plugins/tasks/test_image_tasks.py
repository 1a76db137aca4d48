"""Image tasks: splits that never touch, the same for everyone; and data that are missing, wrong or replaced."""

import os
import pickle
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront.errors import DataError
from spikefront.vision import torchvision
from spikefront_plugins.tasks._images import stratified
from spikefront_plugins.tasks.cifar10 import Cifar10
from spikefront_plugins.tasks.digits import Digits
from spikefront_plugins.tasks.fashion_mnist import FashionMnist
from spikefront_plugins.tasks.mnist import Mnist

MINI = Path(__file__).parents[4] / "shared" / "data" / "cifar10-mini.npz"
STORED = [Mnist, FashionMnist, Cifar10]


def images_and_labels(task, number, seed):
    """Return random images, as the files of a task hold them, and labels that are not balanced."""
    channels, *sides = task.shape
    rng = np.random.default_rng(seed)
    shape = (number, *sides, channels) if channels > 1 else (number, *sides)
    return rng.integers(256, size=shape, dtype=np.uint8), (np.arange(number) ** 2 % 11 % 10).astype(np.uint8)


def write_npz(task, folder, seed=0, **changes):
    x_train, y_train = images_and_labels(task, 60, seed)
    x_test, y_test = images_and_labels(task, 20, seed + 1)
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test} | changes
    np.savez(folder / f"{task.name}.npz", **{name: array for name, array in arrays.items() if array is not None})
    return arrays


def write_idx(task, folder):
    raw = folder / task.reader / "raw"
    raw.mkdir(parents=True)
    written = []
    for prefix, number in (("train", 60), ("t10k", 20)):
        images, labels = images_and_labels(task, number, seed=number)
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 2051, *images.shape) + images.tobytes())
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, number) + labels.tobytes())
        written += [images, labels]
    return written


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKEFRONT_DATA", str(tmp_path))
    return tmp_path


def rows_of(inputs):
    return Counter(row.numpy().tobytes() for row in inputs)


@pytest.mark.parametrize("split_seed", [0, 5])
def test_digits_splits_share_no_image(split_seed):
    task = Digits(split_seed=split_seed)
    splits = {split: task.data(split) for split in ("train", "validation", "test")}
    assert [len(data.inputs) for data in splits.values()] == [1077, 360, 360]
    total = sum((rows_of(data.inputs) for data in splits.values()), Counter())
    assert len(total) == 1797
    assert set(total.values()) == {1}


def test_digits_are_the_embedded_images_as_bytes():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    expected = {
        np.round(row / 16 * 255).astype(int).tobytes(): label for row, label in zip(images, labels, strict=True)
    }
    for split in ("train", "validation", "test"):
        data = Digits().data(split)
        for row, label in zip(data.inputs, data.targets, strict=True):
            assert expected[np.round(row.double().numpy() * 255).astype(int).tobytes()] == label


def test_the_test_digits_never_change():
    inputs, targets = Digits().data("test")
    assert torch.equal(inputs, Digits(split_seed=9, train=50, validation=20).data("test").inputs)
    assert targets[:12].tolist() == [8, 3, 9, 1, 2, 6, 7, 0, 4, 5, 0, 3]
    assert int((inputs.double() * 255).round().sum()) == 1798673


def test_inputs_are_images_in_the_unit_interval():
    for split in ("train", "validation", "test"):
        inputs, targets = Digits().data(split)
        assert inputs.dtype == torch.float32
        assert inputs.shape[1:] == Digits().input_shape == (1, 8, 8)
        assert targets.dtype == torch.int64
        assert 0 == inputs.min() < inputs.max() == 1


def test_validation_depends_on_seed_and_size_alone():
    whole = Digits().data("validation")
    few = Digits(train=100).data("validation")
    other = Digits(split_seed=1).data("validation")
    assert torch.equal(whole.inputs, few.inputs)
    assert not torch.equal(whole.inputs, other.inputs)


def test_a_smaller_training_split_is_part_of_a_larger_one():
    small, large = (rows_of(Digits(train=number).data("train").inputs) for number in (100, 500))
    assert sum(small.values()) == 100
    assert not small - large


@given(st.lists(st.integers(1, 60), min_size=1, max_size=10), st.integers(0, 2**32), st.data())
@settings(deadline=None, max_examples=50)
def test_every_stretch_is_stratified(counts, seed, data):
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.uint8)
    order = stratified(labels, seed)
    assert sorted(order) == list(range(len(labels)))
    assert (order == stratified(labels, seed)).all()
    first = data.draw(st.integers(0, len(labels)))
    last = data.draw(st.integers(first, len(labels)))
    found = np.bincount(labels[order[first:last]], minlength=len(counts))
    assert np.abs(found - np.array(counts) * (last - first) / len(labels)).max() <= 4


def test_all_of_mnist_is_stratified_to_two_images():
    labels = np.random.default_rng(0).integers(10, size=60_000).astype(np.uint8)
    order = stratified(labels, 0)
    expected = np.bincount(labels) / 12
    assert np.abs(np.bincount(labels[order[:5000]]) - expected).max() <= 2


def test_too_many_samples_are_refused():
    with pytest.raises(DataError, match="1427 training and 360 validation") as caught:
        Digits(train=1427, validation=360).data("train")
    assert "1437" in caught.value.hint


@pytest.mark.parametrize("validation", [51, 60, 70])
def test_too_small_a_rest_is_refused(validation, folder):
    write_npz(Mnist, folder)
    with pytest.raises(DataError, match=f"{60 - validation} training and {validation} validation"):
        Mnist(validation=validation).data("validation")


@pytest.mark.parametrize("cls", STORED)
def test_npz_and_splits(cls, folder):
    arrays = write_npz(cls, folder)
    task = cls(validation=20)
    data = [task.data(split) for split in ("train", "validation", "test")]
    assert [len(part.inputs) for part in data] == [40, 20, 20]
    assert all(part.inputs.shape[1:] == cls.shape and part.inputs.dtype == torch.float32 for part in data)
    stored = np.concatenate([arrays["x_train"], arrays["x_test"]])
    stored = stored[:, None] if stored.ndim == 3 else stored.transpose(0, 3, 1, 2)
    found = sum((rows_of((part.inputs * 255).round().to(torch.uint8)) for part in data), Counter())
    assert found == rows_of(torch.tensor(np.ascontiguousarray(stored)))
    assert data[2].targets.tolist() == arrays["y_test"].tolist()


@pytest.mark.parametrize("cls", [Mnist, FashionMnist])
def test_files_in_torchvisions_form(cls, folder):
    x_train, y_train, x_test, y_test = write_idx(cls, folder)
    task = cls(validation=20)
    test = task.data("test")
    np.testing.assert_array_equal(test.inputs[:, 0].numpy(), x_test.astype(np.float32) / np.float32(255))
    assert test.targets.tolist() == y_test.tolist()
    pairs = {image.tobytes(): label for image, label in zip(x_train, y_train, strict=True)}
    train = task.data("train")
    for image, label in zip((train.inputs * 255).round().to(torch.uint8), train.targets, strict=True):
        assert pairs[image.numpy().tobytes()] == label


def test_cifar_in_torchvisions_form(folder, monkeypatch):
    reader = torchvision().datasets.CIFAR10
    base = folder / reader.base_folder
    base.mkdir()
    images, labels = images_and_labels(Cifar10, 60, seed=3)
    entry = {"data": images.transpose(0, 3, 1, 2).reshape(60, -1), "labels": labels.tolist()}
    for name in ("one", "two"):
        (base / name).write_bytes(pickle.dumps(entry))
    (base / "meta").write_bytes(pickle.dumps({"names": list("abcdefghij")}))
    monkeypatch.setattr(reader, "train_list", [["one", None], ["two", None]])
    monkeypatch.setattr(reader, "test_list", [["one", None]])
    monkeypatch.setattr(reader, "meta", {"filename": "meta", "key": "names", "md5": None})
    test = Cifar10(validation=20).data("test")
    assert len(Cifar10(validation=20).data("train").inputs) == 100
    np.testing.assert_array_equal((test.inputs * 255).round().byte().permute(0, 2, 3, 1).numpy(), images)


@pytest.mark.skipif(not MINI.exists(), reason="the shared data folder is not here")
def test_real_photographs(folder):
    (folder / "cifar10.npz").symlink_to(MINI)
    task = Cifar10(validation=500)
    data = {split: task.data(split) for split in ("train", "validation", "test")}
    assert [len(part.inputs) for part in data.values()] == [1500, 500, 1000]
    rows = [set(rows_of(part.inputs)) for part in data.values()]
    assert not rows[0] & rows[1]
    assert not (rows[0] | rows[1]) & rows[2]


@pytest.mark.parametrize("cls", STORED)
def test_missing_data_say_how_to_get_them(cls, folder):
    with pytest.raises(DataError, match=str(folder)) as caught:
        cls().check()
    assert "SPIKEFRONT_DATA" in caught.value.hint
    assert f"{cls.name}.npz" in caught.value.hint
    assert "task.download=true" in caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"y_test": None},
        {"x_train": np.zeros((60, 28, 28))},
        {"x_train": np.zeros((60, 28, 27), np.uint8)},
        {"y_train": np.zeros(59, np.uint8)},
        {"y_train": np.full(60, 10, np.uint8)},
        {"y_test": np.zeros(20, np.int64)},
        {"x_test": np.array(["pickled", None], object)},
    ],
)
def test_wrong_arrays_are_refused(change, folder):
    write_npz(Mnist, folder, **change)
    with pytest.raises(DataError, match=r"mnist\.npz"):
        Mnist(validation=20).data("train")


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped", "array"])
def test_damaged_archives_are_refused(damage, folder):
    write_npz(Mnist, folder)
    path = folder / "mnist.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    if damage == "array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    else:
        path.write_bytes({"empty": b"", "text": b"no archive", "cut": content[:900], "flipped": content}[damage])
    with pytest.raises(DataError, match=r"mnist\.npz.*cannot be read"):
        Mnist(validation=20).data("train")


@pytest.mark.parametrize("content", [b"", b"short", struct.pack(">4i", 2051, 60, 28, 28)])
def test_damaged_idx_files_are_refused(content, folder):
    write_idx(Mnist, folder)
    (folder / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(DataError, match="mnist"):
        Mnist(validation=20).data("train")


def test_another_folder_is_another_data_set(folder, tmp_path_factory, monkeypatch):
    write_npz(Mnist, folder, seed=1)
    first = Mnist(validation=20).data("train")
    other = tmp_path_factory.mktemp("other")
    write_npz(Mnist, other, seed=2)
    monkeypatch.setenv("SPIKEFRONT_DATA", str(other))
    assert not torch.equal(first.inputs, Mnist(validation=20).data("train").inputs)
    monkeypatch.setenv("SPIKEFRONT_DATA", str(folder))
    assert torch.equal(first.inputs, Mnist(validation=20).data("train").inputs)


def test_a_replaced_archive_is_read_again(folder):
    write_npz(Mnist, folder, seed=1)
    first = Mnist(validation=20).data("train")
    write_npz(Mnist, folder, seed=2)
    os.utime(folder / "mnist.npz", (1, 1))
    assert not torch.equal(first.inputs, Mnist(validation=20).data("train").inputs)


def test_the_working_folder_has_the_data_where_none_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("SPIKEFRONT_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    write_npz(Mnist, tmp_path / "data")
    assert len(Mnist(validation=20).data("train").inputs) == 40


@pytest.mark.parametrize("allowed", [False, True])
def test_a_download_has_to_be_allowed(allowed, folder, monkeypatch):
    asked = []

    class Reader:
        def __init__(self, root, train, download):
            asked.append(download)
            self.data, self.targets = images_and_labels(Mnist, 60 if train else 20, seed=0)

    monkeypatch.setattr(torchvision().datasets, "MNIST", Reader)
    Mnist(validation=20, download=allowed).data("train")
    assert asked == [allowed, allowed]


def test_a_failed_download_is_told(folder, monkeypatch):
    def reader(*arguments, **options):
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision().datasets, "MNIST", reader)
    with pytest.raises(DataError, match="no route to host"):
        Mnist(download=True).data("train")


def test_loss_and_metrics_against_float64():
    rng = np.random.default_rng(0)
    outputs, targets = rng.normal(size=(5, 7, 10)), rng.integers(10, size=7)
    logits = outputs.mean(0)
    logs = np.log(np.exp(logits).sum(1)) - logits[np.arange(7), targets]
    task, tensors = Digits(), (torch.tensor(outputs), torch.tensor(targets))
    metrics = task.metrics(*tensors)
    assert task.loss(*tensors).item() == pytest.approx(logs.mean())
    assert metrics["loss"].tolist() == pytest.approx(logs.tolist())
    assert metrics["accuracy"].tolist() == [float(a) for a in logits.argmax(1) == targets]
