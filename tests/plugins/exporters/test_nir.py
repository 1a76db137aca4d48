"""The exporter `nir`: other libraries read the graph and fire the same spikes, and the report says where not."""

from __future__ import annotations

import dataclasses
import json
import sys

import nir
import nirtorch
import numpy as np
import pytest
import snntorch
import torch
from exported_things import candidate, inputs
from snntorch.import_nir import import_from_nir as snntorch_from_nir
from spikingjelly.activation_based.nir_exchange import import_from_nir as spikingjelly_from_nir
from spikingjelly.activation_based.nir_exchange.from_nir import _NodeMapper
from torch import nn

from spikefront.errors import InputError, SpikefrontError
from spikefront.spiking.layers import Folded, NeuronLayer
from spikefront_plugins.exporters.nir import GRAPH, REPORT
from spikefront_plugins.exporters.nir import NeuromorphicIntermediateRepresentation as Exporter
from spikefront_plugins.networks.resnet import Residual

LIF = {"v_threshold": 0.11, "tau": 2.6}
CONV = {"use": "conv", "channels": [4, 6]}
AVERAGE = CONV | {"pooling": "average"}
LOOP = {"network": {"use": "recurrent", "hidden": [7]}}
SPIKINGJELLY = {
    "lif": {"neuron": LIF},
    "lif, input as it is": {"neuron": LIF | {"decay_input": False}},
    "if": {"neuron": {"use": "if", "v_threshold": 0.5}},
    "plif": {"neuron": LIF | {"use": "plif"}},
    "cuba-lif": {"neuron": LIF | {"use": "cuba-lif", "v_threshold": 0.8, "decay_input": False}},
    "a model a layer": {"neuron": [{"use": "if", "v_threshold": 0.5}, LIF | {"use": "lif"}]},
    "genetic": {"encoding": {"use": "genetic", "genes": 6}},
    "normalised": {"network": {"use": "mlp", "hidden": [12, 9], "batch_norm": True}},
    "average pooling": {"network": AVERAGE},
    "without normalisation": {"network": AVERAGE | {"batch_norm": False}},
    "genetic convolutions": {"network": AVERAGE, "encoding": {"use": "genetic", "genes": 4}},
    "average of channels": {"network": AVERAGE | {"head": "average", "kernel": 5}},
    "residual": {"network": {"use": "resnet", "blocks": [1, 1], "width": 3}},
    "loop": LOOP,
}
SNNTORCH = {
    "lif": LIF,
    "lif, input as it is": LIF | {"decay_input": False},
    "cuba-lif": LIF | {"use": "cuba-lif", "decay_input": False, "v_threshold": 0.8},
}


def exported(folder, dt=1.0, **sections):
    """Return candidate, graph read back, and report."""
    what = candidate(**sections)
    assert Exporter(dt=dt).export(what, folder) == [folder / GRAPH, folder / REPORT]
    assert sorted(path.name for path in folder.iterdir()) == [GRAPH, REPORT]
    return what, nir.read(folder / GRAPH), json.loads((folder / REPORT).read_text())


def ours(network, x):
    """Return outputs and the share of ones among all spikes."""
    shares = []
    for module in network.modules():
        if isinstance(module, NeuronLayer):
            module.listeners.append(lambda spikes: shares.append(float(spikes.mean())))
    with torch.no_grad():
        return network.body(x), shares


def stepped(network, x):
    """Run a network of nirtorch step by step, with its state."""
    state, outputs = None, []
    with torch.no_grad():
        for step in x:
            y, state = network(step, state)
            outputs.append(y)
    return torch.stack(outputs)


def assert_same(theirs, expected, shares):
    assert all(0.01 < share < 0.99 for share in shares), shares
    torch.testing.assert_close(theirs, expected, rtol=0, atol=1e-5)  # one spike more would change it by a weight


@pytest.mark.parametrize("case", SPIKINGJELLY)
def test_spikingjelly_fires_the_same_spikes(case, tmp_path):
    what, _, report = exported(tmp_path, **SPIKINGJELLY[case])
    network = what.phenotype()
    x = inputs(network)
    expected, shares = ours(network, x)
    assert_same(stepped(spikingjelly_from_nir(tmp_path / GRAPH, dt=1.0), x), expected, shares)
    assert report["grade"] == ("approximate" if case == "loop" else "faithful")


