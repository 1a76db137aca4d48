"""Training within a limit on memory: batches in parts, packed spikes, and what is said where nothing helps."""

import numpy as np
import pytest
import torch

from spikefront.components import Session
from spikefront.errors import OutOfMemoryError, StudyFileError
from spikefront.evaluate import evaluate
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.specification import Specification
from spikefront_plugins.tasks.digits import Digits
from spikefront_plugins.trainers import _gradient
from spikefront_plugins.trainers._gradient import GIB, Gradient, parts_within
from spikefront_plugins.trainers.surrogate_gradient import SurrogateGradient

TASK = Digits(train=64, validation=20)
PLAIN = {"use": "conv", "channels": [8, 8], "batch_norm": False}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def document(**sections):
    return {
        "study": {"name": "memory", "objectives": ["accuracy"]},
        "task": {"use": "digits", "train": 64, "validation": 20},
        "network": PLAIN,
        "neuron": {"v_threshold": 0.2},
        "trainer": {"epochs": 1},
        "search": {"generations": 1},
    } | sections


def candidate(**sections):
    study = Specification.from_document(document(**sections), load())
    rng = np.random.default_rng(0)
    return study, study.space.genome({path: gene.domain.sample(rng) for path, gene in study.space.items()})


def parts_of(**sections):
    study, genome = candidate(**sections)
    return study.resolve(genome).parts


def gradients(gradient, **sections):
    """Return the loss and the gradients of one batch."""
    network = TASK.build(parts_of(**sections), Streams(1)).train()
    loss = gradient.add(network, TASK, *TASK.data("train"))
    return loss, [parameter.grad for parameter in network.parameters()]


def fit(trainer, parts):
    return trainer.fit(TASK.build(parts, Streams(1)), TASK, Session(parts, Streams(1)))


@pytest.mark.parametrize("parts", [2, 3, 7, 32])
@pytest.mark.parametrize("encoding", ["direct", {"use": "genetic", "genes": 2, "origin": "trained"}])
def test_parts_give_the_gradient_of_the_whole(parts, encoding):
    loss, whole = gradients(Gradient(), encoding=encoding)
    other, found = gradients(Gradient(parts), encoding=encoding)
    assert other == pytest.approx(loss, abs=1e-6)
    assert max(float(gradient.abs().max()) for gradient in whole) > 1e-3
    for one, two in zip(whole, found, strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=1e-6)


def test_no_part_has_a_single_sample():
    seen = []

    class Watched(Digits):
        def loss(self, outputs, targets):
            seen.append(len(targets))
            return super().loss(outputs, targets)

    task = Watched(train=64, validation=20)
    network = task.build(parts_of(), Streams(1))
    inputs, targets = task.data("train")
    for samples, parts in ((5, 4), (3, 3), (2, 2), (64, 32), (9, 2)):
        Gradient(parts).add(network, task, inputs[:samples], targets[:samples])
    assert seen == [3, 2, 3, 2, *[2] * 32, 5, 4]


@pytest.mark.parametrize("sections", [{}, {"network": {"use": "conv", "channels": [8, 8]}, "coder": "poisson"}])
@pytest.mark.parametrize("rounded", [False, True])
def test_packed_spikes_give_the_same_bits(sections, rounded):
    loss, plain = gradients(Gradient(rounded=rounded), **sections)
    other, packed = gradients(Gradient(rounded=rounded, packed=True), **sections)
    assert loss == other
    assert all(torch.equal(one, two) for one, two in zip(plain, packed, strict=True))


def test_packed_training_equals_plain_and_needs_less():
    deep = {"use": "conv", "channels": [8, 8, 8, 8], "pooling": "none"}
    network, inputs = TASK.build(parts_of(network=deep), Streams(1)), TASK.data("train").inputs
    assert Gradient(packed=True).peak(network, inputs) < 0.9 * Gradient().peak(network, inputs)
    plain, packed = (
        fit(SurrogateGradient(epochs=2, batch=32, saved=saved), parts_of()) for saved in ("plain", "packed")
    )
    assert plain.history == packed.history
    assert all(map(torch.equal, plain.phenotype.parameters(), packed.phenotype.parameters()))


def test_a_limit_splits_batches_and_says_so():
    free = fit(SurrogateGradient(epochs=2, batch=32), parts_of())
    assert all("parts" not in row for row in free.history)
    network, batch = TASK.build(parts_of(), Streams(1)), TASK.data("train").inputs[:32]
    limit = Gradient().peak(network, batch[:9]) / GIB
    split = fit(SurrogateGradient(epochs=2, batch=32, memory=limit), parts_of())
    assert [row["parts"] for row in split.history] == [4, 4]
    assert int(split.checkpoint["parts"]) == 4
    for one, two in zip(free.phenotype.parameters(), split.phenotype.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=1e-4)
    wide = fit(SurrogateGradient(epochs=2, batch=32, memory=1.0), parts_of())
    assert wide.history == free.history


@pytest.mark.parametrize("samples", range(2, 70))
@pytest.mark.parametrize("constant", [0, 50])
def test_parts_are_the_fewest(samples, constant):
    inputs = torch.zeros(samples, 1)
    for fits in range(2 + samples % 2, samples + 1):
        found = parts_within((constant + 10 * fits) / GIB, lambda x: constant + 10 * len(x), inputs)
        assert found == -(-samples // fits)
        assert min(map(len, inputs.tensor_split(found))) >= 2


def test_a_limit_that_two_samples_exceed():
    with pytest.raises(OutOfMemoryError, match=r"trainer.memory = 1e-09: 2 samples take about .* GiB") as caught:
        fit(SurrogateGradient(batch=32, memory=1e-9), parts_of())
    assert "Allow at least as much" in caught.value.hint


def test_more_than_the_machine_has_is_a_failure(monkeypatch):
    monkeypatch.setattr(_gradient, "_machine_memory", lambda: 200_000)
    study, genome = candidate()
    failure = evaluate(Job(study.to_json(), genome), load()).failure
    assert failure.kind == "out-of-memory"
    assert "training 64 samples at once takes about" in failure.message
    assert "trainer.memory" in failure.message
    limited, genome = candidate(trainer={"epochs": 1, "memory": 100_000 / GIB})
    assert evaluate(Job(limited.to_json(), genome), load()).failure is None


def test_the_machine_has_memory():
    assert 2**28 < _gradient._machine_memory() < 2**50


@pytest.mark.parametrize(
    ("trainer", "words"),
    [
        ({"memory": 0}, ["trainer.memory = 0", "greater than 0"]),
        ({"memory": "4 GiB"}, ["trainer.memory = '4 GiB'", "number"]),
        ({"saved": "bits"}, ["trainer.saved = 'bits'", "'plain' or 'packed'"]),
        ({"mem": 1.0}, ["trainer.mem", "no such parameter", "memory"]),
    ],
)
def test_wrong_values_are_told(trainer, words):
    with pytest.raises(StudyFileError) as caught:
        Specification.from_document(document(trainer=trainer), load())
    assert [word for word in words if word not in str(caught.value)] == []
