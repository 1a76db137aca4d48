"""Training by surrogate gradients: it learns, it repeats, it goes on where it stopped, and it stops at NaN."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from spikefront import Task
from spikefront.components import Data, Session
from spikefront.errors import InputError, NotFiniteError
from spikefront.plugins import load as load_plugins
from spikefront.randomness import Streams
from spikefront.specification import Specification
from spikefront_plugins.tasks.digits import Digits
from spikefront_plugins.trainers.no_training import NoTraining
from spikefront_plugins.trainers.surrogate_gradient import SurrogateGradient

QUICK = Digits(train=100, validation=20)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def parts_of(**sections):
    """Return the components of a candidate, as a study with these sections gives them."""
    document = {
        "study": {"name": "training", "objectives": ["accuracy"]},
        "task": {"use": "digits"},
        "network": {"use": "mlp", "hidden": [12]},
        "search": {"generations": 1},
    } | sections
    study = Specification.from_document(document, load_plugins())
    genome = study.space.genome(
        {path: gene.domain.sample(np.random.default_rng(0)) for path, gene in study.space.items()}
    )
    return study.resolve(genome).parts


def fit(trainer, parts, seed=1, task=QUICK, **session):
    streams = Streams(seed)
    return trainer.fit(task.build(parts, streams), task, Session(parts, streams, **session))


def weights(fitted):
    return {name: tensor.clone() for name, tensor in fitted.phenotype.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def watched():
    """Return a task, and lists of the splits that it is asked for and of the batches that its loss sees."""
    splits, batches = [], []

    class Watched(Digits):
        def data(self, split):
            splits.append(split)
            return super().data(split)

        def loss(self, outputs, targets):
            batches.append((outputs.detach(), targets))
            return super().loss(outputs, targets)

    return Watched(train=100, validation=20), splits, batches


def test_digits_are_learned_in_seconds():
    task = Digits()
    parts = parts_of(network={"use": "mlp", "hidden": [64]}, neuron={"v_threshold": 0.5})
    fitted = fit(SurrogateGradient(epochs=12, batch=32, learning_rate=5e-3), parts, task=task)
    assert task.score(fitted.phenotype, "validation", Streams(1))["accuracy"] >= 0.9
    losses = [row["loss"] for row in fitted.history]
    assert losses[-1] < 0.5 * losses[0]
    assert [row["epoch"] for row in fitted.history] == list(range(12))
    assert fitted.samples == 12 * (1077 // 32 * 32)


def test_only_the_training_split_is_read():
    task, splits, batches = watched()
    fit(SurrogateGradient(epochs=2, batch=100), parts_of(), task=task)
    assert set(splits) == {"train"}
    known = sorted(Digits(train=100, validation=20).data("train").targets.tolist())
    assert all(sorted(targets.tolist()) == known for _, targets in batches)


CONV = {"use": "conv", "channels": [4, 6]}
GOING_ON = {
    "mlp": ({}, {}),
    "sgd": ({}, {"optimizer": "sgd", "learning_rate": 0.05}),
    "sgd without momentum": ({}, {"optimizer": "sgd", "momentum": 0.0}),
    "augmented": ({"network": CONV}, {"shift": 1, "flip": True}),
    "poisson": ({"coder": {"use": "poisson"}}, {"clip": 1.0}),
    "plif": ({"neuron": {"use": "plif"}}, {"schedule": "constant"}),
    "recurrent": ({"network": {"use": "recurrent", "hidden": [9]}}, {}),
    "genetic": ({"network": CONV, "encoding": {"use": "genetic", "genes": 2, "origin": "trained"}}, {}),
    "evolved": ({"network": CONV, "encoding": {"use": "genetic", "genes": 2, "origin": "both", "gain": "layer"}}, {}),
    "dropout": ({"network": CONV, "encoding": {"use": "genetic", "genes": 2, "origin": "trained", "dropout": 0.3}}, {}),
    "tied": ({"network": CONV, "encoding": {"use": "genetic", "genes": 2, "origin": "both", "tied": True}}, {}),
    "random basis": ({"network": CONV, "encoding": {"use": "random-basis", "genes": 2}}, {}),
    "in parts": ({"network": CONV}, {"memory": 0.0002}),
    "packed": ({"network": CONV, "coder": {"use": "poisson"}}, {"saved": "packed"}),
    "rates": ({"network": CONV, "encoding": {"use": "genetic", "genes": 2, "origin": "trained", "gene_rate": 3.0}}, {}),
    "resnet": ({"network": {"use": "resnet", "blocks": [1, 1], "width": 3}}, {"optimizer": "sgd"}),
}


@pytest.mark.parametrize("case", GOING_ON)
def test_going_on_from_a_checkpoint_equals_not_stopping(case):
    sections, options = GOING_ON[case]
    parts, trainer = parts_of(**sections), SurrogateGradient(epochs=4, batch=32, **options)
    whole = fit(trainer, parts)
    half = fit(trainer, parts, budget=0.5)
    stored = load(save(dict(half.checkpoint)))
    rest = fit(trainer, parts, checkpoint=stored)
    assert same(weights(whole), weights(rest))
    assert not same(weights(whole), weights(half))
    assert same(whole.checkpoint, rest.checkpoint)
    assert half.history + rest.history == whole.history
    assert half.samples + rest.samples == whole.samples == 4 * 96


def test_data_and_time_steps_grow_to_the_whole():
    task, _, batches = watched()
    trainer = SurrogateGradient(epochs=3, batch=20, first_data=0.4, first_steps=0.25)
    parts = parts_of(coder={"steps": 4})
    whole = fit(trainer, parts, task=task)
    assert [row["samples"] for row in whole.history] == [40, 60, 100]
    lengths = [len(outputs) for outputs, _ in batches]
    assert lengths == [1] * 2 + [2] * 3 + [4] * 5
    assert whole.phenotype.coder.coder.steps == 4
    first = fit(trainer, parts, budget=1 / 3)
    rest = fit(trainer, parts, checkpoint=first.checkpoint)
    assert first.samples == 40
    assert same(weights(whole), weights(rest))


def test_one_epoch_is_a_whole_one():
    fitted = fit(SurrogateGradient(epochs=1, batch=20, first_data=0.1, first_steps=0.1), parts_of())
    assert fitted.samples == 100


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_groups_of_an_encoding_learn_at_their_own_rates(schedule):
    """One step of gradient descent moves gene vectors four times as far, and nothing else."""
    trainer = SurrogateGradient(
        epochs=1, batch=100, optimizer="sgd", momentum=0.0, learning_rate=0.01, weight_decay=0.0, schedule=schedule
    )
    moved = []
    for rate in (1.0, 4.0):
        genetic = {"use": "genetic", "genes": 3, "origin": "trained", "gene_rate": rate}
        parts = parts_of(encoding=genetic, network={"use": "mlp", "hidden": [24]})
        before = QUICK.build(parts, Streams(1)).state_dict()
        after = weights(fit(trainer, parts))
        moved.append({name: after[name] - before[name] for name in before})
    vectors = [name for name in moved[0] if "original" in name]
    assert vectors
    for name, step in moved[0].items():
        assert torch.allclose(moved[1][name], step * (4 if name in vectors else 1), rtol=1e-3, atol=1e-6), name


def test_a_checkpoint_does_not_change_with_the_network():
    trainer, parts = SurrogateGradient(epochs=2), parts_of()
    half = fit(trainer, parts, budget=0.5)
    before = {name: tensor.clone() for name, tensor in half.checkpoint.items()}
    fit(trainer, parts, checkpoint=half.checkpoint)
    with torch.no_grad():
        for parameter in half.phenotype.parameters():
            parameter.add_(1)
    assert same(before, half.checkpoint)


def test_a_finished_checkpoint_trains_no_more():
    trainer, parts = SurrogateGradient(epochs=2), parts_of()
    whole = fit(trainer, parts)
    again = fit(trainer, parts, checkpoint=whole.checkpoint)
    assert again.history == []
    assert again.samples == 0
    assert same(weights(whole), weights(again))


@pytest.mark.parametrize(("budget", "epochs"), [(0.01, 1), (0.3, 2), (0.5, 4), (1.0, 8)])
def test_budget_is_a_share_of_the_epochs(budget, epochs):
    assert len(fit(SurrogateGradient(epochs=8), parts_of(), budget=budget).history) == epochs


def test_same_seed_same_weights_and_other_seed_others():
    trainer, parts = SurrogateGradient(epochs=1, shift=1), parts_of(coder={"use": "poisson"})
    first, again, other = (weights(fit(trainer, parts, seed=seed)) for seed in (1, 1, 2))
    assert same(first, again)
    assert not same(first, other)


def still(batch):
    """Return a trainer that runs two epochs and changes next to nothing."""
    return SurrogateGradient(epochs=2, batch=batch, optimizer="sgd", learning_rate=1e-30, momentum=0.0, weight_decay=0)


def test_each_epoch_has_its_own_order():
    task, _, batches = watched()
    fit(still(100), parts_of(), task=task)
    (_, first), (_, second) = batches
    assert not torch.equal(first, second)
    assert sorted(first.tolist()) == sorted(second.tolist())


def test_each_epoch_has_its_own_noise():
    seen = []

    class Grey(Digits):
        def data(self, split):
            return Data(torch.full((64, 1, 8, 8), 0.5), torch.zeros(64, dtype=torch.int64))

        def loss(self, outputs, targets):
            seen.append(outputs.detach())
            return super().loss(outputs, targets)

    fit(still(32), parts_of(coder={"use": "poisson"}, neuron={"v_threshold": 0.2}), task=Grey())
    assert len(seen) == 4
    assert not any(torch.equal(seen[a], seen[b]) for a in range(4) for b in range(a))


def test_a_network_that_was_scored_is_trained_as_any_other():
    parts, trainer = parts_of(network=GOING_ON["resnet"][0]["network"]), SurrogateGradient(epochs=1, batch=32)
    network = QUICK.build(parts, Streams(1)).eval()
    fitted = trainer.fit(network, QUICK, Session(parts, Streams(1)))
    assert same(weights(fitted), weights(fit(trainer, parts)))


def test_global_generators_are_left_alone():
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    sections, options = GOING_ON["augmented"]
    fit(SurrogateGradient(epochs=1, **options), parts_of(**sections, coder={"use": "poisson"}))
    assert torch.equal(torch_state, torch.get_rng_state())
    assert (numpy_state == np.random.get_state()[1]).all()  # noqa: NPY002


def test_an_incomplete_last_batch_is_left_out():
    task, _, batches = watched()
    fitted = fit(SurrogateGradient(epochs=1, batch=30), parts_of(), task=task)
    assert [len(targets) for _, targets in batches] == [30, 30, 30]
    assert fitted.history[0]["samples"] == 90


def test_a_batch_larger_than_the_data_is_all_data():
    task, _, batches = watched()
    fit(SurrogateGradient(epochs=1, batch=1000), parts_of(), task=task)
    assert [len(targets) for _, targets in batches] == [100]


def gradient_of(task, parts):
    """Return the initial weights and their gradients over all training data, by plain autograd."""
    network = task.build(parts, Streams(1)).train()
    data = task.data("train")
    task.loss(network(data.inputs), data.targets).backward()
    return [(parameter.detach().double(), parameter.grad.double()) for parameter in network.parameters()]


@pytest.mark.parametrize("clip", [None, 0.01])
def test_one_step_of_sgd(clip):
    parts = parts_of()
    trainer = SurrogateGradient(
        epochs=1, batch=100, optimizer="sgd", learning_rate=0.5, weight_decay=0.1, clip=clip, schedule="constant"
    )
    start = gradient_of(QUICK, parts)
    norm = math.sqrt(sum(float(gradient.square().sum()) for _, gradient in start))
    assert norm > 0.01
    factor = 1 if clip is None else clip / norm
    for found, (weight, gradient) in zip(fit(trainer, parts).phenotype.parameters(), start, strict=True):
        expected = weight - 0.5 * (factor * gradient + 0.1 * weight)
        torch.testing.assert_close(found.detach().double(), expected, rtol=1e-4, atol=1e-6)


def test_one_step_of_adamw():
    parts = parts_of()
    trainer = SurrogateGradient(epochs=1, batch=100, learning_rate=0.01, weight_decay=0.5)
    for found, (weight, gradient) in zip(
        fit(trainer, parts).phenotype.parameters(), gradient_of(QUICK, parts), strict=True
    ):
        step = gradient / (gradient.abs() + 1e-8)  # both moments of the first step, without their bias
        expected = weight - 0.01 * 0.5 * weight - 0.01 * step
        clear = gradient.abs() > 1e-5
        torch.testing.assert_close(found.detach().double()[clear], expected[clear], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_learning_rates(schedule, monkeypatch):
    rates = []
    step = torch.optim.SGD.step
    monkeypatch.setattr(torch.optim.SGD, "step", lambda self: (rates.append(self.param_groups[0]["lr"]), step(self))[1])
    fit(SurrogateGradient(epochs=3, batch=50, optimizer="sgd", learning_rate=0.2, schedule=schedule), parts_of())
    cosine = [0.1 * (1 + math.cos(math.pi * number / 6)) for number in range(6)]
    assert rates == pytest.approx(cosine if schedule == "cosine" else [0.2] * 6)


class BrokenLoss(Digits):
    """A loss that is not finite from the start."""

    def loss(self, outputs, targets):
        return super().loss(outputs, targets) * math.inf


class BrokenGradient(Digits):
    """A finite loss with a gradient that is not."""

    def loss(self, outputs, targets):
        return (outputs.mean() * 0).sqrt()


@pytest.mark.parametrize("task", [BrokenLoss(train=100), BrokenGradient(train=100)])
def test_what_is_not_finite_is_an_error(task):
    with pytest.raises(NotFiniteError, match="in epoch 0") as caught:
        fit(SurrogateGradient(epochs=1, batch=100), parts_of(), task=task)
    assert "learning rate" in caught.value.hint


def test_a_task_without_data_is_refused():
    class Simulation(Task):
        name = "simulation"

        def build(self, parts, streams):
            return None

        def score(self, phenotype, split, streams):
            return {}

    parts = parts_of()
    with pytest.raises(InputError, match="'surrogate-gradient' needs a task with data, and 'simulation'"):
        SurrogateGradient().fit(None, Simulation(), Session(parts, Streams(0)))


def test_no_training_leaves_a_phenotype_alone():
    phenotype = object()
    fitted = NoTraining().fit(phenotype, QUICK, Session(parts_of(), Streams(0)))
    assert fitted.phenotype is phenotype
    assert (fitted.history, fitted.samples, dict(fitted.checkpoint)) == ([], 0, {})


def test_products_may_be_rounded_to_bfloat16():
    parts = parts_of(network={"use": "conv", "channels": [4, 4]})
    exact, rounded, again = (
        fit(SurrogateGradient(epochs=2, batch=10, precision=precision), parts)
        for precision in ("float32", "bfloat16", "bfloat16")
    )
    assert same(weights(rounded), weights(again))
    assert not same(weights(rounded), weights(exact))
    assert all(tensor.dtype in {torch.float32, torch.int64} for tensor in weights(rounded).values())
    for one, other in zip(exact.history, rounded.history, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=0.05)
