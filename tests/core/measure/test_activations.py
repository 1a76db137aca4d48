"""What a step keeps: bytes counted by hand, and no trace of the counting."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from spikefront.components.parts import Parts
from spikefront.measure.activations import Activations, activations
from spikefront.randomness import Streams
from spikefront.spiking import compiled, compiler
from spikefront.spiking.packing import Packed, pack
from spikefront_plugins.coders.direct import Direct as DirectCoder
from spikefront_plugins.coders.poisson import Poisson
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.encodings.genetic import Genetic
from spikefront_plugins.networks.conv import Conv
from spikefront_plugins.networks.mlp import MLP
from spikefront_plugins.networks.recurrent import Recurrent
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.synapses.dense import Dense

T, B, N = 4, 8, 128
REAL = 4


@pytest.fixture(params=["eager", "auto"])
def kernels(request, monkeypatch):
    monkeypatch.setenv("SPIKEFRONT_KERNELS", request.param)
    return request.param


def build(network, shape=(1, 8, 8), coder=None, encoding=None):
    parts = Parts(
        network, (LIF(v_threshold=0.1),), ATan(), Dense(), coder or DirectCoder(steps=T), encoding or Direct()
    )
    return parts.build(shape, 10, Streams(5))


def images(samples=B, side=8):
    return torch.rand(samples, 1, side, side, generator=torch.Generator().manual_seed(0))


def test_a_perceptron_keeps_input_currents_and_spikes(kernels):
    found = activations(build(MLP(hidden=(N,))), images())
    tensor = T * B * N * REAL
    copied = B * 64 * REAL  # images are copied to channels last before they are flattened
    start = REAL if found.kept % tensor > copied else 0  # all initial potentials, where a kernel keeps them
    assert start == 0 or kernels == "auto"
    assert found == Activations(copied + 2 * tensor + start, copied + 4 * tensor + start)


def test_spikes_count_as_bits_where_they_are_packed(kernels):
    network = build(MLP(hidden=(N,)))
    currents, bits = T * B * N * REAL, T * B * N // 8
    difference = activations(network, images()).kept - activations(network, images(), packed=True).kept
    assert difference == currents - bits


def test_shared_memory_counts_once():
    class Shares(nn.Module):
        def forward(self, x):
            y = x.clone().requires_grad_().exp()  # exp keeps its result
            return y.view(-1, 16) * y.view(-1, 16)  # and the product its factors

    assert activations(Shares(), images()).kept == images().nbytes


def test_parameters_buffers_and_inputs_do_not_count():
    class Given(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.rand(1000, 64))
            self.register_buffer("scale", torch.rand(64))

        def forward(self, x):
            return functional.linear(x.flatten(1) * self.scale, self.weight)

    assert activations(Given(), images()).kept == B * 64 * REAL  # the scaled inputs


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("network", [Conv(channels=(8, 16)), MLP(hidden=(64,)), Recurrent(hidden=(16,))])
def test_as_much_is_held_in_a_real_step(network, packed):
    """What the hooks of a real forward pass see and hold, by address."""
    network = build(network, (1, 16, 16)).train()
    x = images(16, 16)
    expected = activations(network, x, packed).kept
    given = {tensor.untyped_storage().data_ptr() for tensor in (x, *network.parameters(), *network.buffers())}
    held, bits = {}, []

    def hold(tensor):
        kept = pack(tensor) if packed else tensor
        if isinstance(kept, Packed):
            bits.append(kept.values.nbytes)
        elif tensor.untyped_storage().data_ptr() not in given:
            held[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor):
        network(x)
    assert expected == sum(bits) + sum(tensor.untyped_storage().nbytes() for tensor in held.values())
    assert packed or not bits


def test_the_peak_lies_above_what_is_kept():
    found = activations(build(Conv(channels=(8, 16)), (1, 16, 16)), images(16, 16))
    assert found.kept < found.peak < 3 * found.kept


@pytest.mark.parametrize("encoding", [None, Genetic(genes=2, origin="trained")])
def test_nothing_stays_behind(encoding):
    network = build(Conv(channels=(4, 6)), coder=Poisson(steps=T), encoding=encoding).eval()
    before = copy.deepcopy(network.state_dict())
    noise = network.coder.noise.generator.get_state()
    torch_state = torch.get_rng_state()
    first, second = (activations(network, images()) for _ in range(2))
    assert first == second
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(noise, network.coder.noise.generator.get_state())
    assert torch.equal(torch_state, torch.get_rng_state())
    assert not any(module.training for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.skipif(compiler.find_compiler() is None, reason="no C compiler")
def test_the_first_call_of_a_process_counts_what_later_ones_do(monkeypatch):
    network = build(MLP(hidden=(N,)))
    later = activations(network, images())
    monkeypatch.setattr(compiled, "_checked", {})
    assert activations(network, images()) == later
    assert compiled._checked


def test_a_function_that_goes_back_within_the_forward_pass():
    class Inner(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.rand(64))

        def forward(self, x):
            y = (x.flatten(1) * self.weight).square().sum()
            (gradient,) = torch.autograd.grad(y, self.weight)
            return (self.weight - gradient).expand(len(x), -1)

    assert activations(Inner(), images()).kept > 0
