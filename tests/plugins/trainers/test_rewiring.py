"""Rewiring: density holds at every step, what is pruned stays silent, what grows starts at nothing."""

import math

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from spikefront.components import Session
from spikefront.errors import InputError
from spikefront.randomness import Streams
from spikefront.testing._bench import PARTS, BenchTask
from spikefront_plugins.encodings._masks import masked_weights
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.encodings.sparse import Sparse
from spikefront_plugins.trainers.rewiring import Rewiring
from spikefront_plugins.trainers.surrogate_gradient import SurrogateGradient

OPTIONS = {"epochs": 4, "batch": 8, "learning_rate": 0.02, "weight_decay": 0.1}
STEPS = 4 * 6
STILL = {"optimizer": "sgd", "learning_rate": 1e-30, "weight_decay": 0.0}
"""With these, weights stay."""

RULES = [(prune, grow) for prune in ("magnitude", "gradient") for grow in ("random", "gradient")]


def parts_of(encoding):
    return type(PARTS)(**(vars(PARTS) | {"encoding": encoding}))


def fit(trainer, encoding, **session):
    parts, task = parts_of(encoding), BenchTask()
    streams = Streams(1)
    return trainer.fit(task.build(parts, streams), task, Session(parts, streams, **session))


def weights(fitted):
    return [m.weight.detach().clone() for m in fitted.phenotype.modules() if isinstance(m, nn.Linear)]


def masks(network):
    return [weight.mask.kept.clone() for weight in masked_weights(network)]


def watched(**options):
    """Return a trainer, and a list that it fills with what there is before and after each step's rewiring."""
    seen = []

    class Watched(Rewiring):
        def after_step(self, network, optimizer, session, step, steps):
            before = snapshot(network, optimizer)
            super().after_step(network, optimizer, session, step, steps)
            seen.append((step, steps, before, snapshot(network, optimizer)))

    return Watched(**{**OPTIONS, "every": 4, **options}), seen


def snapshot(network, optimizer):
    """Return for each weight: mask, values, dense gradient, and what the optimiser knows of it."""
    return [
        (
            one.mask.kept.clone(),
            one.values.detach().clone(),
            None if one.mask.gradient is None else one.mask.gradient.clone(),
            [v.clone() for v in optimizer.state[one.values].values() if v.shape == one.values.shape],
        )
        for one in masked_weights(network)
    ]


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize(("prune", "grow"), RULES)
def test_density_holds_at_every_step(prune, grow, optimizer):
    trainer, seen = watched(prune=prune, grow=grow, optimizer=optimizer)
    fitted = fit(trainer, Sparse(density=0.3))
    assert [step for step, *_ in seen] == list(range(1, STEPS + 1))
    start = [int(mask.sum()) for mask, *_ in seen[0][2]]
    changed = []
    for step, steps, before, after in seen:
        assert steps == STEPS
        assert [int(mask.sum()) for mask, *_ in after] == start
        if any(not torch.equal(old[0], new[0]) for old, new in zip(before, after, strict=True)):
            changed.append(step)
        for (old, _, _, _), (new, values, _, moments) in zip(before, after, strict=True):
            assert new.any(1).all()
            grown, pruned = new & ~old, old & ~new
            assert int(grown.sum()) == int(pruned.sum())
            assert not values[grown | pruned].any()
            assert moments
            assert not any(moment[grown | pruned].any() for moment in moments)
    assert changed == [4, 8, 12]  # until 18, and at 16 the cosine is so small that no whole connection is left
    for weight, mask in zip(weights(fitted), masks(fitted.phenotype), strict=True):
        assert not weight[~mask].any()


def test_neither_decay_nor_momentum_revives_what_was_pruned():
    """Values of what is not kept stay exactly zero from a layer's first rewiring to the end."""
    trainer, seen = watched(optimizer="sgd", momentum=0.9, weight_decay=0.5, learning_rate=0.1, every=1)
    fit(trainer, Sparse(density=0.3))
    moved = [values[~mask].abs().max() for _, _, before, _ in seen[1:] for mask, values, *_ in before[:2]]
    assert not torch.stack(moved).any()


@pytest.mark.parametrize(("prune", "grow"), RULES)
def test_one_rewiring_by_hand(prune, grow):
    """The weakest go, the strongest gradients come; what is left of each output's inputs is its best."""
    trainer, seen = watched(prune=prune, grow=grow, every=1, alpha=0.5, decay="constant")
    fit(trainer, Sparse(density=0.5, distribution="uniform"))
    for _, _, before, after in seen[:6]:
        for (old, values, gradient, _), (new, *_) in zip(before, after, strict=True):
            number = min(math.floor(0.5 * int(old.sum())), int((~old).sum()))
            assert int((old & ~new).sum()) == number
            strength = (values if prune == "magnitude" else gradient).abs()
            best = torch.zeros_like(old)
            for row in range(len(old)):
                best[row, max((c for c in range(old.shape[1]) if old[row, c]), key=lambda c: strength[row, c])] = True
            assert (new | ~(best & old)).all()
            gone, stayed = strength[old & ~new], strength[old & new & ~best]
            assert not len(stayed) or gone.max() <= stayed.min()
            if grow == "gradient":
                left = gradient.abs()[~old & ~new]
                assert not len(left) or gradient.abs()[new & ~old].min() >= left.max()