@pytest.mark.parametrize("case", SNNTORCH)
def test_snntorch_fires_the_same_spikes(case, tmp_path):
    """It takes one sample at a time, as its Flatten would flatten the batch too, and has its own unit of time."""
    what, graph, _ = exported(tmp_path, dt=1e-4, neuron=SNNTORCH[case])
    network, theirs = what.phenotype(), snntorch_from_nir(graph)
    x = inputs(network, samples=4)
    expected, shares = ours(network, x)
    for sample in range(x.shape[1]):
        for module in theirs.modules():
            if isinstance(module, snntorch.Leaky | snntorch.Synaptic):
                module.reset_mem()
        assert_same(stepped(theirs, x[:, sample]), expected[:, sample], shares)


class Threshold(nn.Module):
    """What NIR says of its node: 1 where v > threshold."""

    def __init__(self, node):
        super().__init__()
        self.threshold = torch.from_numpy(node.threshold)

    def forward(self, v):
        return (v > self.threshold).to(v.dtype)


def test_the_maximum_of_spikes_is_a_sum_with_a_threshold(tmp_path):
    what, graph, report = exported(tmp_path, network=CONV)
    network = what.phenotype()
    x = inputs(network)
    expected, shares = ours(network, x)
    readers = _NodeMapper(dt=1.0).map_dict | {nir.Threshold: Threshold}
    assert_same(stepped(nirtorch.nir_to_torch(graph, readers), x), expected, shares)
    assert report["grade"] == "faithful"
    assert sum(isinstance(node, nir.Threshold) for node in graph.nodes.values()) == 2


def test_the_unit_of_time_is_a_parameter(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "seconds").mkdir()
    what, one, _ = exported(tmp_path / "one", neuron=LIF)
    _, seconds, report = exported(tmp_path / "seconds", dt=0.001, neuron=LIF)
    assert report["dt"] == 0.001
    assert seconds.metadata["dt"] == 0.001
    (before,) = {float(node.tau.flat[0]) for node in one.nodes.values() if isinstance(node, nir.LIF)}
    (after,) = {float(node.tau.flat[0]) for node in seconds.nodes.values() if isinstance(node, nir.LIF)}
    assert (before, after) == (pytest.approx(2.6), pytest.approx(0.0026))
    network = what.phenotype()
    x = inputs(network)
    assert_same(stepped(spikingjelly_from_nir(seconds, dt=0.001), x), *ours(network, x))


def test_parameters_are_those_of_the_network_bit_for_bit(tmp_path):
    what, graph, report = exported(tmp_path, neuron=LIF, encoding={"use": "genetic", "genes": 6})
    linear = [m.module for m in what.phenotype().modules() if isinstance(m, Folded) and isinstance(m.module, nn.Linear)]
    nodes = [
        graph.nodes[layer["node"]] for layer in report["layers"] if layer["module"] in {"Linear", "FactoredLinear"}
    ]
    assert len(nodes) == len(linear) == 3
    assert any(layer["module"] == "FactoredLinear" for layer in report["layers"])
    for node, module in zip(nodes, linear, strict=True):
        assert node.weight.dtype == np.float32
        assert np.array_equal(node.weight, module.weight.detach().numpy())
        assert np.array_equal(node.bias, module.bias.detach().numpy())
    for node in graph.nodes.values():
        if isinstance(node, nir.LIF):
            assert {float(n) for n in node.v_threshold} == {float(np.float32(0.11))}
            assert not node.v_reset.any()
    assert report["round_trip"] == {"nodes": 8, "edges": 7, "values": 29, "equal": True}


def test_the_report_grades_every_layer(tmp_path):
    what, graph, report = exported(tmp_path, network=CONV)
    layers = report["layers"]
    kinds = ["Conv2d", "BatchNorm2d", "lif", "MaxPool2d"] * 2 + ["Flatten", "Linear"]
    assert [layer["module"] for layer in layers] == kinds
    modules = dict(what.phenotype().named_modules())
    assert all(layer["layer"] in modules and layer["node"] in graph.nodes and layer["reason"] for layer in layers)
    assert layers[0]["node"] == layers[1]["node"], "folded"
    assert report["input"] == {"shape": [1, 8, 8], "steps": 6, "coder": {"use": "direct", "steps": 6}}
    assert report["output"] == {"shape": [10]}
    assert any(">=" in sentence for sentence in report["reading"])


