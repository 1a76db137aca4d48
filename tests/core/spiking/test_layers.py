"""Networks: repeated steps are worked on once, images lie channels last, currents keep their precision."""

import pytest
import torch
from torch import nn

from spikefront.components.parts import Parts
from spikefront.measure.recorder import record
from spikefront.randomness import Streams
from spikefront.spiking.layers import CoderLayer, Folded, SpikingNetwork
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

T, B = 3, 4


class Copied(DirectCoder):
    """The direct code with memory of its own for each step, which no one can take for a repeated step."""

    name = "copied"

    def encode(self, data, generator):
        return super().encode(data, generator).contiguous()


def build(network, coder, shape=(2, 8, 8), encoding=None):
    parts = Parts(network, (LIF(v_threshold=0.1),), ATan(), Dense(), coder, encoding or Direct())
    return parts.build(shape, 5, Streams(2)).double()


def images(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def first_inputs(network, data):
    """Return the number of rows that the first weighted layer sees in a call."""
    layer = next(module for module in network.modules() if isinstance(module, nn.Linear | nn.Conv2d))
    rows = []
    handle = layer.register_forward_hook(lambda _, inputs, output: rows.append(len(inputs[0])))
    network(data)
    handle.remove()
    return rows


NETWORKS = [
    Conv(channels=(4, 6)),
    Conv(channels=(4,), pooling="average", batch_norm=False),
    MLP(hidden=(9, 7), batch_norm=True),
    SpikingResNet(blocks=(1, 1), width=3),
    Recurrent(hidden=(6,)),
]


@pytest.mark.parametrize("encoding", [Direct(), Genetic(genes=2, origin="trained")], ids=lambda e: e.name)
@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.name)
def test_a_repeated_step_is_trained_on_as_its_copies_are(network, encoding):
    once, copied = (build(network, coder, encoding=encoding) for coder in (DirectCoder(steps=T), Copied(steps=T)))
    data, weights = images(B, 2, 8, 8), images(T, B, 5, seed=1)
    for built in (once, copied):
        (built(data) * weights).sum().backward()
    torch.testing.assert_close(once(data), copied(data), rtol=1e-10, atol=1e-12)
    gradients = [{name: p.grad for name, p in built.named_parameters()} for built in (once, copied)]
    torch.testing.assert_close(*gradients, rtol=1e-8, atol=1e-12)
    assert (first_inputs(once, data), first_inputs(copied, data)) == ([B], [T * B])


def test_the_running_variance_counts_samples_and_not_their_copies():
    once, copied = (
        build(MLP(hidden=(6,), batch_norm=True), coder) for coder in (DirectCoder(steps=T), Copied(steps=T))
    )
    for built in (once, copied):
        built(images(B, 2, 8, 8))
    first, second = (next(m for m in built.modules() if isinstance(m, nn.BatchNorm1d)) for built in (once, copied))
    torch.testing.assert_close(first.running_mean, second.running_mean)
    biased = (second.running_var - 0.9) / 0.1 * (T * B - 1) / (T * B)
    torch.testing.assert_close(first.running_var, 0.9 + 0.1 * biased * B / (B - 1))
    assert first.num_batches_tracked == second.num_batches_tracked == 1


def test_a_single_sample_is_normalised_over_its_steps():
    built = build(MLP(hidden=(6,), batch_norm=True), DirectCoder(steps=T))
    assert built(images(1, 2, 8, 8)).isfinite().all()
    norm = next(module for module in built.modules() if isinstance(module, nn.BatchNorm1d))
    assert norm.num_batches_tracked == 1


@pytest.mark.parametrize("steps", [1, T])
def test_evaluation_and_the_recorder_see_every_step(steps):
    found = []
    for coder in (DirectCoder(steps=steps), Copied(steps=steps)):
        built = build(Conv(channels=(4, 6)), coder).eval()
        assert first_inputs(built, images(B, 2, 8, 8)) == [steps * B]
        with torch.no_grad(), record(built, analog_input=True) as recorder:
            built(images(B, 2, 8, 8))
        found.append(recorder.recording(steps))
    assert found[0] == found[1]
    inner_and_borders = 2 * 4 * (3 * 8 - 2) ** 2
    assert found[0].synapses[0].dense == steps * inner_and_borders


def test_what_draws_at_random_draws_for_every_step():
    torch.manual_seed(0)
    network = SpikingNetwork(CoderLayer(DirectCoder(steps=8)), nn.Sequential(Folded(nn.Dropout(0.5))))
    outputs = network(torch.ones(4, 50))
    assert not torch.equal(outputs[0], outputs[1])


def test_a_body_that_is_no_chain_gets_all_steps():
    seen = []

    class Body(nn.Module):
        def forward(self, x):
            seen.append(x.shape)
            return x

    SpikingNetwork(CoderLayer(DirectCoder(steps=5)), Body())(torch.ones(2, 3))
    assert seen == [(5, 2, 3)]


@pytest.mark.parametrize("channels", [1, 3])
def test_images_go_channels_last_and_forth_without_copies(channels):
    network = build(Conv(channels=(4, 6)), DirectCoder(steps=T), shape=(channels, 8, 8)).train()
    layouts = []
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.MaxPool2d):
            module.register_forward_pre_hook(lambda _, inputs: layouts.append(inputs[0].stride(1)))
    network(images(B, channels, 8, 8))
    assert layouts == [1] * 4


def test_gradients_of_a_repeated_step_keep_the_layout_of_images():
    network = build(Conv(channels=(4,)), DirectCoder(steps=T))
    strides = []
    network.body[1].module.register_full_backward_hook(lambda _, inputs, outputs: strides.append(outputs[0].stride(1)))
    network(images(B, 2, 8, 8)).sum().backward()
    assert strides == [1]


def test_products_are_rounded_under_autocast_and_currents_come_back_in_full():
    layer = Folded(nn.Linear(40, 30))
    x = torch.rand(T, B, 40, generator=torch.Generator().manual_seed(0))
    exact = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = layer(x)
    assert rounded.dtype == torch.float32
    assert not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded, exact, rtol=2**-6, atol=2**-6)
