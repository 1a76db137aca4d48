"""Operators against their printed equations, and against what each one promises beyond the bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront.space import Choice, Integer, Real, Tensor
from spikefront_plugins.operators.array_gaussian import ArrayGaussianMutation
from spikefront_plugins.operators.blend import BlendCrossover
from spikefront_plugins.operators.flip import FlipMutation
from spikefront_plugins.operators.gaussian import GaussianMutation
from spikefront_plugins.operators.polynomial import PolynomialMutation
from spikefront_plugins.operators.sbx import SimulatedBinaryCrossover
from spikefront_plugins.operators.spectral import SpectralMutation
from spikefront_plugins.operators.uniform import UniformCrossover


def rng_with_first_draw(u, tries=200_000):
    """Return a generator whose first uniform draw is close to `u`, and that draw."""
    for seed in range(tries):
        drawn = np.random.default_rng(seed).random()
        if abs(drawn - u) < 0.01:
            return np.random.default_rng(seed), drawn
    raise AssertionError(u)


def sbx_children(x1, x2, low, high, eta, u):
    """Deb and Agrawal's bounded SBX, for x1 < x2, as in the docstring."""

    def q(b):
        a = 2 - b ** -(eta + 1)
        return (u * a) ** (1 / (eta + 1)) if u <= 1 / a else (1 / (2 - u * a)) ** (1 / (eta + 1))

    d = x2 - x1
    c1 = 0.5 * (x1 + x2 - q(1 + 2 * (x1 - low) / d) * d)
    c2 = 0.5 * (x1 + x2 + q(1 + 2 * (high - x2) / d) * d)
    return c1, c2


@pytest.mark.parametrize("u", [0.1, 0.45, 0.55, 0.9])
def test_sbx_equation(u):
    rng, u = rng_with_first_draw(u)
    found = SimulatedBinaryCrossover(eta=3).cross(Real(-1.0, 4.0), 2.5, 0.5, rng)
    lower, upper = sbx_children(0.5, 2.5, -1.0, 4.0, 3, u)
    assert found == pytest.approx((upper, lower), rel=1e-12)


def test_sbx_works_in_the_exponent():
    rng, u = rng_with_first_draw(0.7)
    found = SimulatedBinaryCrossover(eta=2).cross(Real(1e-4, 1.0, log=True), 1e-3, 1e-1, rng)
    assert np.log10(found) == pytest.approx(sbx_children(-3, -1, -4, 0, 2, u), rel=1e-9)


def test_sbx_rounds_integers():
    rng, u = rng_with_first_draw(0.9)
    lower, upper = sbx_children(16, 64, 8, 96, 2, u)
    found = SimulatedBinaryCrossover(eta=2).cross(Integer(8, 96, 8), 16, 64, rng)
    assert found == (8 * round(lower / 8), 8 * round(upper / 8))


def test_sbx_leaves_equal_parents_and_bounds_alone():
    rng = np.random.default_rng(0)
    assert SimulatedBinaryCrossover().cross(Real(0.0, 1.0), 0.3, 0.3, rng) == (0.3, 0.3)
    for _ in range(50):
        low, high = SimulatedBinaryCrossover(eta=0).cross(Real(0.0, 1.0), 0.0, 1.0, rng)
        assert 0.0 <= low <= high <= 1.0


def test_sbx_keeps_the_mean_of_the_parents_far_from_bounds():
    rng = np.random.default_rng(0)
    children = [SimulatedBinaryCrossover(eta=15).cross(Real(-1e6, 1e6), 1.0, 2.0, rng) for _ in range(200)]
    assert np.mean(children, axis=1) == pytest.approx(np.full(200, 1.5), abs=1e-6)
    spreads = np.abs(np.diff(children, axis=1))
    assert np.mean(spreads > 1) == pytest.approx(0.5, abs=0.15)


def test_uniform_swaps():
    a, b = np.zeros(2), np.ones(2)
    first, second = UniformCrossover().cross(Tensor((2,), 1.0), a, b, np.random.default_rng(0))
    assert (first is b, second is a) == (True, True)