def test_a_soft_reset_is_approximate_and_read_as_a_hard_one(tmp_path):
    what, _, report = exported(tmp_path, neuron=LIF | {"reset": "soft", "decay_input": False})
    graded = {layer["module"]: (layer["grade"], layer["reason"]) for layer in report["layers"]}
    assert report["grade"] == graded["lif"][0] == "approximate"
    assert "subtracts the threshold" in graded["lif"][1]
    network = what.phenotype()
    x = inputs(network)
    theirs = stepped(spikingjelly_from_nir(tmp_path / GRAPH, dt=1.0), x)
    assert not torch.allclose(theirs, ours(network, x)[0], atol=1e-3)
    for module in network.modules():
        if isinstance(module, NeuronLayer):
            module.model = module.model.model_copy(update={"reset": "hard"})
    assert_same(theirs, *ours(network, x))


def test_what_cannot_be_written_is_named_in_one_message_and_nothing_is_written(tmp_path):
    neurons = [{"use": "alif"}, {"use": "izhikevich"}]
    with pytest.raises(InputError) as refusal:
        Exporter().export(candidate(neuron=neurons, budget=0.0), tmp_path)
    message = refusal.value.message
    assert "candidate 5 of 'exported'" in message
    assert "body.2 (alif)" in message
    assert "body.4 (izhikevich)" in message
    assert "Linear" not in message
    assert list(tmp_path.iterdir()) == []


def test_the_maximum_of_other_things_than_spikes_is_refused(tmp_path):
    what = candidate(network=CONV | {"batch_norm": False}, budget=0.0)
    network = what.phenotype()
    network.body[0], network.body[2] = network.body[2], network.body[0]
    odd = dataclasses.replace(what, phenotype=lambda: network)
    with pytest.raises(InputError, match=r"body\.0\.module \(MaxPool2d\): NIR has no maximum"):
        Exporter().export(odd, tmp_path)


def test_a_normalisation_within_a_branch_stays_out_of_the_other(tmp_path):
    what = candidate(network=CONV, budget=0.0)
    network = what.phenotype()
    network.body[1] = Residual(nn.Sequential(network.body[1]), nn.Sequential())
    odd = dataclasses.replace(what, phenotype=lambda: network)
    with pytest.raises(InputError, match=r"body\.1\.chain\.0\.module \(BatchNorm2d\)"):
        Exporter().export(odd, tmp_path)


def test_a_phenotype_that_is_no_network_is_refused(tmp_path):
    odd = dataclasses.replace(candidate(budget=0.0), phenotype=object)
    with pytest.raises(InputError, match="writes networks"):
        Exporter().export(odd, tmp_path)


def test_a_graph_that_is_read_back_otherwise_is_an_error(tmp_path, monkeypatch):
    def read(path, original=nir.read):
        graph = original(path)
        weight = next(node.weight for node in graph.nodes.values() if isinstance(node, nir.Affine))
        weight.flat[3] = np.nextafter(weight.flat[3], np.float32(9))
        return graph

    monkeypatch.setattr(nir, "read", read)
    with pytest.raises(SpikefrontError, match=r"differs from what was written: affine_\d weight"):
        Exporter().export(candidate(budget=0.0), tmp_path)


def test_without_the_package_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(InputError) as refusal:
        Exporter().export(candidate(budget=0.0), tmp_path)
    assert "pip install 'spikefront[nir]'" in refusal.value.hint


def test_what_the_page_says_that_readers_refuse(tmp_path):
    for name in ("cuba", "max", "if"):
        (tmp_path / name).mkdir()
    exported(tmp_path / "cuba", dt=1e-4, neuron={"use": "cuba-lif"}, budget=0.0)
    with pytest.raises(ValueError, match="r must equal tau_mem / dt"):
        spikingjelly_from_nir(tmp_path / "cuba" / GRAPH, dt=1e-4)
    with pytest.raises(AssertionError, match="r not supported in CubaLIF"):
        snntorch_from_nir(nir.read(tmp_path / "cuba" / GRAPH))
    exported(tmp_path / "max", network=CONV, budget=0.0)
    for read in (lambda graph: spikingjelly_from_nir(graph, dt=1.0), snntorch_from_nir):
        with pytest.raises(ValueError, match="Unknown node type"):
            read(nir.read(tmp_path / "max" / GRAPH))
    _, graph, _ = exported(tmp_path / "if", dt=1.0, neuron={"use": "if"}, budget=0.0)
    leaky = [module for module in snntorch_from_nir(graph).modules() if isinstance(module, snntorch.Leaky)]
    assert [float(module.beta) for module in leaky] == [pytest.approx(0.9)] * 2
