"""What holds for every registered neuron, whatever its equation."""

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor

from spikefront import ThresholdNeuron
from spikefront.components.neuron import State
from spikefront.plugins import load
from spikefront.spiking.layers import NeuronLayer

REGISTRY = load()
NEURONS = REGISTRY.components("neuron")
NOISY = {"noisy-lif"}  # it may fire without input
LINEAR = ["if", "lif", "plif", "alif", "cuba-lif"]


def layer(name: str, *shape: int, **parameters: Any) -> NeuronLayer:
    return NeuronLayer(
        NEURONS[name](**parameters), REGISTRY.components("surrogate")["atan"](), shape, 200, torch.Generator()
    )


def currents(*shape: int, seed: int = 0) -> Tensor:
    return 1.5 * torch.randn(shape, generator=torch.Generator().manual_seed(seed)) + 1.0


def assert_states_equal(a: State, b: State) -> None:
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", NEURONS)
def test_spikes_and_state_have_the_shape_and_type_of_the_currents(name: str) -> None:
    for shape, dtype in [((5, 2, 7), torch.float32), ((3, 2, 4, 5, 5), torch.float64)]:
        x = currents(*shape).to(dtype)
        spikes, state = layer(name, *shape[2:]).run(x)
        assert spikes.shape == x.shape
        assert spikes.dtype == dtype
        assert all(tensor.shape == x.shape[1:] and tensor.dtype == dtype for tensor in state)


@pytest.mark.parametrize("name", NEURONS)
def test_neurons_fire_and_are_silent_at_times(name: str) -> None:
    assert 0.01 < layer(name, 50)(currents(20, 4, 50)).mean() < 0.99


@pytest.mark.parametrize("name", [name for name in NEURONS if name not in NOISY])
def test_zero_input_gives_no_spikes(name: str) -> None:
    """The Izhikevich neuron starts above its rest of -70 mV and sinks to it: no spike either, with its defaults."""
    assert layer(name, 10)(torch.zeros(200, 2, 10)).sum() == 0


def test_izhikevich_sinks_to_its_resting_potential() -> None:
    _, (v, u) = layer("izhikevich", 1).run(torch.zeros(1000, 1, 1))
    # rest: 0.04 v^2 + 5 v + 140 = u = b v, the lower root for b = 0.2
    assert v.item() == pytest.approx(-70, abs=1e-3)
    assert u.item() == pytest.approx(-14, abs=1e-3)


@pytest.mark.parametrize("reset", ["hard", "soft"])
@pytest.mark.parametrize("name", LINEAR)
def test_scaling_threshold_current_and_potential_leaves_the_spikes_unchanged(name: str, reset: str) -> None:
    x, scale = currents(12, 3, 40), 8.0  # a power of two: exact
    extra = {"beta": 1.8} if name == "alif" else {}
    module = layer(name, 40, reset=reset, **extra)
    scaled = layer(name, 40, reset=reset, v_threshold=scale, **{key: scale * value for key, value in extra.items()})
    spikes, (v, *_) = module.run(x)
    scaled_spikes, (scaled_v, *_) = scaled.run(scale * x)
    assert torch.equal(spikes, scaled_spikes)
    assert torch.equal(scale * v, scaled_v)


@pytest.mark.parametrize("reset", ["hard", "soft"])
@pytest.mark.parametrize("name", [name for name, model in NEURONS.items() if issubclass(model, ThresholdNeuron)])
def test_only_the_hard_reset_goes_to_zero(name: str, reset: str) -> None:
    spikes, (v, *_) = layer(name, 200, reset=reset).run(currents(1, 2, 200))
    fired = spikes[0] == 1
    assert fired.any()
    assert (v[fired] == 0).all() == (reset == "hard")


@pytest.mark.parametrize("name", NEURONS)
def test_gradients_reach_every_step_and_all_that_is_trained(name: str) -> None:
    module, x = layer(name, 30), currents(6, 2, 30).requires_grad_()
    module(x).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert (x.grad.flatten(1).abs().sum(1) > 0).all()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in module.parameters())


@pytest.mark.parametrize("name", NEURONS)
def test_discarded_layers_are_freed(name: str) -> None:
    def build_and_drop() -> weakref.ref[NeuronLayer]:
        module = layer(name, 10)
        module(currents(2, 1, 10).requires_grad_()).sum().backward()
        return weakref.ref(module)

    references = [build_and_drop() for _ in range(200)]
    gc.collect()
    assert all(reference() is None for reference in references)
