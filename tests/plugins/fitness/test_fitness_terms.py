"""The built-in objectives and columns, on hand-made recordings and small networks."""

import pytest
import torch
from torch import nn

from spikefront import Fitness
from spikefront.components.fitness import Context
from spikefront.components.parts import Parts
from spikefront.components.trainer import Fitted
from spikefront.errors import InputError
from spikefront.genome import Genome
from spikefront.measure.recording import NeuronRecord, Recording, SynapseRecord
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront_plugins.coders.direct import Direct as DirectCoder
from spikefront_plugins.encodings.genetic import Genetic
from spikefront_plugins.fitness.accuracy import Accuracy
from spikefront_plugins.fitness.activation_sparsity import ActivationSparsity
from spikefront_plugins.fitness.approximate_energy import ApproximateEnergy
from spikefront_plugins.fitness.communication import Communication
from spikefront_plugins.fitness.connection_sparsity import ConnectionSparsity
from spikefront_plugins.fitness.energy import Energy
from spikefront_plugins.fitness.footprint import Footprint
from spikefront_plugins.fitness.latency import Latency
from spikefront_plugins.fitness.parameters import Parameters
from spikefront_plugins.fitness.r2 import R2
from spikefront_plugins.fitness.spikes import Spikes
from spikefront_plugins.fitness.synaptic_operations import SynapticOperations
from spikefront_plugins.networks.mlp import MLP
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.synapses.dense import Dense

TERMS = [
    Accuracy, ActivationSparsity, ApproximateEnergy, Communication, ConnectionSparsity, Energy, Footprint, Latency,
    Parameters, R2, Spikes, SynapticOperations,
]  # fmt: skip

RECORDING = Recording(
    samples=10,
    steps=4,
    synapses=(
        SynapseRecord("stem", analog=True, effective=300.0, dense=400.0, rate=0.4, flops=110.0),
        SynapseRecord("head", analog=False, effective=50.0, dense=800.0, rate=0.1, flops=220.0),
    ),
    neurons=(NeuronRecord("a", neurons=30, spikes=25.0, active=20.0), NeuronRecord("b", 20, 10.0, 10.0)),
)


def parts(encoding=None, steps=4):
    return Parts(
        MLP(hidden=(20,), batch_norm=True),
        (LIF(),),
        ATan(),
        Dense(),
        DirectCoder(steps=steps),
        encoding or Genetic(genes=2, origin="trained", tied=False),
    )


class AnyTask:
    name = "any-task"


def context(phenotype=None, recording=RECORDING, metrics=None, **arguments):
    made, fitted = parts(**arguments), Fitted(phenotype)
    return Context(Genome({}), made, AnyTask(), fitted, metrics or {}, recording, Streams(0))


def test_accuracy_is_the_tasks_metric():
    assert Accuracy().measure(context(metrics={"accuracy": 0.75, "loss": 1.0})) == 0.75


def test_communication_of_binary_layers_is_their_spikes_and_addresses_take_at_least_a_bit():
    layers = (NeuronRecord("a", 64, 25.0, 25.0), NeuronRecord("b", 65, 3.0, 3.0), NeuronRecord("c", 1, 2.0, 2.0))
    recording = Recording(samples=1, steps=2, neurons=layers)
    assert Communication().measure(context(recording=recording)) == 30
    assert Communication(count="bits").measure(context(recording=recording)) == 25 * 6 + 3 * 7 + 2
    assert Communication(count="width").measure(context(recording=recording)) == 2 * 130


def test_r2_is_the_tasks_metric_and_refused_where_it_has_none():
    assert R2().measure(context(metrics={"r2": -0.25, "loss": 1.25})) == -0.25
    with pytest.raises(InputError, match=r"'any-task' is no regression(.|\n)*: accuracy"):
        R2().measure(context(metrics={"accuracy": 1.0}))


def test_accuracy_of_a_task_without_it_is_refused():
    with pytest.raises(InputError, match=r"'any-task' has no metric 'accuracy'(.|\n)*: nmse, snr"):
        Accuracy().measure(context(metrics={"snr": 1.0, "nmse": 2.0}))