@given(st.integers(0, 10_000), st.floats(0, 1))
@settings(deadline=None, max_examples=30)
def test_blend_stays_on_the_line_and_keeps_the_sum(seed, alpha):
    a, b = np.zeros((3, 2), np.float32), np.arange(1, 7, dtype=np.float32).reshape(3, 2)
    first, second = BlendCrossover(alpha=alpha).cross(Tensor((3, 2), 1.0), a, b, np.random.default_rng(seed))
    shares = first / b
    assert np.ptp(shares) < 1e-5
    assert -alpha - 1e-6 <= shares[0, 0] <= 1 + alpha + 1e-6
    assert first + second == pytest.approx(a + b, abs=1e-5)


def test_blend_for_each_entry():
    a, b = np.zeros(1000, np.float32), np.ones(1000, np.float32)
    rng = np.random.default_rng(0)
    first, _ = BlendCrossover(alpha=0.5, draw="entry").cross(Tensor((1000,), 1.0), a, b, rng)
    assert (first.min(), first.max()) == pytest.approx((-0.5, 1.5), abs=0.02)
    assert first.std() == pytest.approx(2 / np.sqrt(12), abs=0.03)


@pytest.mark.parametrize("u", [0.1, 0.5, 0.9])
def test_blend_of_numbers(u):
    rng, u = rng_with_first_draw(u)
    g = 2 * u - 0.5  # alpha = 0.5
    found = BlendCrossover().cross(Real(-9.0, 9.0), 1.0, 3.0, rng)
    assert found == pytest.approx((1 + 2 * g, 3 - 2 * g), rel=1e-12)
    rng, u = rng_with_first_draw(u)
    g = 2 * u - 0.5
    logs = np.log10(BlendCrossover().cross(Real(1e-9, 1e9, log=True), 1e-2, 1e1, rng))
    assert logs == pytest.approx((-2 + 3 * g, 1 - 3 * g), rel=1e-9)


def test_blend_of_numbers_stays_in_the_domain():
    rng = np.random.default_rng(0)
    children = [BlendCrossover(alpha=2.0).cross(Real(0.0, 1.0), 0.0, 1.0, rng) for _ in range(50)]
    assert {0.0, 1.0} < {value for pair in children for value in pair}
    assert all(0 <= value <= 1 for pair in children for value in pair)
    assert BlendCrossover(alpha=0.0).cross(Integer(8, 96, 8), 16, 16, rng) == (16, 16)


@pytest.mark.parametrize("u", [0.05, 0.3, 0.7, 0.95])
def test_polynomial_equation(u):
    rng, u = rng_with_first_draw(u)
    low, high, x, eta = -1.0, 4.0, 0.5, 5
    if u < 0.5:
        share = (2 * u + (1 - 2 * u) * (1 - (x - low) / (high - low)) ** (eta + 1)) ** (1 / (eta + 1)) - 1
    else:
        share = 1 - (2 * (1 - u) + 2 * (u - 0.5) * (1 - (high - x) / (high - low)) ** (eta + 1)) ** (1 / (eta + 1))
    found = PolynomialMutation(eta=eta).mutate(Real(low, high), x, rng)
    assert found == pytest.approx(x + share * (high - low), rel=1e-12)


def test_polynomial_works_in_the_exponent():
    (linear, _), (logarithmic, _) = rng_with_first_draw(0.8), rng_with_first_draw(0.8)
    expected = PolynomialMutation().mutate(Real(-4.0, 0.0), -3.0, linear)
    found = PolynomialMutation().mutate(Real(1e-4, 1.0, log=True), 1e-3, logarithmic)
    assert np.log10(found) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("mutation", [PolynomialMutation(eta=1000), GaussianMutation(sigma=1e-6)])
@pytest.mark.parametrize("domain", [Integer(8, 96, 8), Integer(1, 2), Integer(1, 32, log=True), Integer(3, 10, 4)])
@pytest.mark.parametrize("end", ["low", "high", "middle"])
def test_an_integer_always_moves_a_step(mutation, domain, end):
    top = domain.project(domain.high)
    start = {"low": domain.low, "high": top, "middle": domain.project((domain.low + top) / 2)}[end]
    found = {mutation.mutate(domain, start, np.random.default_rng(seed)) for seed in range(30)}
    assert found == {value for value in (start - domain.step, start + domain.step) if domain.contains(value)}


@pytest.mark.parametrize("mutation", [PolynomialMutation(), GaussianMutation()])
def test_a_domain_of_one_value_stays(mutation):
    rng = np.random.default_rng(0)
    assert mutation.mutate(Integer(4, 4), 4, rng) == 4
    assert mutation.mutate(Integer(4, 6, 5), 4, rng) == 4
    assert mutation.mutate(Real(0.5, 0.5), 0.5, rng) == 0.5


