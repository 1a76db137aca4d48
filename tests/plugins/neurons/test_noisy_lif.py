"""The noisy LIF neuron against distributions of scipy, and integrals of them."""

import math
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from scipy import integrate, stats
from torch import Tensor, nn
from torch.nn import functional

from spikefront import NeuronModel
from spikefront.components import Parts
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.spiking.layers import NeuronLayer
from spikefront_plugins.coders.direct import Direct as DirectCoder
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.networks.mlp import MLP
from spikefront_plugins.neurons._noise import NOISES
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.neurons.noisy_lif import NoisyLIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.surrogates.gaussian import Gaussian
from spikefront_plugins.synapses.dense import Dense

KINDS = sorted(NOISES)
REFERENCE = {
    "gaussian": stats.norm,
    "logistic": stats.logistic,
    "triangular": stats.triang(0.5, loc=-1, scale=2),
    "uniform": stats.uniform(loc=-1, scale=2),
}
"""Each kind at scale 1."""

# F and f at v = -0.1 with scale 0.3, computed from the printed equations
GOLDEN = {
    "gaussian": (0.36944, 1.25794),
    "logistic": (0.41743, 0.81061),
    "triangular": (0.22222, 2.22222),
    "uniform": (0.33333, 1.66667),
}
DISTANCES = (-0.4, -0.1, 0.0, 0.1, 0.4)
DRAWS = 400_000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def run(model: NeuronModel, x: Tensor, seed: int = 0, surrogate: Any = None) -> tuple[Tensor, Tensor]:
    """Return spikes and the last potential."""
    spikes, (v,) = model.sequence(x, model.initial_state(x[0]), {}, surrogate or ATan(), generator(seed))
    return spikes, v


def rate(model: NeuronModel, *currents: float, seed: int = 0) -> float:
    """Return the share of many neurons that fire in the last of some steps."""
    x = torch.tensor(currents).reshape(-1, 1, 1).expand(-1, 1, DRAWS)
    return float(run(model, x, seed)[0][-1].mean())


def assert_rate(found: float, expected: float) -> None:
    assert abs(found - expected) <= 3 * math.sqrt(max(expected * (1 - expected), 1e-12) / DRAWS)


# The noise


@pytest.mark.parametrize("kind", KINDS)
def test_probability_and_density_have_the_printed_values(kind: str) -> None:
    noise, v = NOISES[kind](scale=0.3), torch.tensor([-0.1], dtype=torch.float64)
    assert noise.probability(v).item() == pytest.approx(GOLDEN[kind][0], abs=5e-6)
    assert noise.derivative(v).item() == pytest.approx(GOLDEN[kind][1], abs=5e-6)


