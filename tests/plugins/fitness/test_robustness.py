"""Robustness, on networks whose accuracy under each perturbation is known."""

import math
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from spikefront import Fitness, SupervisedTask, Task
from spikefront.components import Context, Data, Fitted, Split
from spikefront.errors import InputError
from spikefront.evaluate import evaluate
from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.specification import Specification
from spikefront.spiking.layers import NeuronLayer
from spikefront.testing._bench import PARTS, BenchNeuron
from spikefront.testing.fitness import bench_context
from spikefront_plugins.fitness.robustness import (
    NoiseRobustness,
    Robustness,
    SaltAndPepperRobustness,
    SpikeRobustness,
    perturbed_accuracy,
)
from spikefront_plugins.networks.recurrent import Recurrent
from spikefront_plugins.neurons.noisy_lif import NoisyLIF
from spikefront_plugins.surrogates.atan import ATan

SAMPLES = 8_000
TERMS = [Robustness, NoiseRobustness, SaltAndPepperRobustness, SpikeRobustness]


class Signs(SupervisedTask):
    """Half of the inputs are -1, of class 0, and half +1, of class 1."""

    name: ClassVar[str] = "signs"
    metric: str = "accuracy"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def outputs(self) -> int:
        return 2

    def data(self, split: Split) -> Data:
        targets = torch.arange(SAMPLES) % 2
        return Data(2.0 * targets.unsqueeze(1) - 1, targets)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.sum()

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return {self.metric: (outputs.mean(0).argmax(1) == targets).float()}


class Sign(nn.Module):
    """Votes for class 1 where the input is above 0, or where a neuron fires that gets it."""

    def __init__(self, neuron: nn.Module | None = None) -> None:
        super().__init__()
        self.neuron = neuron or nn.Identity()

    def forward(self, data: Tensor) -> Tensor:
        x = self.neuron(data.unsqueeze(0))
        return torch.cat([torch.full_like(x, 0.25), x], dim=2)


def spiking(model: Any = None) -> Sign:
    return Sign(NeuronLayer(model or BenchNeuron(threshold=0.25), ATan(), (1,), 1, torch.Generator()))


def context(network: Any, task: Task | None = None, seed: int = 0) -> Context:
    return replace(bench_context(PARTS), fitted=Fitted(network), task=task or Signs(), streams=Streams(seed))


def assert_accuracy(found: float | None, expected: float, passes: int) -> None:
    assert found == pytest.approx(expected, abs=3 * math.sqrt(expected * (1 - expected) / (passes * SAMPLES)))


@pytest.mark.parametrize("size", [0.5, 1.0])
def test_noise_has_the_given_standard_deviation(size: float) -> None:
    limit = 1 - 0.25  # distance of +1, and of -1 on the other side, to where the vote changes
    expected = (stats.norm.cdf(limit / size) + stats.norm.cdf((1 + 0.25) / size)) / 2
    assert_accuracy(NoiseRobustness(size=size, passes=4).measure(context(Sign())), expected, 4)


@pytest.mark.parametrize("size", [0.03, 0.4, 1.0])
def test_half_of_the_salted_inputs_become_the_other_extreme(size: float) -> None:
    assert_accuracy(SaltAndPepperRobustness(size=size, passes=4).measure(context(Sign())), 1 - size / 2, 4)


def test_salt_is_as_likely_as_pepper_and_the_rest_stays() -> None:
    task = Signs()
    values = torch.linspace(0.2, 0.9, SAMPLES).unsqueeze(1)
    seen: list[Tensor] = []
    network = Sign()
    network.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    data = Data(values, task.data("validation").targets)
    perturbed_accuracy(network, task, data, "salt-and-pepper", 0.2, torch.Generator().manual_seed(0))
    salted = torch.cat(seen)
    for extreme in (0.2, 0.9):
        assert_accuracy(float((salted == extreme).double().mean()), 0.1, 1)
    assert_accuracy(float((salted == values).double().mean()), 0.8, 1)


@pytest.mark.parametrize("size", [0.1, 0.7])
def test_a_flipped_spike_is_the_other_answer(size: float) -> None:
    assert_accuracy(SpikeRobustness(size=size, passes=4).measure(context(spiking())), 1 - size, 4)
    assert SpikeRobustness(size=size, passes=1).measure(context(Sign())) == 1  # no neuron, no spike to flip


def test_all_spikes_flipped_are_all_answers_wrong() -> None:
    assert SpikeRobustness(size=1, passes=1).measure(context(spiking())) == 0


@pytest.mark.parametrize("term", TERMS)
def test_nothing_is_lost_without_a_perturbation(term: type[Fitness]) -> None:
    sizes = [name for name in term.model_fields if name != "passes"]
    assert term(**dict.fromkeys(sizes, 0), passes=2).measure(context(spiking())) == 1


def test_robustness_is_the_mean_of_the_others() -> None:
    one = context(spiking())
    apart = [NoiseRobustness(), SaltAndPepperRobustness(), SpikeRobustness()]
    assert Robustness().measure(one) == pytest.approx(sum(term.measure(one) for term in apart) / 3, abs=1e-12)