def test_gaussian_spread_is_a_share_of_the_range():
    rng = np.random.default_rng(0)
    moves = [GaussianMutation(sigma=0.05).mutate(Real(0.0, 20.0), 10.0, rng) - 10.0 for _ in range(2000)]
    assert np.std(moves) == pytest.approx(1.0, abs=0.06)
    moves = [GaussianMutation(sigma=0.05).mutate(Real(1e-4, 1.0, log=True), 1e-2, rng) for _ in range(2000)]
    assert np.std(np.log10(moves)) == pytest.approx(0.2, abs=0.012)


def test_flip_takes_all_others_equally_often():
    rng = np.random.default_rng(0)
    domain = Choice(("a", (1, 2), 1, 1.0))
    flipped = [FlipMutation().mutate(domain, [1, 2], rng) for _ in range(3000)]
    counts = [sum(value == other and type(value) is type(other) for value in flipped) for other in ("a", 1, 1.0)]
    assert sum(counts) == 3000
    assert all(abs(count - 1000) < 5 * np.sqrt(3000 * 2 / 9) for count in counts)
    assert FlipMutation().mutate(Choice(("a",)), "a", rng) == "a"


def test_array_gaussian_noise_and_density():
    value = np.full((200, 200), 3.0, np.float32)
    domain = Tensor((200, 200), 0.5)
    noise = ArrayGaussianMutation(sigma=0.2).mutate(domain, value, np.random.default_rng(0)) - value
    assert noise.std() == pytest.approx(0.1, rel=0.02)
    assert (noise != 0).mean() > 0.99
    sparse = ArrayGaussianMutation(sigma=0.2, density=0.1).mutate(domain, value, np.random.default_rng(0)) - value
    assert (sparse != 0).mean() == pytest.approx(0.1, abs=0.01)
    assert sparse[sparse != 0].std() == pytest.approx(0.1, rel=0.05)


def test_array_gaussian_touches_one_entry_at_least():
    value = np.zeros(5, np.float32)
    for seed in range(20):
        found = ArrayGaussianMutation(density=1e-9).mutate(Tensor((5,), 1.0), value, np.random.default_rng(seed))
        assert np.count_nonzero(found) == 1


@pytest.mark.parametrize("shape", [(6, 6), (4, 7), (3, 5, 5), (2, 3, 5, 5)])
def test_spectral_keeps_norm_and_singular_vectors(shape):
    value = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    found = SpectralMutation(sigma=0.5).mutate(Tensor(shape, 1.0), value, np.random.default_rng(2))
    norms = [np.linalg.norm(array.reshape(-1, *shape[-2:]), axis=(1, 2)) for array in (value, found)]
    assert norms[0] == pytest.approx(norms[1], rel=1e-5)
    for before, after in zip(value.reshape(-1, *shape[-2:]), found.reshape(-1, *shape[-2:]), strict=True):
        left, singular, right = np.linalg.svd(before.astype(np.float64), full_matrices=False)
        inner = left.T @ after @ right.T
        assert inner - np.diag(np.diag(inner)) == pytest.approx(0, abs=1e-5)
        assert np.max(np.abs(np.log(np.diag(inner) / singular))) > 0.05


def test_spectral_noise_has_the_given_size():
    value = np.diag(np.linspace(1, 2, 40)).astype(np.float32)
    changed = [
        np.diag(SpectralMutation(sigma=0.3).mutate(Tensor((40, 40), 1.0), value, np.random.default_rng(seed)))
        for seed in range(20)
    ]
    logs = np.log(np.array(changed) / np.diag(value))
    assert (logs - logs.mean(axis=1, keepdims=True)).std() == pytest.approx(0.3, rel=0.1)


def test_spectral_fits_matrices_only_and_survives_zeros():
    assert SpectralMutation().fits("o", Tensor((2, 2, 2), 1.0))
    assert not SpectralMutation().fits("o", Tensor((4,), 1.0))
    assert not SpectralMutation().fits("o", Real(0.0, 1.0))
    zeros = np.zeros((3, 3), np.float32)
    assert not SpectralMutation().mutate(Tensor((3, 3), 1.0), zeros, np.random.default_rng(0)).any()
