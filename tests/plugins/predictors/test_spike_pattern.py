"""The spike-pattern score: the published formula, its invariances, and samples that nothing tells apart."""

import math

import numpy as np
import pytest
import torch

from spikefront.evaluate import evaluate
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.specification import Specification
from spikefront_plugins.predictors.spike_pattern import pattern_score


def random_patterns(*shape: int, rate: float = 0.15, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(*shape, generator=generator) < rate).float()


def by_hand(layers: list[np.ndarray], sparsity_aware: bool = True) -> float:
    """Return ln |det K| in float64, one term after the other, from the equation."""
    samples = layers[0].shape[1]
    kernel, terms = np.zeros((samples, samples)), 0
    for layer in layers:
        for step in layer.astype(np.float64):
            neurons = step.shape[1]
            for i in range(samples):
                for j in range(samples):
                    r, s = step[i].mean(), step[j].mean()
                    distance = (step[i] * (1 - step[j]) + (1 - step[i]) * step[j]).sum()
                    scale = 2 * (neurons * (r * (1 - s) + (1 - r) * s) + 1e-3) if sparsity_aware else 1
                    kernel[i, j] += neurons - distance / scale
            terms += 1
    sign, logarithm = np.linalg.slogdet(kernel / terms)
    assert sign > 0
    return float(logarithm)


def test_the_formula() -> None:
    layers = [random_patterns(3, 6, 40), random_patterns(3, 6, 12, rate=0.4, seed=1)]
    expected = by_hand([layer.numpy() for layer in layers])
    assert pattern_score(layers) == pytest.approx(expected, abs=1e-9)
    pieces = [layer[t : t + 1] for layer in layers for t in range(3)]
    assert pattern_score(pieces) == pytest.approx(expected, abs=1e-9)


def test_the_plain_hamming_distance() -> None:
    layers = [random_patterns(3, 6, 40), random_patterns(3, 6, 12, rate=0.4, seed=1)]
    expected = by_hand([layer.numpy() for layer in layers], sparsity_aware=False)
    assert pattern_score(layers, "hamming") == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_random_patterns_of_known_size(seed: int) -> None:
    x = random_patterns(1, 64, 4096, seed=seed)
    assert pattern_score([x]) == pytest.approx(-31.7, abs=0.3)
    assert pattern_score([x], "hamming") == pytest.approx(449.7, abs=1.5)


def test_neither_the_order_of_neurons_nor_that_of_samples_matters() -> None:
    x = random_patterns(2, 16, 300)
    generator = torch.Generator().manual_seed(5)
    neurons, samples = torch.randperm(300, generator=generator), torch.randperm(16, generator=generator)
    assert pattern_score([x[..., neurons]]) == pytest.approx(pattern_score([x]), abs=1e-9)
    assert pattern_score([x[:, samples]]) == pytest.approx(pattern_score([x]), abs=1e-6)
    assert pattern_score([x.unflatten(2, (3, 10, 10))]) == pattern_score([x])


def test_bursts_count_as_spikes() -> None:
    x = random_patterns(2, 8, 50)
    assert pattern_score([x * 3]) == pattern_score([x])


def test_a_layer_with_more_neurons_has_the_larger_score() -> None:
    """The determinant is about N B times the product of B - 1 values near 1/2: the score grows by ln N."""
    scores = [pattern_score([random_patterns(1, 32, neurons)]) for neurons in (2048, 4096, 8192)]
    assert np.diff(scores) == pytest.approx([math.log(2)] * 2, abs=0.5)


def test_equal_patterns_and_silence_rank_last() -> None:
    x = random_patterns(2, 16, 300)
    x[:, 3] = x[:, 11]
    assert pattern_score([x]) == -math.inf
    assert pattern_score([torch.zeros(2, 16, 300)]) == -math.inf
    assert pattern_score([]) == -math.inf
    assert math.isfinite(pattern_score([x, random_patterns(1, 16, 64, seed=1)]))


def score(network: dict[str, object], **options: object) -> tuple[float | None, ...]:
    document = {
        "study": {"name": "digits", "objectives": ["accuracy"], "replicates": 2},
        "task": {"use": "digits", "train": 100, "validation": 30},
        "network": network,
        "trainer": {"epochs": 1},
        "search": {"generations": 1, "screening": {"use": "spike-pattern", **options}},
    }
    study = Specification.from_document(document, load())
    job = Job(study.to_json(), study.space.genome({}), replicates=(0, 1), budget=0.0)
    evaluation = evaluate(job, load())
    assert evaluation.failure is None, evaluation.failure
    return evaluation.measurements["spike-pattern"].values


@pytest.mark.parametrize(
    "network",
    [{"use": "mlp", "hidden": [64]}, {"use": "conv", "channels": [4, 8]}, {"use": "recurrent", "hidden": [64]}],
    ids=lambda network: network["use"],
)
def test_every_replicate_has_a_score_of_its_own(network: dict[str, object]) -> None:
    first, second = score(network, batch=8)
    assert first is not None
    assert second is not None
    assert first != second
    assert score(network, batch=8) == (first, second)
    assert score(network, batch=8, seeds=2) != (first, second)


def test_a_network_that_cannot_tell_samples_apart_has_no_score() -> None:
    assert score({"use": "mlp", "hidden": [1]}, batch=32) == (None, None)


def test_a_larger_batch_than_there_are_samples() -> None:
    assert None not in score({"use": "conv", "channels": [8]}, batch=64, batches=9)
