"""Spikefront's metrics equal those of NeuroBench's harness on the same network and data.

Where the definitions differ, so do the tests: NeuroBench decides between accumulates and multiply-accumulates by the
values of a whole call (an input of 0, 1 and -1 is spikes), Spikefront by whole numbers and by what the coder says. So a
black-and-white image shown directly is spikes to NeuroBench and analog to Spikefront; the sum of two spikes is analog
to NeuroBench and counts twice with Spikefront. NeuroBench rounds connection sparsity to four decimals, and sees no
layer whose weight is generated.
"""

import importlib.util

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from spikefront.components.fitness import Context
from spikefront.components.parts import Parts
from spikefront.components.trainer import Fitted
from spikefront.genome import Genome
from spikefront.measure.recorder import record
from spikefront.randomness import Streams
from spikefront.spiking.layers import NeuronLayer
from spikefront_plugins.coders.direct import Direct as DirectCoder
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.fitness.activation_sparsity import ActivationSparsity
from spikefront_plugins.fitness.connection_sparsity import ConnectionSparsity
from spikefront_plugins.fitness.footprint import Footprint
from spikefront_plugins.fitness.parameters import Parameters
from spikefront_plugins.fitness.synaptic_operations import SynapticOperations
from spikefront_plugins.networks.conv import Conv
from spikefront_plugins.networks.mlp import MLP
from spikefront_plugins.networks.recurrent import Recurrent
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.synapses.dense import Dense

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("neurobench") is None, reason="NeuroBench is not here: pip install --no-deps neurobench"
)

T = 4
CASES = [
    (MLP(hidden=(40, 20)), (30,)),
    (MLP(hidden=(40,), batch_norm=True), (30,)),
    (Conv(channels=(6, 8), kernel=5), (2, 11, 12)),
    (Conv(channels=(6, 8), pooling="average"), (2, 12, 12)),
    (Conv(channels=(6,), pooling="none", head="average", batch_norm=False), (2, 7, 7)),
]


def build(network, shape):
    parts = Parts(network, (LIF(v_threshold=0.2),), ATan(), Dense(), DirectCoder(steps=T), Direct())
    built = parts.build(shape, 10, Streams(2)).eval()
    with torch.no_grad():
        for layer in built.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                layer.weight[torch.rand(layer.weight.shape, generator=torch.Generator().manual_seed(1)) < 0.4] = 0
    return parts, built


def images(*shape, spikes):
    values = torch.rand(*shape, generator=torch.Generator().manual_seed(3))
    return (values < 0.3).float() if spikes else values * (values > 0.5)


def ours(parts, network, data, analog):
    with torch.no_grad(), record(network, analog) as recorder:
        for batch in data.split(4):
            network(batch)
    fitted = Fitted(network)
    return Context(Genome({}), parts, None, fitted, {}, recorder.recording(T), Streams(0))


def theirs(network, data):
    from neurobench.benchmarks import Benchmark
    from neurobench.metrics import static, workload
    from neurobench.models import TorchModel

    class Wrapped(TorchModel):
        """NeuroBench knows snnTorch's neurons; ours are named to it."""

        def __init__(self, net):
            super().__init__(net)
            self.add_activation_module(NeuronLayer)

    metrics = [
        [static.ParameterCount, static.Footprint, static.ConnectionSparsity],
        [workload.ActivationSparsity, workload.SynapticOperations],
    ]
    loader = DataLoader(TensorDataset(data, torch.zeros(len(data))), batch_size=4)
    with torch.no_grad():
        return Benchmark(Wrapped(network), loader, [], [], metrics).run(quiet=True)


@pytest.mark.parametrize("spikes", [True, False], ids=["spikes", "analog"])
@pytest.mark.parametrize(("network", "shape"), CASES, ids=lambda value: getattr(value, "name", ""))
def test_all_metrics_agree(network, shape, spikes):
    parts, built = build(network, shape)
    data = images(10, *shape, spikes=spikes)
    context, expected = ours(parts, built, data, analog=not spikes), theirs(built, data)
    layers, operations = context.recording.synapses, expected["SynapticOperations"]
    assert layers[0].analog != spikes
    assert sum(layer.effective for layer in layers if layer.analog) == pytest.approx(operations["Effective_MACs"])
    assert sum(layer.effective for layer in layers if not layer.analog) == pytest.approx(operations["Effective_ACs"])
    total = operations["Effective_MACs"] + operations["Effective_ACs"]
    assert SynapticOperations().measure(context) == pytest.approx(total)
    assert SynapticOperations(count="dense").measure(context) == pytest.approx(operations["Dense"])
    assert 0 < total < operations["Dense"]
    assert ActivationSparsity().measure(context) == pytest.approx(expected["ActivationSparsity"])
    assert ConnectionSparsity().measure(context) == pytest.approx(expected["ConnectionSparsity"], abs=5e-5)
    assert Parameters().measure(context) == expected["ParameterCount"]
    assert Footprint().measure(context) == expected["Footprint"]


def test_operations_agree_where_a_network_runs_step_by_step():
    """NeuroBench hooks calls of neuron layers, which a recurrent network does not make: only operations compare."""
    parts, built = build(Recurrent(hidden=(20,)), (30,))
    data = images(8, 30, spikes=True)
    context, operations = ours(parts, built, data, analog=False), theirs(built, data)["SynapticOperations"]
    assert SynapticOperations().measure(context) == pytest.approx(operations["Effective_ACs"])
    assert SynapticOperations(count="dense").measure(context) == pytest.approx(operations["Dense"])


def test_a_binary_image_shown_directly_is_spikes_to_neurobench_and_analog_to_us():
    parts, built = build(MLP(hidden=(40,)), (30,))
    data = images(8, 30, spikes=True)
    first, second = ours(parts, built, data, analog=True).recording.synapses
    operations = theirs(built, data)["SynapticOperations"]
    assert first.analog
    assert operations["Effective_MACs"] == 0
    assert operations["Effective_ACs"] == pytest.approx(first.effective + second.effective)


def test_sums_of_spikes_are_analog_to_neurobench_and_count_double_with_us():
    parts, built = build(MLP(hidden=()), (30,))
    data = images(8, 30, spikes=True)
    doubled = ours(parts, built, 2 * data, analog=False).recording.synapses[0]
    operations = theirs(built, 2 * data)["SynapticOperations"]
    assert operations["Effective_ACs"] == 0
    assert not doubled.analog
    assert doubled.effective == pytest.approx(2 * operations["Effective_MACs"])
