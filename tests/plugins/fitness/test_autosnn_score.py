"""The score of AutoSNN against its printed values."""

from types import SimpleNamespace

import pytest

from spikefront.measure.recording import NeuronRecord, Recording
from spikefront_plugins.fitness.autosnn_score import AutoSNNScore


def scored(accuracy, *spikes, **settings):
    layers = tuple(NeuronRecord(str(n), neurons=10**6, spikes=s, active=s) for n, s in enumerate(spikes))
    context = SimpleNamespace(metrics={"accuracy": accuracy}, recording=Recording(10, 4, (), layers))
    return AutoSNNScore(**settings).measure(context)


@pytest.mark.parametrize(("accuracy", "spikes", "score"), [
    (0.9315, 310_000.0, 0.8574), (0.90, 55_000.0, 0.9513), (0.90, 110_000.0, 0.90),
])  # fmt: skip
def test_golden_values(accuracy, spikes, score):
    assert scored(accuracy, spikes) == pytest.approx(score, abs=5e-5)
    assert scored(accuracy, spikes / 4, 3 * spikes / 4) == scored(accuracy, spikes)


def test_a_silent_network_has_a_finite_score():
    assert scored(0.1, 0.0) == scored(0.1, 1.0) == pytest.approx(0.1 * 110_000**0.08)


def test_without_exponent_it_is_the_accuracy():
    assert scored(0.7, 5.0, exponent=0) == 0.7


def test_it_means_nothing_without_neurons_or_classes():
    assert scored(0.7) is None
    nothing = SimpleNamespace(metrics={"error": 0.1}, recording=Recording(10, 4, (), (NeuronRecord("a", 1, 1.0, 1.0),)))
    assert AutoSNNScore().measure(nothing) is None