@pytest.mark.parametrize("scale", [0.1, 0.3, 2.0])
@pytest.mark.parametrize("kind", KINDS)
def test_probability_density_and_quantile_are_those_of_the_distribution(kind: str, scale: float) -> None:
    noise, v = NOISES[kind](scale=scale), torch.linspace(-1.5, 1.5, 400, dtype=torch.float64)  # no kink is hit
    cdf, pdf = REFERENCE[kind].cdf(v / scale), REFERENCE[kind].pdf(v / scale) / scale
    torch.testing.assert_close(noise.probability(v), torch.from_numpy(cdf), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(noise.derivative(v), torch.from_numpy(pdf), rtol=1e-9, atol=1e-12)
    p = torch.linspace(0.001, 0.999, 101, dtype=torch.float64)
    expected = torch.from_numpy(scale * REFERENCE[kind].ppf(p))
    torch.testing.assert_close(noise.quantile(p), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_density_has_area_one_is_even_and_the_slope_of_the_probability(kind: str) -> None:
    noise = NOISES[kind](scale=0.3)
    v = torch.linspace(-12, 12, 1_200_001, dtype=torch.float64)
    density = noise.derivative(v)
    assert torch.trapezoid(density, v).item() == pytest.approx(1, abs=1e-4)
    torch.testing.assert_close(density, density.flip(0))
    points, step = torch.arange(-100, 100, dtype=torch.float64) * 0.01 + 0.00317, 1e-6  # beside the kinks
    slope = (noise.probability(points + step) - noise.probability(points - step)) / (2 * step)
    torch.testing.assert_close(noise.derivative(points), slope, rtol=0, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_uniform_numbers_of_zero_and_one_give_finite_noise(kind: str) -> None:
    r = torch.tensor([0.0, 1 - 2.0**-24])
    assert NOISES[kind](scale=0.3).sample(r).isfinite().all()


# How often it fires


@pytest.mark.parametrize("noise_in", ["firing", "potential"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_rate_is_the_distribution_function(kind: str, noise_in: str) -> None:
    model = NoisyLIF(noise=kind, noise_in=noise_in)
    for number, distance in enumerate(DISTANCES):
        assert_rate(rate(model, 1 + distance, seed=number), float(REFERENCE[kind].cdf(distance / 0.3)))


def test_two_draws_are_as_wide_as_the_square_root_of_two_says() -> None:
    assert_rate(rate(NoisyLIF(), 0.9), stats.norm.cdf(-0.1 / 0.3))
    assert_rate(rate(NoisyLIF(noise_in="both"), 0.9), stats.norm.cdf(-0.1 / (0.3 * math.sqrt(2))))


@pytest.mark.parametrize("noise_in", ["firing", "potential"])
def test_the_scale_belongs_to_the_potential_also_where_the_input_is_scaled(noise_in: str) -> None:
    model = NoisyLIF(noise_in=noise_in, decay_input=True, tau=4.0)
    assert_rate(rate(model, 3.6), stats.norm.cdf(-0.1 / 0.3))


@pytest.mark.parametrize("kind", KINDS)
def test_noise_that_stays_changes_later_rates_and_not_the_first(kind: str) -> None:
    x, threshold = 0.8, 1.0
    noise = REFERENCE[kind]

    def cdf(v: float) -> float:
        return float(noise.cdf(v / 0.3))

    def stays(e: float) -> float:
        """Density of noise e in the first step, without a spike, times the probability of one in the second."""
        return float(noise.pdf(e / 0.3)) / 0.3 * cdf((x + e) / 2 + x - threshold)

    fired = cdf(x - threshold)
    after_reset = fired * fired
    silent, _ = integrate.quad(stays, -3, threshold - x, points=[-0.3, 0.0], limit=200)
    forgets, keeps = after_reset + (1 - fired) * cdf(x / 2 + x - threshold), after_reset + silent
    assert abs(forgets - keeps) > 0.01
    assert_rate(rate(NoisyLIF(noise=kind), x, x), forgets)
    assert_rate(rate(NoisyLIF(noise=kind, noise_in="potential"), x, x), keeps)


def test_both_forms_fire_alike_in_the_first_step_for_the_same_numbers() -> None:
    x = 0.8 + 0.5 * torch.randn(3, 4, 500, generator=generator(), dtype=torch.float64)
    firing, potential = (run(NoisyLIF(noise_in=where), x, seed=3)[0] for where in ("firing", "potential"))
    assert torch.equal(firing[0], potential[0])
    assert not torch.equal(firing[1], potential[1])


# Its deterministic limits


@pytest.mark.parametrize("reset", ["hard", "soft"])
@pytest.mark.parametrize("noise_in", ["firing", "potential", "both"])
@pytest.mark.parametrize("kind", KINDS)
def test_without_width_it_is_lif(kind: str, noise_in: str, reset: str) -> None:
    x = 0.8 + torch.randn(12, 4, 60, generator=generator(1), dtype=torch.float64)
    model = NoisyLIF(noise=kind, noise_in=noise_in, scale=1e-6, reset=reset)
    assert torch.equal(run(model, x)[0], run(LIF(decay_input=False, reset=reset), x)[0])


@pytest.mark.parametrize("settings", [{}, {"reset": "soft", "decay_input": True}, {"detach_reset": False}])
@pytest.mark.parametrize("kind", KINDS)
def test_the_twin_is_lif_with_the_density_for_surrogate(kind: str, settings: dict[str, Any]) -> None:
    x = 0.8 + torch.randn(9, 4, 60, generator=generator(1), dtype=torch.float64)
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    twin = run(NoisyLIF(noise=kind, noise_in="nowhere", **settings), a)
    lif = run(LIF(**({"decay_input": False} | settings)), b, surrogate=NOISES[kind](scale=0.3))
    assert torch.equal(twin[0], lif[0])
    weights = torch.randn(x.shape, generator=generator(2), dtype=torch.float64)
    for spikes in (twin[0], lif[0]):
        (spikes * weights).sum().backward()
    torch.testing.assert_close(a.grad, b.grad, rtol=1e-9, atol=0)
    assert a.grad.abs().sum() > 0


# Gradients


@pytest.mark.parametrize("noise_in", ["firing", "nowhere"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_a_spike_is_the_density(kind: str, noise_in: str) -> None:
    distances = torch.linspace(-0.5, 0.5, 50, dtype=torch.float64)
    x = (1 + distances).reshape(1, 1, -1).requires_grad_()
    run(NoisyLIF(noise=kind, noise_in=noise_in), x)[0].sum().backward()
    expected = torch.from_numpy(REFERENCE[kind].pdf(distances / 0.3) / 0.3)
    torch.testing.assert_close(x.grad.flatten(), expected, rtol=1e-9, atol=1e-12)


def test_the_gradient_through_time_is_the_chain_of_densities() -> None:
    """d s_2 / d x_1 = f(h_2 - 1) (1 - s_1) / 2, and d s_1 / d x_1 = f(h_1 - 1), with a detached reset."""
    x = torch.tensor([0.7, 0.6], dtype=torch.float64).reshape(2, 1, 1).expand(2, 1, 400).clone().requires_grad_()
    spikes, _ = run(NoisyLIF(), x)
    (through,) = torch.autograd.grad(spikes[1].sum(), x)
    fired = spikes[0].detach().flatten()
    h = 0.35 * (1 - fired) + 0.6
    expected = torch.from_numpy(stats.norm.pdf(h - 1, scale=0.3)) * (1 - fired) / 2
    torch.testing.assert_close(through[0].flatten(), expected, rtol=1e-9, atol=1e-12)
    assert 0 < fired.sum() < len(fired)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_the_slope_of_the_mean_output(kind: str) -> None:
    model, step = NoisyLIF(noise=kind), 0.02
    slope = (rate(model, 0.9 + step) - rate(model, 0.9 - step)) / (2 * step)  # by the same numbers
    assert slope == pytest.approx(GOLDEN[kind][1], rel=0.05)


def test_another_surrogate_counts_only_where_it_is_asked_for() -> None:
    x = torch.full((1, 1, 1), 0.9, dtype=torch.float64).requires_grad_()
    found = []
    for derivative in ("density", "surrogate"):
        (gradient,) = torch.autograd.grad(run(NoisyLIF(derivative=derivative), x)[0].sum(), x)
        found.append(gradient.item())
    assert found == pytest.approx([stats.norm.pdf(-0.1, scale=0.3), 1 / (1 + (0.1 * math.pi) ** 2)])


def test_the_peak_of_the_density_scales_the_gradient_of_each_layer_as_a_whole() -> None:
    """So that an optimiser that divides by the size of the gradient does not see it."""
    peak = 1 / (0.3 * math.sqrt(2 * math.pi))
    settings: dict[str, Any] = {"noise_in": "nowhere", "v_threshold": 0.5}
    gradients = []
    for neuron in (NoisyLIF(**settings), NoisyLIF(**settings, derivative="surrogate")):
        peaked = Gaussian(alpha=1 / (0.3 * math.sqrt(2)))
        parts = Parts(MLP(hidden=(30, 20)), (neuron,), peaked, Dense(), DirectCoder(steps=4), Direct())
        network = parts.build((12,), 3, Streams(0))
        inputs = torch.rand(16, 12, generator=generator())
        functional.cross_entropy(network(inputs).mean(0), torch.arange(16) % 3).backward()
        gradients.append([layer.weight.grad for layer in network.modules() if isinstance(layer, nn.Linear)])
    for density, normalised, power in zip(*gradients, (2, 1, 0), strict=True):
        assert normalised.abs().sum() > 0
        torch.testing.assert_close(density, peak**power * normalised, rtol=1e-4, atol=1e-7)


# Randomness


@pytest.mark.parametrize("noise_in", ["firing", "potential", "both"])
def test_the_same_generator_gives_the_same_spikes(noise_in: str) -> None:
    model, x = NoisyLIF(noise_in=noise_in), torch.full((6, 3, 50), 0.6)
    assert torch.equal(run(model, x, seed=1)[0], run(model, x, seed=1)[0])
    assert not torch.equal(run(model, x, seed=1)[0], run(model, x, seed=2)[0])


def test_noise_acts_in_evaluation_as_well() -> None:
    layer = NeuronLayer(NoisyLIF(), ATan(), (50,), 6, generator()).eval()
    x = torch.full((6, 3, 50), 0.6)
    assert not torch.equal(layer(x), layer(x))


def test_numbers_are_drawn_in_the_order_of_the_currents() -> None:
    """Step by step, and within a step sample by sample: a batch is not its samples one after the other."""
    model, x = NoisyLIF(), torch.full((5, 2, 40), 0.7)
    numbers = torch.rand(5, 2, 40, generator=generator(4))
    v, expected = torch.zeros(2, 40), []
    for r in numbers:
        h = v / 2 + 0.7
        s = (r < torch.from_numpy(stats.norm.cdf((h - 1) / 0.3))).float()
        v = h * (1 - s)
        expected.append(s)
    together = run(model, x, seed=4)[0]
    assert torch.equal(together, torch.stack(expected))
    source = generator(4)
    alone = [model.sequence(one, model.initial_state(one[0]), {}, ATan(), source)[0] for one in x.split(1, dim=1)]
    assert not torch.equal(together, torch.cat(alone, 1))


@pytest.mark.parametrize("wrong", [{"scale": 0.0}, {"noise": "cauchy"}, {"noise_in": "weights"}, {"tau": 1.0}])
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        NoisyLIF(**wrong)


def test_it_comes_through_the_hook() -> None:
    assert load().get(NeuronModel, "noisy-lif") is NoisyLIF