@pytest.mark.parametrize(("progress", "expected"), [(0, 0.3), (0.25, 0.2561), (0.5, 0.15), (0.75, 0.0439), (1, 0.0)])
def test_share_falls_as_a_cosine(progress, expected):
    assert Rewiring(alpha=0.3).share(progress) == pytest.approx(expected, abs=5e-5)
    assert Rewiring(alpha=0.3, decay="constant").share(progress) == 0.3


@pytest.mark.parametrize(("optimizer", "grow"), [("adamw", "random"), ("sgd", "gradient")])
def test_density_1_is_dense_training_bit_for_bit(optimizer, grow):
    dense = fit(SurrogateGradient(**OPTIONS, optimizer=optimizer), Direct())
    sparse = fit(Rewiring(**OPTIONS, optimizer=optimizer, every=1, grow=grow), Sparse(density=1.0))
    assert all(torch.equal(a, b) for a, b in zip(weights(dense), weights(sparse), strict=True))
    assert dense.history == sparse.history


def test_without_alpha_the_mask_stays():
    still = fit(Rewiring(**OPTIONS, every=1, alpha=0.0, grow="gradient"), Sparse(density=0.3))
    plain = fit(SurrogateGradient(**OPTIONS), Sparse(density=0.3))
    moved = fit(Rewiring(**OPTIONS, every=1), Sparse(density=0.3))
    first = masks(BenchTask().build(parts_of(Sparse(density=0.3)), Streams(1)))
    assert all(torch.equal(a, b) for a, b in zip(weights(still), weights(plain), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(masks(still.phenotype), first, strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(masks(moved.phenotype), first, strict=True))


@pytest.mark.parametrize(
    "options",
    [
        {"grow": "gradient"},
        {"optimizer": "sgd", "grow": "random", "decay": "constant"},
        {"grow": "gradient", "prune": "gradient", "memory": 1e-5, "clip": 1.0},
        {"first_data": 0.4, "grow": "gradient"},
    ],
)
def test_going_on_from_a_checkpoint_equals_not_stopping(options):
    trainer = Rewiring(**OPTIONS, every=4, **options)
    whole, half = (fit(trainer, Sparse(density=0.3), budget=budget) for budget in (1.0, 0.25))
    rest = fit(trainer, Sparse(density=0.3), checkpoint=load(save(dict(half.checkpoint))))
    assert ("memory" in options) == (int(half.checkpoint["parts"]) > 1)
    for one, other in ((weights(whole), weights(rest)), (masks(whole.phenotype), masks(rest.phenotype))):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(masks(whole.phenotype), masks(half.phenotype), strict=True))


@pytest.mark.parametrize("memory", [None, 1e-5])
def test_the_dense_gradient_is_that_of_the_weight(memory):
    """Of each step alone, for entries that are kept and for the others, against autograd on dense weights."""
    trainer, seen = watched(epochs=2, batch=48, grow="gradient", memory=memory, **STILL)
    fit(trainer, Sparse(density=0.3))
    parts, task = parts_of(Sparse(density=0.3)), BenchTask()
    masked, dense = task.build(parts, Streams(1)), task.build(parts_of(Direct()), Streams(1))
    linear = [module for module in dense.modules() if isinstance(module, nn.Linear)]
    with torch.no_grad():
        for module, other in zip(linear, (m for m in masked.modules() if isinstance(m, nn.Linear)), strict=True):
            module.weight.copy_(other.weight)
            module.bias.copy_(other.bias)
    data = task.data("train")
    task.loss(dense.train()(data.inputs), data.targets).backward()
    assert len(seen) == 2
    for _, _, before, _ in seen:
        for module, (_, _, gradient, _) in zip(linear, before, strict=True):
            torch.testing.assert_close(gradient, module.weight.grad, rtol=1e-4, atol=1e-6)


def test_nothing_is_listened_to_afterwards():
    fitted = fit(Rewiring(**OPTIONS, every=4, grow="gradient"), Sparse(density=0.3))
    assert all(not one.mask.listening and one.mask.gradient is None for one in masked_weights(fitted.phenotype))


def test_each_rewiring_draws_anew():
    seeds = []

    class Watched(Rewiring):
        def _rewire(self, weight, optimizer, share, generator):
            seeds.append(generator.initial_seed())
            super()._rewire(weight, optimizer, share, generator)

    for seed in (1, 1, 2):
        parts, task, streams = parts_of(Sparse(density=0.3)), BenchTask(), Streams(seed)
        Watched(**OPTIONS, every=4).fit(task.build(parts, streams), task, Session(parts, streams))
    first, again, other = (seeds[start : start + 12] for start in (0, 12, 24))  # 4 rewirings of 3 layers
    assert first == again
    assert len(set(first)) == 4
    assert set(first).isdisjoint(other)


def test_a_network_without_masks_is_refused():
    with pytest.raises(InputError, match="encoding 'direct' has none") as error:
        fit(Rewiring(**OPTIONS), Direct())
    assert error.value.hint == "Use encoding 'sparse', or trainer 'surrogate-gradient'."
