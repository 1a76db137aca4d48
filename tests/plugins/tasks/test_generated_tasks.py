"""Tasks drawn from a seed: what their samples look like, and splits that share none."""

from collections import Counter
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront.errors import DataError
from spikefront_plugins.tasks._generated import GeneratedSequences
from spikefront_plugins.tasks.delayed_recall import DelayedRecall
from spikefront_plugins.tasks.interval import Interval

SPLITS = ("train", "validation", "test")
TASKS = [Interval(train=700, validation=100, test=200), DelayedRecall(train=300, validation=50, test=50, delay=70)]


class Few(GeneratedSequences):
    """Two steps of 0 and 1: three samples with equal chances, 00, 01 and 11."""

    name: ClassVar[str] = "few"
    input_shape: ClassVar[tuple[int, ...]] = (1,)
    frames: ClassVar[int] = 2
    outputs: ClassVar[int] = 3
    draws: ClassVar[int] = 1

    def make(self, drawn):
        label = (3 * drawn[:, 0]).astype(np.int64)
        return np.stack([label > 1, label > 0], 1)[:, :, None], label


def rows(task, split):
    return [row.tobytes() for row in task.data(split).inputs.flatten(1).numpy()]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_no_sample_is_there_twice(task):
    samples = [row for split in SPLITS for row in rows(task, split)]
    assert len(samples) == task.train + task.validation + task.test == len(set(samples))
    assert set(task.data("test").inputs.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_smaller_training_split_is_part_of_a_larger_one(task):
    smaller = task.model_copy(update={"train": 40})
    assert rows(smaller, "train") == rows(task, "train")[:40]
    assert rows(smaller, "validation") == rows(task, "validation")
    assert rows(smaller, "test") == rows(task, "test")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_another_seed_gives_other_samples_and_other_data_another_fingerprint(task):
    other = task.model_copy(update={"seed": 1})
    assert rows(task, "train") != rows(other, "train")
    assert task.fingerprint() != other.fingerprint()


def test_more_samples_than_differ_are_refused():
    with pytest.raises(DataError, match="task 'few': 30 samples asked for, and only 3") as error:
        Few(train=10, validation=10, test=10).data("train")
    assert "task.train" in error.value.hint


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=15, max_size=15))
def test_an_interval_sample_is_what_its_class_says(drawn):
    signal, label = Interval().make(np.array([drawn]))
    assert signal.shape == (1, 64, 1)
    pulses = np.flatnonzero(signal)
    gaps = np.diff(pulses)
    assert pulses[0] == 0
    assert len(gaps) == 7
    assert set(gaps.tolist()) <= {3, 4, 5, 7, 8, 9}
    assert label[0] == (gaps > 6).sum() == int(8 * drawn[0])


def test_lengths_places_and_classes_of_intervals_are_drawn_evenly():
    signal, label = Interval().make(np.random.default_rng(0).random((16_000, 15)))
    gaps = np.diff(np.nonzero(signal[:, :, 0])[1].reshape(-1, 8), axis=1)
    assert np.bincount(label) == pytest.approx([2000] * 8, rel=0.1)
    assert (gaps > 6).mean(0) == pytest.approx([0.5] * 7, abs=0.02)
    short = Counter(gaps[gaps < 6].tolist())
    assert [short[length] / short.total() for length in (3, 4, 5)] == pytest.approx([1 / 3] * 3, abs=0.02)


def test_a_symbol_is_shown_and_a_cue_asks_for_it():
    task = DelayedRecall(delay=60, distraction=0.1)
    signal, label = task.make(np.random.default_rng(0).random((800, task.draws)))
    assert signal.shape == (800, 70, 9) == (800, *task.sample_shape)
    assert np.bincount(label) == pytest.approx([100] * 8, rel=0.3)
    for n in range(800):
        assert (signal[n, :5].sum(0) == 5 * (np.arange(9) == label[n])).all()
    assert signal[:, 5:65, :8].mean((0, 1)) == pytest.approx([0.1] * 8, abs=0.01)
    assert not signal[:, 5:65, 8].any()
    assert signal[:, 65:, 8].all()
    assert not signal[:, 65:, :8].any()


def test_a_recall_is_judged_by_the_steps_of_the_cue():
    outputs, targets = torch.zeros(70, 2, 8), torch.tensor([3, 5])
    outputs[:65, :, 1] = 100.0
    outputs[65:, 0, 3], outputs[67, 1, 2] = 1.0, 0.5
    metrics = DelayedRecall().metrics(outputs, targets)
    assert metrics["accuracy"].tolist() == [1.0, 0.0]
    expected = [-1 + np.log(np.e + 7), np.log(np.exp(0.1) + 7)]
    assert metrics["loss"].tolist() == pytest.approx(expected, rel=1e-6)
    assert DelayedRecall().loss(outputs, targets).item() == pytest.approx(np.mean(expected), rel=1e-6)


def test_an_interval_is_judged_by_all_steps():
    outputs = torch.zeros(64, 1, 8)
    outputs[0, 0, 2], outputs[-1, 0, 7] = 3.0, 2.0
    assert Interval().metrics(outputs, torch.tensor([2]))["accuracy"].item() == 1.0