@pytest.mark.parametrize(("term", "expected"), [
    (Energy(), 4.6 * 400 + 0.9 * 50),
    (Energy(analog_input="once"), 4.6 * 100 + 0.9 * 50),
    (Energy(model="horowitz-45nm-fp16"), 1.5 * 400 + 0.4 * 50),
    (Energy(model="horowitz-45nm-int8"), 0.23 * 400 + 0.03 * 50),
    (ApproximateEnergy(), 4.6 * 4 * 110 + 0.9 * 0.1 * 4 * 220),
    (ApproximateEnergy(analog_input="once", model="horowitz-45nm-fp16"), 1.5 * 110 + 0.4 * 0.1 * 4 * 220),
    (SynapticOperations(), 350),
    (SynapticOperations(count="dense"), 1200),
    (Spikes(), 35),
    (Communication(), 4 * 30 + 10),  # spikes of the first layer are no ones: bursts
    (Communication(count="width"), 4 * 50),
    (Communication(count="bits"), 4 * 30 * 32 + 10 * 5),
    (ActivationSparsity(), 1 - 30 / (4 * 50)),
])  # fmt: skip
def test_terms_of_a_recording(term, expected):
    assert term.measure(context()) == pytest.approx(expected)


@pytest.mark.parametrize("term", [
    Energy(), ApproximateEnergy(), SynapticOperations(), Spikes(), ActivationSparsity(), Communication(),
])  # fmt: skip
def test_terms_without_a_recording_mean_nothing(term):
    assert term.measure(context(recording=Recording())) is None


@pytest.mark.parametrize("term", [Parameters(), Footprint(), ConnectionSparsity()])
def test_terms_without_a_network_mean_nothing(term):
    assert term.measure(context(phenotype={"placement": [1, 2]})) is None


def test_latency_is_the_coders_number_of_steps():
    assert Latency().measure(context(steps=7)) == 7


def test_parameters_are_what_the_encoding_says():
    encoding = Genetic(genes=2, variant="per-tap", tied=False)
    array = {"encoding": {"interactions": torch.zeros(1, 9, 2, 2).numpy()}}
    made = Parts(MLP(hidden=(20,), batch_norm=True), (LIF(),), ATan(), Dense(), DirectCoder(), encoding, array)
    network = made.build((30,), 5, Streams(0))
    expected = 2 * (20 + 30) + 2 * 20 + 2 * (5 + 20) + 5 + 2 * 2
    assert Parameters().measure(context(network, encoding=encoding)) == expected


def test_footprint_counts_parameters_and_buffers_in_bytes():
    network = parts().build((30,), 5, Streams(0))
    trained = 2 * (20 + 30) + 2 * 20 + 2 * (5 + 20) + 5 + 2 * 2
    statistics = 4 * (20 + 20) + 8  # mean, variance and an int64 counter of the batch normalisation
    assert Footprint().measure(context(network)) == 4 * trained + statistics


def test_connection_sparsity_counts_weights_as_they_are_used():
    network = parts().build((30,), 5, Streams(0))
    assert ConnectionSparsity().measure(context(network)) == 0
    nn.init.zeros_(network.body[0].module.parametrizations.weight.original0)
    assert ConnectionSparsity().measure(context(network)) == pytest.approx(600 / 700)


def test_connection_sparsity_of_no_connections_means_nothing():
    assert ConnectionSparsity().measure(context(nn.Identity())) is None


@pytest.mark.parametrize("contract", TERMS)
def test_they_come_through_the_hook_with_direction_and_unit(contract):
    assert load().get(Fitness, contract.name) is contract
    shares = contract in (Accuracy, ActivationSparsity, ConnectionSparsity)
    assert contract.direction == ("maximize" if shares or contract is R2 else "minimize")
    assert contract.bounds == ((0.0, 1.0) if shares else None)
    assert not contract.uses_elite
