"""The synaptic flow of spiking networks: against sums over paths, on generated weights, without data."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from spikefront.evaluate import evaluate, streams_of
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.specification import Specification

STEPS = 3


def study_of(**sections: Any) -> Specification:
    document = {
        "study": {"name": "digits", "objectives": ["accuracy"]},
        "task": {"use": "digits", "train": 100, "validation": 30},
        "network": {"use": "mlp", "hidden": [12, 7]},
        "coder": {"steps": STEPS},
        "trainer": {"epochs": 1},
        "search": {"generations": 1, "screening": "synflow"},
        **sections,
    }
    return Specification.from_document(document, load())


def weights_of(study: Specification) -> list[np.ndarray]:
    """Return the magnitudes of a candidate's initial weights, as matrices, generated where an encoding does."""
    genome = genome_of(study)
    resolved = study.resolve(genome)
    network = resolved.task.build(resolved.parts, streams_of(study, genome, 0)).eval()
    layers = [module for module in network.modules() if isinstance(module, torch.nn.Linear | torch.nn.Conv2d)]
    return [layer.weight.detach().double().abs().numpy() for layer in layers]


def genome_of(study: Specification) -> Any:
    rng = np.random.default_rng(0)
    return study.space.genome({path: gene.domain.sample(rng) for path, gene in study.space.items()})


def flow(study: Specification) -> float:
    evaluation = evaluate(Job(study.to_json(), genome_of(study), budget=0.0), load())
    assert evaluation.failure is None, evaluation.failure
    value = evaluation.measurements["synflow"].mean
    assert value is not None
    return value


@pytest.mark.parametrize("encoding", [
    {"use": "direct"}, {"use": "genetic", "genes": 2}, {"use": "genetic", "genes": 2, "dropout": 0.5, "tied": True},
    {"use": "low-rank", "rank": 2}, {"use": "random-basis", "genes": 2},
], ids=["direct", "genetic", "genetic, dropout", "low-rank", "random-basis"])  # fmt: skip
def test_a_chain_of_layers_is_its_number_times_the_sum_over_all_paths(encoding: dict[str, Any]) -> None:
    study = study_of(encoding=encoding)
    first, second, third = weights_of(study)
    paths = (third @ second @ first).sum()
    assert flow(study) == pytest.approx(math.log(3 * paths), abs=1e-6)


def test_recurrent_connections_count_from_the_second_step() -> None:
    study = study_of(network={"use": "recurrent", "hidden": [9]}, coder={"steps": 2})
    forward, feedback, readout = weights_of(study)
    short, long = (readout @ forward).sum(), (readout @ feedback @ forward).sum()
    assert flow(study) == pytest.approx(math.log((2 * short + 2 * short + 3 * long) / 2), abs=1e-6)


def test_a_convolution_counts_each_position() -> None:
    study = study_of(network={"use": "conv", "channels": [2], "pooling": "none"})
    kernel, readout = weights_of(study)
    padded = np.pad(np.ones((1, 8, 8)), ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    channels = np.einsum("chwyx,ocyx->ohw", windows, kernel) / math.sqrt(1 + 1e-5)
    paths = (readout.reshape(10, 2, -1) * channels.reshape(1, 2, -1)).sum()
    assert flow(study) == pytest.approx(math.log(2 * paths), abs=1e-5)


def test_neither_steps_nor_neurons_nor_data_matter_to_a_chain() -> None:
    expected = flow(study_of())
    for section, value in (
        ("coder", {"use": "poisson", "steps": 7}),
        ("neuron", {"use": "plif", "v_threshold": 0.2}),
        ("task", {"use": "digits", "train": 50, "validation": 30, "split_seed": 4}),
    ):
        assert flow(study_of(**{section: value})) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("network", ["resnet", "vgg"])
def test_wider_networks_carry_more(network: str) -> None:
    widths: list[dict[str, Any]] = [{"blocks": [1, 1], "width": w} for w in (4, 8)]
    if network == "vgg":
        widths = [{"multiplier": 0.125}, {"multiplier": 0.25}]
    assert flow(study_of(network={"use": network, **widths[0]})) < flow(study_of(network={"use": network, **widths[1]}))
