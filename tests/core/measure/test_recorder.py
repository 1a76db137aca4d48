"""The recorder: exact counts, against loops over spikes and connections."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrize

from spikefront import NeuronModel
from spikefront.components.parts import Parts
from spikefront.measure.recorder import Work, record
from spikefront.measure.recording import NeuronRecord, Recording
from spikefront.randomness import Streams
from spikefront.spiking.layers import Folded, NeuronLayer
from spikefront_plugins.coders.direct import Direct as DirectCoder
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.encodings.genetic import Genetic
from spikefront_plugins.networks.conv import Conv
from spikefront_plugins.networks.mlp import MLP
from spikefront_plugins.networks.recurrent import Recurrent
from spikefront_plugins.networks.resnet import SpikingResNet
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.synapses.dense import Dense


def build(network, shape, steps=4, neuron=None, encoding=None, outputs=10):
    parts = Parts(
        network,
        (neuron or LIF(v_threshold=0.1),),
        ATan(),
        Dense(),
        DirectCoder(steps=steps),
        encoding or Direct(),
    )
    return parts.build(shape, outputs, Streams(5)).eval()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def binary(*shape, rate=0.3, seed=0):
    return (torch.rand(*shape, generator=generator(seed)) < rate).float()


def recorded(network, *batches, analog=False, steps=1):
    with torch.no_grad(), record(network, analog) as recorder:
        for batch in batches:
            network(batch)
    return recorder.recording(steps)


def layer_with(weight, **arguments):
    """Return a convolution or a linear layer with a given weight."""
    if weight.dim() == 2:
        layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta").to_empty(device="cpu")
    else:
        groups = arguments.get("groups", 1)
        meta = nn.Conv2d(weight.shape[1] * groups, weight.shape[0], weight.shape[2:], device="meta", **arguments)
        layer = meta.to_empty(device="cpu")
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.fill_(1.0)
    return layer


def loop_over_convolution(x, weight, stride, padding, dilation, groups):
    """Return (spikes times connections, non-zero inputs times connections, all connections, absent ones), by loops."""
    outputs, per_group, height, width = weight.shape
    rows = (x.shape[2] + 2 * padding - dilation * (height - 1) - 1) // stride + 1
    columns = (x.shape[3] + 2 * padding - dilation * (width - 1) - 1) // stride + 1
    events = active = dense = absent = 0.0
    for b, o, r, c, i, p, q in itertools.product(*map(range, (
        len(x), outputs, rows, columns, per_group, height, width,
    ))):  # fmt: skip
        channel = o // (outputs // groups) * per_group + i
        y, z = r * stride + p * dilation - padding, c * stride + q * dilation - padding
        if 0 <= y < x.shape[2] and 0 <= z < x.shape[3]:
            dense += 1
            absent += weight[o, i, p, q] == 0
            value = x[b, channel, y, z]
            if weight[o, i, p, q] != 0 and value != 0:
                active += 1
                events += abs(value)
    return events, active, dense, absent


@settings(deadline=None, max_examples=25)
@given(
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2]),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    size=st.tuples(st.integers(5, 7), st.integers(5, 7)),
    analog=st.booleans(),
    seed=st.integers(0, 100),
)
def test_convolutions_are_counted_like_loops_over_spikes_and_taps(
    stride, padding, dilation, groups, kernel, size, analog, seed
):
    weight = torch.randn(4, 4 // groups, *kernel, generator=generator(seed))
    weight *= binary(*weight.shape, rate=0.6, seed=seed + 1)
    x = torch.randint(-1, 3, (2, 4, *size), generator=generator(seed + 2)).float()
    layer = layer_with(weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
    (found,) = recorded(layer, x, analog=analog).synapses
    events, active, dense, absent = loop_over_convolution(x.numpy(), weight.numpy(), stride, padding, dilation, groups)
    assert found.analog == analog
    assert found.effective * 2 == (active if analog else events)
    assert (found.dense * 2, found.absent * 2) == (dense, absent)


def test_a_lif_perceptron_is_counted_like_a_loop_over_spikes():
    network, x = build(MLP(hidden=(128,)), (784,)), binary(3, 784)
    first = network.body[0].module
    with torch.no_grad():
        first.weight *= binary(128, 784, rate=0.5, seed=1)
        spikes = network.body[0:2](network.coder(x))
    hidden, readout = recorded(network, x, steps=4).synapses
    connections = [int((first.weight[:, i] != 0).sum()) for i in range(784)]
    expected = 4 * sum(connections[i] for row in x.tolist() for i, value in enumerate(row) if value) / 3
    assert (hidden.effective, hidden.dense) == (pytest.approx(expected), 4 * 784 * 128)
    fired = sum(1 for value in spikes.flatten().tolist() if value)
    assert fired > 0
    assert (readout.effective, readout.dense) == (pytest.approx(fired * 10 / 3), 4 * 1280)
    assert not hidden.analog
    assert not readout.analog


def test_an_example_of_neurobench():
    weight = torch.tensor([[1.3, 0, -3.2], [0, 1.2, -5.1], [-1.1, 2.7, 0]])
    (layer,) = recorded(layer_with(weight), torch.tensor([[0, 1.3, -1]])).synapses
    assert (layer.analog, layer.effective, layer.dense) == (True, 4, 9)


@pytest.mark.parametrize(("size", "stride", "expected", "formula"), [
    (8, 1, 484, 576), (8, 2, 121, 144), (28, 1, 6_724, 7_056), (14, 1, 1_600, 1_764), (7, 1, 361, 441),
])  # fmt: skip
def test_borders_are_left_out_of_the_exact_counts_only(size, stride, expected, formula):
    layer = layer_with(torch.ones(1, 1, 3, 3), stride=stride, padding=1)
    (found,) = recorded(layer, torch.ones(1, 1, size, size)).synapses
    assert (found.effective, found.dense, found.flops, found.rate) == (expected, expected, formula, 1)


NETWORKS = [
    (MLP(hidden=(20, 10)), (30,)),
    (Conv(channels=(4, 6)), (2, 9, 8)),
    (SpikingResNet(blocks=(1, 1), width=3), (2, 8, 8)),
    (Recurrent(hidden=(12, 9)), (30,)),
]
every_network = pytest.mark.parametrize(("network", "shape"), NETWORKS, ids=lambda v: getattr(v, "name", ""))


@every_network
def test_no_input_and_no_bias_give_no_operations(network, shape):
    built = build(network, shape)
    for name, parameter in built.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
    result = recorded(built, torch.zeros(3, *shape), steps=4)
    assert all(layer.effective == 0 and layer.dense > 0 for layer in result.synapses)
    assert all(layer.spikes == 0 for layer in result.neurons)


def numbers(recording):
    counts = [(layer.effective, layer.dense, layer.rate, layer.flops) for layer in recording.synapses]
    return np.array([*(n for row in counts for n in row), *(layer.spikes for layer in recording.neurons)])


@every_network
def test_a_batch_of_two_is_the_mean_of_two_batches_of_one(network, shape):
    built, x = build(network, shape).double(), torch.rand(2, *shape, generator=generator()).double()
    together = recorded(built, x, analog=True, steps=4)
    apart = [recorded(built, sample[None], analog=True, steps=4) for sample in x]
    in_turn = recorded(built, x[:1], x[1:], analog=True, steps=4)
    assert together.samples == in_turn.samples == 2
    np.testing.assert_allclose(numbers(together), (numbers(apart[0]) + numbers(apart[1])) / 2)
    np.testing.assert_allclose(numbers(together), numbers(in_turn))


class Stateless(NeuronModel):
    """Fires where the current reaches 0.1."""

    name = "stateless"

    def step(self, x, state, trained, spike):
        return spike(x - 0.1), state


def test_twice_the_steps_are_twice_the_operations_where_nothing_is_remembered():
    x = binary(3, 2, 9, 8)
    four, eight = (
        recorded(build(Conv(channels=(4, 6)), (2, 9, 8), steps, Stateless()), x, steps=steps) for steps in (4, 8)
    )
    for one, two in zip(four.synapses, eight.synapses, strict=True):
        assert (two.effective, two.dense) == (2 * one.effective, 2 * one.dense)
        assert two.rate == pytest.approx(one.rate)
        assert two.flops == one.flops
    assert eight.neurons[0].spikes == 2 * four.neurons[0].spikes > 0
    assert eight.neurons[0].neurons == four.neurons[0].neurons == 4 * 72


def test_layers_come_in_the_order_in_which_they_run_with_their_names():
    result = recorded(build(SpikingResNet(blocks=(1, 1), width=3), (2, 8, 8)), binary(1, 2, 8, 8), steps=4)
    assert [layer.name for layer in result.synapses] == [
        "body.0.module", "body.3.chain.0.module", "body.3.chain.3.module",
        "body.4.chain.0.module", "body.4.chain.3.module", "body.4.shortcut.0.module", "body.6.module",
    ]  # fmt: skip
    assert [layer.name for layer in result.neurons][:2] == ["body.2", "body.3.chain.2"]
    assert (result.samples, result.steps) == (1, 4)


def test_only_the_first_layer_is_analog_by_its_coder_and_others_by_their_values():
    x = binary(2, 2, 9, 8)
    shapes = {
        "max": [True, False, False],
        "average": [True, True, True],
    }
    for pooling, expected in shapes.items():
        result = recorded(build(Conv(channels=(4, 6), pooling=pooling), (2, 9, 8)), x, analog=True, steps=4)
        assert [layer.analog for layer in result.synapses] == expected
    assert not recorded(build(MLP(), (30,)), binary(2, 30)).synapses[0].analog
    assert recorded(build(MLP(), (30,)), binary(2, 30), 0.5 * binary(1, 30)).synapses[0].analog


def test_an_analog_layer_that_shows_late_counts_inputs_and_not_their_size():
    layer = layer_with(torch.ones(2, 3))
    batches = torch.tensor([[0.0, 2.0, 3.0]]), torch.tensor([[0.5, 0.0, 0.0]])
    assert recorded(layer, batches[0]).synapses[0].effective == 10
    assert recorded(layer, *batches).synapses[0].effective == (4 + 2) / 2


def test_sums_of_spikes_count_as_often_as_they_say():
    (found,) = recorded(layer_with(torch.ones(5, 3)), torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, -1.0]])).synapses
    assert (found.analog, found.effective) == (False, 5 * (3 + 4) / 2)


def test_recurrent_layers_are_recorded_step_by_step():
    built, x = build(Recurrent(hidden=(12,)), (30,)), binary(3, 30)
    spikes = built.body[:2](built.coder(x)).detach()
    result = recorded(built, x, steps=4)
    forward, feedback, readout = result.synapses
    assert forward.effective == pytest.approx(4 * float(x.sum()) * 12 / 3)
    assert feedback.effective == pytest.approx(float(spikes[:-1].sum()) * 12 / 3)
    assert (feedback.dense, feedback.flops) == (4 * 144, 144)
    assert readout.effective == pytest.approx(float(spikes.sum()) * 10 / 3)
    assert result.neurons == (NeuronRecord("body.1.neurons", 12, float(spikes.sum()) / 3, float(spikes.sum()) / 3),)


def test_bursts_are_spikes_of_one_active_output():
    class Burst(NeuronModel):
        name = "burst"

        def step(self, x, state, trained, spike):
            return x.round(), state

    layer = nn.Sequential(NeuronLayer(Burst(), ATan(), (3,), 4, torch.Generator()))
    result = recorded(layer, torch.tensor([[[0.0, 2.0, 3.0]], [[0.0, 1.0, 0.0]]]))
    assert (result.neurons[0].spikes * result.samples, result.neurons[0].active * result.samples) == (6, 3)


def test_generated_weights_are_made_once_in_a_recording():
    built = build(MLP(hidden=(64,)), (100,), encoding=Genetic(genes=4, origin="trained"))
    calls = []
    parametrized = built.body[0].module
    parametrized.parametrizations.weight[0].register_forward_hook(lambda *_: calls.append(1))
    x = torch.rand(2, 100, generator=generator())
    before = built(x)
    calls.clear()
    result = recorded(built, x, x, x, analog=True, steps=4)
    assert len(calls) == 1
    assert result.synapses[0].dense == 4 * 6400
    assert parametrize.is_parametrized(parametrized)
    torch.testing.assert_close(built(x), before)


def test_nothing_stays_behind():
    built = build(Conv(channels=(4,)), (2, 9, 8))
    for _ in range(2):
        recorded(built, binary(1, 2, 9, 8))
    assert all(not module._forward_hooks for module in built.modules())
    assert all(not module.listeners for module in built.modules() if isinstance(module, NeuronLayer))


def test_recording_changes_no_output():
    built, x = build(Conv(channels=(4, 6)), (2, 9, 8)), binary(3, 2, 9, 8)
    with torch.no_grad():
        before = built(x)
        with record(built, True):
            assert torch.equal(built(x), before)


@pytest.mark.parametrize("analog", [True, False])
def test_modules_that_count_for_themselves_are_asked_instead_of_their_layers(analog):
    class Squares(nn.Module):
        out_features = 3

        def __init__(self):
            super().__init__()
            self.inner = layer_with(torch.ones(3, 4))

        def forward(self, x):
            return self.inner(x.square())

        def count_operations(self, inputs):
            return Work(2.0 * float(inputs.count_nonzero()), 7.0 * len(inputs), analog)

    result = recorded(
        nn.Sequential(Squares(), layer_with(torch.ones(2, 3))), torch.tensor([[0, 1, 1, 0.5], [0, 0, 0, 1]])
    )
    own, other = result.synapses
    assert (own.name, own.analog, own.effective, own.dense, own.flops) == ("0", analog, 4, 7, 7)
    assert own.rate == 4 / 7
    assert other.name == "1"


def test_one_dimensional_and_sequential_layers_are_counted():
    meta = nn.Conv1d(2, 3, 3, device="meta", bias=False)
    conv = meta.to_empty(device="cpu")
    nn.init.ones_(conv.weight)
    (found,) = recorded(conv, torch.ones(2, 2, 5)).synapses
    assert (found.effective, found.dense) == (2 * 3 * 3 * 3, 2 * 3 * 3 * 3)
    network = nn.Sequential(Folded(nn.Identity()), layer_with(torch.ones(3, 2)))
    (found,) = recorded(network, torch.ones(4, 5, 2)).synapses  # a linear layer may see (T, B, N)
    assert found.effective * 4 == 4 * 5 * 6


def test_a_network_that_did_not_run_gives_an_empty_recording():
    assert recorded(build(MLP(), (30,)), steps=4) == Recording()
