"""The task of events: frames against a loop over events, splits, and what is told about other files."""

import numpy as np
import pytest
import torch

from spikefront.errors import DataError
from spikefront.plugins import load
from spikefront.specification import Specification
from spikefront_plugins.tasks.nmnist import DURATION, NMnist, event_frames

TRAIN, TEST = 60, 20


def events(seed=0):
    """Return arrays as the file has them: samples of 3 to 30 events, training and test mixed."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 30, TRAIN + TEST)
    number = int(lengths.sum())
    times = [np.sort(rng.integers(0, DURATION - 1, length)) for length in lengths]
    return {
        "x": rng.integers(34, size=number).astype(np.uint8),
        "y": rng.integers(34, size=number).astype(np.uint8),
        "p": rng.integers(2, size=number).astype(np.uint8),
        "t": np.concatenate(times).astype(np.uint32),
        "offsets": np.concatenate([[0], lengths.cumsum()]).astype(np.int64),
        "labels": (rng.permutation(TRAIN + TEST) % 10).astype(np.uint8),
        "split": (np.arange(TRAIN + TEST) % 4 == 0).astype(np.uint8),
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    np.savez(tmp_path / "nmnist-small.npz", **events())
    monkeypatch.setenv("SPIKEFRONT_DATA", str(tmp_path))
    return tmp_path


def frames_by_loop(arrays, bins):
    frames = np.zeros((len(arrays["labels"]), bins, 2, 34, 34))
    for sample in range(len(frames)):
        for event in range(arrays["offsets"][sample], arrays["offsets"][sample + 1]):
            x, y, p, t = (int(arrays[name][event]) for name in "xypt")
            frames[sample, int(t / (340_000 / bins)), p, y, x] = 1
    return frames


@pytest.mark.parametrize("bins", [1, 5, 7])
def test_frames_against_a_loop(bins):
    arrays = events()
    found = event_frames(*(arrays[name] for name in ("x", "y", "p", "t", "offsets")), bins)
    assert np.array_equal(found, frames_by_loop(arrays, bins))


def test_events_behind_the_last_bin_are_left_out():
    one = np.zeros(2, dtype=np.uint8)
    frames = event_frames(one, one, one, np.array([DURATION - 1, DURATION], np.uint32), np.array([0, 1, 2]), 3)
    assert frames[0].sum() == frames[0, 2, 0, 0, 0] == 1
    assert frames[1].sum() == 0


def test_splits_are_those_of_the_file(folder):
    """Test samples are the file's, in its order; training and validation share out the others by label."""
    arrays, task = events(), NMnist(bins=4, validation=20)
    frames = frames_by_loop(arrays, 4)
    test = task.data("test")
    assert torch.equal(test.inputs, torch.from_numpy(frames[arrays["split"] == 1]).float())
    assert test.targets.tolist() == arrays["labels"][arrays["split"] == 1].tolist()
    parts = [task.data("train"), task.data("validation")]
    assert [len(part.inputs) for part in parts] == [40, 20]
    together = sorted(int(label) for part in parts for label in part.targets)
    assert together == sorted(arrays["labels"][arrays["split"] == 0].tolist())
    assert all(count <= 3 for count in parts[1].targets.bincount())


def test_samples_are_sequences(folder):
    task = NMnist(bins=4, validation=20)
    assert (task.frames, task.input_shape, task.sample_shape) == (4, (2, 34, 34), (4, 2, 34, 34))
    assert task.data("train").inputs.shape == (40, 4, 2, 34, 34)
    assert set(task.data("train").inputs.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("steps", [3, 4])
def test_a_coder_of_other_steps_is_refused(folder, steps):
    document = {
        "study": {"name": "events", "objectives": ["accuracy"]},
        "task": {"use": "nmnist", "bins": 4, "validation": 20},
        "coder": {"use": "frames", "steps": steps},
        "search": {"generations": 1},
    }
    study = Specification.from_document(document, load())
    if steps == 4:
        study.check()
    else:
        with pytest.raises(Exception, match="4 frames"):
            study.check()


def test_a_missing_file_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKEFRONT_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"nmnist-small.npz is not there") as error:
        NMnist().check()
    assert "SPIKEFRONT_DATA" in error.value.hint


@pytest.mark.parametrize("wrong", ["absent", "large", "damaged"])
def test_another_file_is_told(tmp_path, monkeypatch, wrong):
    monkeypatch.setenv("SPIKEFRONT_DATA", str(tmp_path))
    arrays = events()
    if wrong == "absent":
        del arrays["split"]
    if wrong == "large":
        arrays["x"][7] = 34
    np.savez(tmp_path / "nmnist-small.npz", **arrays)
    if wrong == "damaged":
        (tmp_path / "nmnist-small.npz").write_bytes(b"PK\3\4 and no more")
    with pytest.raises(DataError, match="nmnist-small"):
        NMnist().check()
