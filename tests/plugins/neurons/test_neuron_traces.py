"""Golden traces: every neuron against a float64 loop written from its printed equation."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from spikefront import NeuronModel
from spikefront.plugins import load

REGISTRY = load()
NEURONS = REGISTRY.components("neuron")
T = 60

Trace = tuple[list[float], list[float]]


def inputs(seed: int, mean: float, spread: float) -> list[float]:
    return [float(value) for value in np.random.default_rng(seed).normal(mean, spread, T)]


def run(model: NeuronModel, x: list[float]) -> Trace:
    """Return the spikes and the recorded potential of each step, in float64."""
    current = torch.tensor(x, dtype=torch.float64).reshape(-1, 1, 1)
    state = model.initial_state(current[0])
    trained = {name: value.double() for name, value in model.trained((1,), 1, torch.Generator()).items()}
    surrogate, generator = REGISTRY.components("surrogate")["atan"](), torch.Generator()
    spikes, potentials = [], []
    for step in current.split(1):
        s, state = model.sequence(step, state, trained, surrogate, generator)
        spikes.append(s.item())
        potentials.append(state[0].item())
    return spikes, potentials


def reset(h: float, fires: bool, threshold: float, kind: str) -> float:
    if not fires:
        return h
    return 0.0 if kind == "hard" else h - threshold


def integrate_and_fire(x: list[float], kind: str, threshold: float) -> Trace:
    v, spikes, potentials = 0.0, [], []
    for current in x:
        h = v + current
        fires = h >= threshold
        v = reset(h, fires, threshold, kind)
        spikes.append(float(fires))
        potentials.append(v)
    return spikes, potentials


def lif(x: list[float], kind: str, threshold: float, tau: float, decay_input: bool) -> Trace:
    v, spikes, potentials = 0.0, [], []
    for current in x:
        h = v + (current - v) / tau if decay_input else v + current - v / tau
        fires = h >= threshold
        v = reset(h, fires, threshold, kind)
        spikes.append(float(fires))
        potentials.append(v)
    return spikes, potentials


def alif(x: list[float], kind: str, threshold: float, tau: float, tau_adaptation: float, beta: float) -> Trace:
    v, a, spikes, potentials = 0.0, 0.0, [], []
    for current in x:
        h = v + (current - v) / tau
        moving = threshold + beta * a
        fires = h >= moving
        v = reset(h, fires, moving, kind)
        a = a + (float(fires) - a) / tau_adaptation
        spikes.append(float(fires))
        potentials.append(v)
    return spikes, potentials


def cuba_lif(x: list[float], kind: str, threshold: float, tau: float, tau_synapse: float, decay_input: bool) -> Trace:
    v, i, spikes, potentials = 0.0, 0.0, [], []
    for current in x:
        i = i * (1 - 1 / tau_synapse) + current
        h = v + (i - v) / tau if decay_input else v * (1 - 1 / tau) + i
        fires = h >= threshold
        v = reset(h, fires, threshold, kind)
        spikes.append(float(fires))
        potentials.append(v)
    return spikes, potentials


def izhikevich(x: list[float], a: float, b: float, c: float, d: float, scale: float) -> Trace:
    """The published order: test and reset at the start of a step. Entry t + 1 belongs to our step t."""
    v, u = -65.0, b * -65.0
    spikes, potentials = [], []
    for current in [*x, 0.0]:
        fires = v >= 30
        if fires:
            v, u = c, u + d
        spikes.append(float(fires))
        potentials.append(v)
        v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + scale * current)
        v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + scale * current)
        u = u + a * (b * v - u)
    return spikes[1:], potentials[1:]


def assert_same(ours: Trace, golden: Trace) -> None:
    assert 3 < sum(golden[0]) < T - 3, "the test would say nothing"
    assert ours[0] == golden[0]
    assert ours[1] == pytest.approx(golden[1], rel=1e-9, abs=1e-12)


GRID = [(kind, threshold) for kind in ("hard", "soft") for threshold in (1.0, 0.63)]


@pytest.mark.parametrize(("kind", "threshold"), GRID)
def test_if(kind: str, threshold: float) -> None:
    x = inputs(1, 0.4, 0.5)
    model = NEURONS["if"](v_threshold=threshold, reset=kind)
    assert_same(run(model, x), integrate_and_fire(x, kind, threshold))


@pytest.mark.parametrize("decay_input", [True, False])
@pytest.mark.parametrize(("kind", "threshold"), GRID)
@pytest.mark.parametrize("name", ["lif", "plif"])
def test_lif_and_plif(name: str, kind: str, threshold: float, decay_input: bool) -> None:
    x = inputs(2, 1.3, 1.5) if decay_input else inputs(3, 0.5, 0.5)
    model = NEURONS[name](v_threshold=threshold, reset=kind, tau=3.5, decay_input=decay_input)
    golden = lif(x, kind, threshold, 3.5, decay_input)
    if name == "lif":
        assert_same(run(model, x), golden)
    else:  # w is stored in float32
        ours = run(model, x)
        assert ours[0] == golden[0]
        assert ours[1] == pytest.approx(golden[1], rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("tau", [1.1, 2.0, 20.0])
def test_plif_starts_with_its_time_constant(tau: float) -> None:
    w = NEURONS["plif"](tau=tau).trained((3,), 1, torch.Generator())["w"]
    assert w.shape == ()
    assert 1 + math.exp(-w.item()) == pytest.approx(tau, rel=1e-6)


def test_plif_trains_its_time_constant_in_the_right_direction() -> None:
    """More leak of the input raises v: with x > v the gradient of v with respect to w is k (1 - k) (x - v)."""
    model = NEURONS["plif"](tau=4.0, v_threshold=10.0)
    w = model.trained((1,), 1, torch.Generator())["w"].requires_grad_()
    x = torch.full((1, 1, 1), 2.0)
    surrogate = REGISTRY.components("surrogate")["atan"]()
    _, (v,) = model.sequence(x, (torch.full((1, 1), 0.5),), {"w": w}, surrogate, torch.Generator())
    (gradient,) = torch.autograd.grad(v.sum(), w)
    assert gradient.item() == pytest.approx(0.25 * 0.75 * 1.5, rel=1e-6)


@pytest.mark.parametrize(("kind", "threshold"), GRID)
def test_alif(kind: str, threshold: float) -> None:
    x = inputs(4, 1.8, 1.5)
    model = NEURONS["alif"](v_threshold=threshold, reset=kind, tau=2.5, tau_adaptation=6.0, beta=1.3)
    assert_same(run(model, x), alif(x, kind, threshold, 2.5, 6.0, 1.3))


def test_alif_without_adaptation_is_lif() -> None:
    x = inputs(5, 1.3, 1.5)
    assert run(NEURONS["alif"](beta=0.0), x) == run(NEURONS["lif"](), x)


@pytest.mark.parametrize("decay_input", [True, False])
@pytest.mark.parametrize(("kind", "threshold"), GRID)
def test_cuba_lif(kind: str, threshold: float, decay_input: bool) -> None:
    x = inputs(6, 0.4, 0.6) if decay_input else inputs(7, 0.2, 0.4)
    model = NEURONS["cuba-lif"](v_threshold=threshold, reset=kind, tau=3.5, tau_synapse=2.2, decay_input=decay_input)
    assert_same(run(model, x), cuba_lif(x, kind, threshold, 3.5, 2.2, decay_input))


CELLS: dict[str, dict[str, float]] = {
    "regular spiking": {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0},
    "fast spiking": {"a": 0.1, "b": 0.2, "c": -65.0, "d": 2.0},
    "chattering": {"a": 0.02, "b": 0.2, "c": -50.0, "d": 2.0},
    "intrinsically bursting": {"a": 0.02, "b": 0.2, "c": -55.0, "d": 4.0},
    "low threshold": {"a": 0.02, "b": 0.25, "c": -65.0, "d": 2.0},
}


@pytest.mark.parametrize("cell", CELLS)
def test_izhikevich(cell: str) -> None:
    x = inputs(8, 2.0, 1.5)
    ours, golden = (
        run(NEURONS["izhikevich"](**CELLS[cell], input_scale=10.0), x),
        izhikevich(x, **CELLS[cell], scale=10.0),
    )
    assert sum(golden[0]) >= 3
    assert ours[0] == golden[0]
    assert ours[1] == pytest.approx(golden[1], rel=1e-8)


def izhikevich_spike_times(current: float, **cell: float) -> list[int]:
    """Times in ms at which the published scheme sees v >= 30 in 1,000 steps of constant current."""
    spikes, _ = run(NEURONS["izhikevich"](**cell, input_scale=1.0), [current] * 999)
    return [t + 1 for t, s in enumerate(spikes) if s]


@pytest.mark.parametrize(("cell", "count"), zip(CELLS, [20, 63, 43, 27, 44], strict=True))
def test_izhikevich_fires_as_often_as_known(cell: str, count: int) -> None:
    assert len(izhikevich_spike_times(10.0, **CELLS[cell])) == count


def test_izhikevich_regular_spiking_times_and_threshold_current() -> None:
    cell = CELLS["regular spiking"]
    assert izhikevich_spike_times(10.0, **cell)[:4] == [4, 31, 79, 141]
    assert [len(izhikevich_spike_times(current, **cell)) for current in (3.0, 4.0, 5.0)] == [0, 7, 10]


def open_spike(v: torch.Tensor) -> torch.Tensor:
    """A spike with a surrogate of 1 everywhere."""
    return (v >= 0).to(v) + v - v.detach()


@pytest.mark.parametrize("c", [-65.0, -50.0])
def test_izhikevich_reset_takes_part_in_the_gradient_on_request(c: float) -> None:
    h, slope = 29.0, 0.0
    for _ in range(2):  # dh/dx by hand, from the half steps
        slope = slope + 0.5 * ((0.08 * h + 5) * slope + 10)
        h = h + 0.5 * (0.04 * h**2 + 5 * h + 140 + 13 + 10)
    of_spike = slope / (30 - c)
    expected = {
        True: [of_spike, 0, 0.02 * 0.2 * slope],
        False: [of_spike, (c - h) * of_spike, 0.004 * slope + 8 * of_spike],
    }
    for detach, gradients in expected.items():
        model: Any = NEURONS["izhikevich"](detach_reset=detach, c=c)
        x = torch.full((1,), 1.0, dtype=torch.float64, requires_grad=True)
        s, (v, u) = model.step(x, (torch.full_like(x, 29.0), torch.full_like(x, -13.0)), {}, open_spike)
        found = [torch.autograd.grad(output, x, retain_graph=True)[0].item() for output in (s, v, u)]
        assert s.item() == 1
        assert found == pytest.approx(gradients, rel=1e-9)


def test_alif_passes_gradients_through_its_threshold() -> None:
    """The second spike depends on the first input through a alone: the hard reset has cut the potential."""
    model: Any = NEURONS["alif"](tau=2.0, tau_adaptation=5.0, beta=1.5)
    x = torch.tensor([3.0], dtype=torch.float64, requires_grad=True)
    _, state = model.step(x, model.initial_state(x.detach()), {}, open_spike)
    second, _ = model.step(torch.tensor([1.0], dtype=torch.float64), state, {}, open_spike)
    assert torch.autograd.grad(second, x)[0].item() == pytest.approx(-1.5 / 5 * 0.5)