def test_a_burst_is_lost_and_silence_becomes_one_spike() -> None:
    """A spike of 3 that is flipped is 0; a 0 that is flipped is 1, and not 3."""

    class Burst(BenchNeuron):
        name = "burst"

        def sequence(self, x, state, trained, surrogate, generator):
            return 3 * (x > 0).to(x.dtype), state

    network, seen = spiking(Burst()), []
    network.neuron.register_forward_hook(lambda module, inputs, output: seen.append(output))
    SpikeRobustness(size=0.5, passes=1).measure(context(network))
    spikes, targets = torch.cat(seen, 1).flatten(), torch.arange(SAMPLES) % 2
    assert set(spikes[targets == 1].tolist()) == {0.0, 3.0}
    assert set(spikes[targets == 0].tolist()) == {0.0, 1.0}


def test_networks_that_run_step_by_step_are_flipped_too() -> None:
    one = bench_context(replace(PARTS, network=Recurrent(hidden=(16,))))
    values = {size: SpikeRobustness(size=size, passes=4).measure(one) for size in (0.0, 1.0)}
    assert values[0.0] != values[1.0]


def test_passes_differ_and_seeds_differ_and_nothing_else_does() -> None:
    one = context(spiking())
    single, twice = (SpikeRobustness(passes=passes).measure(one) for passes in (1, 2))
    assert single != twice
    assert SpikeRobustness(passes=2).measure(one) == twice
    assert SpikeRobustness(passes=2).measure(context(spiking(), seed=1)) != twice


def test_noisy_neurons_draw_anew_in_each_pass() -> None:
    """Without a perturbation all that differs between passes is the neurons' own noise: F(x - threshold)."""
    network = spiking(NoisyLIF(scale=1.0, v_threshold=1.0))
    values = [NoiseRobustness(size=0, passes=passes).measure(context(network)) for passes in (1, 2, 4)]
    assert len(set(values)) == 3
    assert_accuracy(values[-1], (stats.norm.cdf(0) + 1 - stats.norm.cdf(-2)) / 2, 4)


@pytest.mark.parametrize("metric", ["accuracy", "nmse"])
def test_the_network_is_as_it_was_also_after_an_error(metric: str) -> None:
    network = spiking().train()
    network.neuron.eval()
    model = network.neuron.model
    draw = torch.Generator().manual_seed(0)
    task = Signs(metric=metric)
    try:
        perturbed_accuracy(network, task, task.data("validation"), "spikes", 0.1, draw)
    except InputError as error:
        assert metric == "nmse"
        assert "'signs'" in str(error)  # noqa: PT017  both outcomes are looked at
    assert network.neuron.model is model
    assert (network.training, network.neuron.training) == (True, False)


def test_the_inputs_of_the_task_stay() -> None:
    task = Signs()
    data = task.data("validation")
    before = data.inputs.clone()
    for kind in ("noise", "salt-and-pepper"):
        perturbed_accuracy(Sign(), task, data, kind, 0.5, torch.Generator().manual_seed(0))
    assert torch.equal(data.inputs, before)


@pytest.mark.parametrize("term", TERMS)
def test_where_it_means_nothing(term: type[Fitness]) -> None:
    class NoData(Task):
        name = "no-data"

        def build(self, parts, streams):
            return None

        def score(self, phenotype, split, streams):
            return {}

    assert term().measure(context({"placement": [1]})) is None
    with pytest.raises(InputError, match="needs a task with data, and 'no-data' has none"):
        term().measure(context(Sign(), NoData()))


def test_a_study_measures_the_same_beside_it() -> None:
    """Neither the recording nor the noise of the other terms sees that robustness is measured."""
    document = {
        "study": {"name": "small", "objectives": ["accuracy", "energy"], "columns": ["spikes"]},
        "task": {"use": "digits", "train": 100, "validation": 100},
        "network": {"hidden": [12]},
        "neuron": {"use": "noisy-lif"},
        "trainer": {"epochs": 2, "batch": 20},
        "search": {"generations": 1},
    }
    more = {"study": {**document["study"], "columns": [{"use": "robustness", "passes": 2}, "spikes"]}}
    found = []
    for one in (document, document | more):
        study = Specification.from_document(one, load())
        evaluation = evaluate(Job(study.to_json(), Genome({})), study.registry)
        assert evaluation.failure is None
        found.append(evaluation)
    assert 0 < found[1].measurements["robustness"].mean <= 1
    for name, value in found[0].measurements.items():
        assert found[1].measurements[name] == value
    assert found[0].recording == found[1].recording
    assert found[0].weights == found[1].weights


def test_the_terms_come_through_the_hook() -> None:
    for term in TERMS:
        assert load().get(Fitness, term.name) is term
        assert (term.direction, term.bounds, term.unit) == ("maximize", (0.0, 1.0), "1")
