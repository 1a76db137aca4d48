"""The built-in networks: shapes, numbers of parameters, gradients, time and batches, refusals."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from spikefront import Network
from spikefront.components.parts import Parts
from spikefront.errors import InputError, PluginError
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.spiking.layers import NeuronLayer
from spikefront_plugins.coders.direct import Direct as DirectCoder
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.encodings.genetic import Genetic
from spikefront_plugins.networks.autosnn import AutoSNN
from spikefront_plugins.networks.conv import Conv
from spikefront_plugins.networks.mlp import MLP
from spikefront_plugins.networks.recurrent import Recurrent
from spikefront_plugins.networks.resnet import SpikingResNet
from spikefront_plugins.networks.snas_cell import SNASCell
from spikefront_plugins.networks.vgg import VGG
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.synapses.dense import Dense

T, THRESHOLD = 3, 0.1

NETWORKS = [
    MLP(hidden=(7, 5)),
    MLP(hidden=(), batch_norm=True),
    MLP(hidden=(7, 5), batch_norm=True),
    Conv(channels=(4, 6), kernel=5),
    Conv(channels=(4, 6, 5), pooling="average", pool_every=2, batch_norm=False, head="average"),
    Conv(channels=(4,), kernel=1, pooling="none"),
    Conv(channels=(4, 6), hidden=(7, 5)),
    VGG(depth="small", multiplier=0.05),
    VGG(depth="11", multiplier=0.01, pooling="average", head="average"),
    SpikingResNet(blocks=(1, 2), width=3),
    SpikingResNet(blocks=(1, 1), width=3, head="flatten"),
    Recurrent(hidden=(12, 8)),
    AutoSNN(width=2),
    SNASCell(width=2),
    SNASCell(width=2, from_3_to_1="conv-3"),
]
names = [f"{network.name}-{number}" for number, network in enumerate(NETWORKS)]
every_network = pytest.mark.parametrize("network", NETWORKS, ids=names)


def build(network, shape, outputs=4, synapse=None, encoding=None, steps=T):
    parts = Parts(
        network,
        (LIF(v_threshold=THRESHOLD),),
        ATan(),
        synapse or Dense(),
        DirectCoder(steps=steps),
        encoding or Direct(),
    )
    return parts.build(shape, outputs, Streams(3))


def data(*shape, seed=0):
    return 2 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@every_network
@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 33, 47)])
def test_outputs_have_one_current_for_each_step_sample_and_class(network, shape):
    built = build(network, shape)
    assert built(data(2, *shape)).shape == (T, 2, 4)


@every_network
def test_neurons_know_the_shape_of_their_currents(network):
    built, shapes = build(network, (3, 33, 47)), {}
    layers = [module for module in built.modules() if isinstance(module, NeuronLayer)]
    for layer in layers:
        layer.listeners.append(lambda spikes, layer=layer: shapes.update({layer: spikes.shape[2:]}))
    built(data(2, 3, 33, 47))
    assert [layer.shape for layer in layers] == [tuple(shapes[layer]) for layer in layers]


@pytest.mark.parametrize("network", [MLP(), Recurrent()])
@pytest.mark.parametrize("shape", [(9,), (2, 5), (1, 1, 1), (2, 3, 4, 5)])
def test_fully_connected_networks_take_samples_of_any_rank(network, shape):
    assert build(network, shape)(data(2, *shape)).shape == (T, 2, 4)


@every_network
def test_an_empty_batch_gives_no_outputs(network):
    assert build(network, (1, 32, 32)).eval()(data(0, 1, 32, 32)).shape == (T, 0, 4)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("network", "shape", "expected"), [
    (MLP(hidden=(7, 5)), (2, 10), 20 * 7 + 7 + 7 * 5 + 5 + 5 * 4 + 4),
    (MLP(hidden=(7,), batch_norm=True), (20,), 20 * 7 + 2 * 7 + 7 * 4 + 4),
    (Conv(channels=(4, 6), kernel=5), (2, 12, 11), 25 * (2 * 4 + 4 * 6) + 2 * (4 + 6) + 6 * 3 * 2 * 4 + 4),
    (Conv(channels=(4, 6), pool_every=2, batch_norm=False), (2, 8, 8),
     9 * (2 * 4 + 4 * 6) + 4 + 6 + 6 * 4 * 4 * 4 + 4),
    (Conv(channels=(4, 6), pooling="none", head="average"), (2, 3, 3), 9 * (2 * 4 + 4 * 6) + 2 * (4 + 6) + 6 * 4 + 4),
    (Conv(channels=(4, 6), hidden=(7,)), (2, 12, 11),
     9 * (2 * 4 + 4 * 6) + 2 * (4 + 6) + 6 * 3 * 2 * 7 + 2 * 7 + 7 * 4 + 4),
    (Conv(channels=(4, 6), hidden=(7, 5), head="average", batch_norm=False), (2, 12, 11),
     9 * (2 * 4 + 4 * 6) + 4 + 6 + 6 * 7 + 7 + 7 * 5 + 5 + 5 * 4 + 4),
    (VGG(multiplier=1 / 32), (1, 8, 8), 9 * (2 + 2 * 4 + 4 * 8) + 2 * (2 + 4 + 8) + 8 * 4 + 4),
    (SpikingResNet(blocks=(1, 1), width=3), (2, 9, 9),
     9 * (2 * 3 + 2 * 3 * 3 + 3 * 6 + 6 * 6) + 3 * 6 + 2 * (3 * 3 + 3 * 6) + 6 * 4 + 4),
    (Recurrent(hidden=(6, 5)), (7,), 7 * 6 + 6 + 6 * 6 + 6 * 5 + 5 + 5 * 5 + 5 * 4 + 4),
])  # fmt: skip
def test_the_number_of_parameters_follows_from_widths_and_kernels(network, shape, expected):
    assert count(build(network, shape)) == expected


@pytest.mark.parametrize(("network", "millions"), [
    (VGG(depth="16"), 14.76), (SpikingResNet(blocks=(2, 2, 2, 2), width=64), 11.21),
    (SpikingResNet(blocks=(3, 3, 2), width=128), 12.71 - 0.512 * 0.156 - 0.0256),  # without the 256 hidden units
], ids=["VGG-16", "ResNet-18", "ResNet-19"])  # fmt: skip
def test_the_weights_of_the_named_architectures(network, millions):
    built = build(network, (3, 32, 32), outputs=100)
    layers = [module for module in built.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    assert round(sum(layer.weight.numel() for layer in layers) / 1e6, 2) == pytest.approx(millions, abs=0.006)


@every_network
def test_the_gradient_reaches_every_parameter(network):
    built = build(network, (2, 32, 32))
    outputs = built(data(8, 2, 32, 32))
    (outputs * torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    for name, parameter in built.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def warmed(network, **arguments):
    """Build a network in float64, with batch statistics that have seen something, ready for evaluation."""
    built = build(network, (1, 32, 32), **arguments).double()
    built(data(4, 1, 32, 32, seed=5).double())
    return built.eval()


@every_network
def test_a_batch_of_two_equals_two_batches_of_one(network):
    built, samples = warmed(network), data(2, 1, 32, 32).double()
    together = built(samples)
    apart = torch.cat([built(samples[:1]), built(samples[1:])], dim=1)
    torch.testing.assert_close(together, apart)


@every_network
def test_the_first_steps_do_not_depend_on_later_ones(network):
    built, x = warmed(network), data(5, 2, 1, 32, 32).double()
    torch.testing.assert_close(built.body(x)[:3], built.body(x[:3]))


@pytest.mark.parametrize("network", [network for network in NETWORKS if isinstance(network, MLP | Conv | VGG)])
def test_the_whole_sequence_equals_step_by_step(network):
    built, x = warmed(network), data(5, 2, 1, 32, 32).double()
    states, steps = {}, []
    for step in x.split(1):
        values = step
        for layer in built.body:
            if isinstance(layer, NeuronLayer):
                values, states[layer] = layer.run(values, states.get(layer))
            else:
                values = layer(values)
        steps.append(values)
    torch.testing.assert_close(built.body(x), torch.cat(steps))


def test_recurrent_layers_follow_their_equation():
    built, x = build(Recurrent(hidden=(6,)), (5,)).double(), data(4, 3, 5).double()
    flat, recurrent, readout = built.body
    w, b, r = flat.module.weight, flat.module.bias, recurrent.feedback.module.weight
    v, s, expected = torch.zeros(3, 6).double(), torch.zeros(3, 6).double(), []
    for t in range(4):
        current = x[t] @ w.T + b + s @ r.T
        v = v + (current - v) / 2
        s = (v >= THRESHOLD).double()
        v = v * (1 - s)
        expected.append(s @ readout.module.weight.T + readout.module.bias)
    assert s.sum() > 0
    torch.testing.assert_close(built.body(x), torch.stack(expected))


def test_recurrent_layers_make_a_generated_weight_once_a_call(monkeypatch):
    built = build(Recurrent(hidden=(32,)), (64,), encoding=Genetic(genes=4, origin="trained")).eval()
    generated = built.body[1].feedback.module.parametrizations.weight
    calls = []
    generated[0].register_forward_hook(lambda *_: calls.append(1))
    built(data(2, 64)).sum().backward()
    assert len(calls) == 1
    assert generated.original0.grad.abs().sum() > 0


def test_a_residual_block_without_spikes_in_its_chain_is_the_identity():
    built = warmed(SpikingResNet(blocks=(2,), width=3))
    block = built.body[-4]
    nn.init.zeros_(block.chain[-2].module.weight)
    nn.init.zeros_(block.chain[-2].module.bias)
    s = torch.randint(0, 3, (T, 2, 3, 8, 8)).double()
    assert torch.equal(block(s), s)


def test_residual_sums_of_spikes_are_whole_numbers_with_multiplicity():
    built = warmed(SpikingResNet(blocks=(3,), width=8))
    values = built.body[:-2](data(T, 2, 1, 32, 32).double())
    assert torch.equal(values, values.round())
    assert values.max() > 1


def test_max_pooling_keeps_spikes_binary_and_average_pooling_does_not():
    for pooling, binary in (("max", True), ("average", False)):
        built = warmed(Conv(channels=(4,), pooling=pooling))
        values = built.body[:4](data(T, 2, 1, 32, 32).double())
        assert values.shape == (T, 2, 4, 16, 16)
        assert bool(((values == 0) | (values == 1)).all()) == binary


class Wider(Dense):
    """Gives one output more than asked for, as synapses may where a layer is not the last."""

    name = "wider"

    def linear(self, inputs, outputs, bias, generator):
        return super().linear(inputs, outputs + 1, bias, generator)

    def readout(self, inputs, outputs, bias, generator):
        return super().linear(inputs, outputs, bias, generator)

    def conv(self, inputs, outputs, kernel, stride, padding, bias, generator):
        return super().conv(inputs, outputs + 1, kernel, stride, padding, bias, generator)


@pytest.mark.parametrize("network", [one for one in NETWORKS if one.name != "snas-cell"], ids=repr)
def test_a_synapse_may_change_the_width(network):
    assert build(network, (1, 32, 32), synapse=Wider())(data(2, 1, 32, 32)).shape == (T, 2, 4)


@every_network
def test_a_readout_of_another_width_is_refused(network):
    class TooWide(Dense):
        name = "too-wide"

        def readout(self, inputs, outputs, bias, generator):
            return super().linear(inputs, outputs + 1, bias, generator)

    with pytest.raises(PluginError, match=r"'too-wide': its readout has 5 outputs, and the task 4"):
        build(network, (1, 32, 32), synapse=TooWide())


def test_recurrent_networks_refuse_synapses_that_remember():
    class Remembering(Dense):
        name = "remembering"
        sequential = True

    with pytest.raises(InputError, match="'recurrent' runs step by step, and synapse 'remembering'"):
        build(Recurrent(), (4,), synapse=Remembering())


@pytest.mark.parametrize(("network", "shape", "message"), [
    (Conv(channels=(2, 2, 2, 2)), (1, 8, 8), r"channels = \[2, 2, 2, 2\] with pool_every = 1 halves .* 4 times, and 8x8"
     r"(.|\n)*can be halved 3 times; 4 times needs at least 16x16"),
    (Conv(channels=(2, 2, 2, 2)), (1, 32, 15), "32x15 is too small"),
    (VGG(depth="16"), (3, 28, 28), r"depth = '16' halves (.|\n)*at least 32x32"),
    (SpikingResNet(blocks=(1, 1, 1)), (3, 3, 3), r"blocks = \[1, 1, 1\] halves the image 2 times, and 3x3"),
    (Conv(), (784,), r"needs images \(channels, height, width\), found samples of shape \(784,\)(.|\n)*'mlp'"),
    (VGG(), (1, 2, 32, 32), "needs images"),
    (SpikingResNet(), (32, 32), "needs images"),
    (MLP(), (3, 0), r"\(3, 0\) holds no values"),
    (Recurrent(), (), r"\(\) holds no values"),
])  # fmt: skip
def test_inputs_that_do_not_fit_are_refused_with_what_would(network, shape, message):
    with pytest.raises(InputError, match=message):
        network.check(shape)
    with pytest.raises(InputError, match=message):
        build(network, shape)


def test_the_smallest_images_that_fit_are_taken():
    for network, side in (
        (Conv(channels=(2, 2, 2, 2)), 16),
        (VGG(depth="11", multiplier=0.02), 32),
        (SpikingResNet(), 4),
    ):
        network.check((1, side, side))
        assert build(network, (1, side, side))(data(2, 1, side, side)).shape == (T, 2, 4)


@pytest.mark.parametrize(("contract", "arguments"), [
    (MLP, {"hidden": [5, 0]}), (MLP, {"hidden": [-1]}), (Conv, {"channels": []}), (Conv, {"kernel": 4}),
    (Conv, {"pool_every": 0}), (VGG, {"depth": "12"}), (VGG, {"width": 0.0}), (SpikingResNet, {"blocks": [1, 0]}),
    (SpikingResNet, {"blocks": []}), (Recurrent, {"hidden": []}), (Conv, {"pooling": "mean"}),
    (Conv, {"hidden": [0]}),
])  # fmt: skip
def test_impossible_parameters_are_refused(contract, arguments):
    with pytest.raises(ValidationError):
        contract(**arguments)


def test_lists_of_a_study_file_become_tuples_and_components_stay_values():
    assert Conv(channels=[16, 32]) == Conv(channels=(16, 32))
    assert len({Conv(channels=[16, 32]), Conv(channels=(16, 32))}) == 1


def test_they_come_through_the_hook():
    registry = load()
    for network in NETWORKS:
        assert registry.get(Network, network.name) is type(network)
