"""Every registered surrogate is the derivative of its primitive, even, never negative, and 1 at its peak."""

import math

import pytest
import torch
from pydantic import ValidationError

from spikefront import Surrogate
from spikefront.plugins import load

SURROGATES = load().components("surrogate")
ALPHAS = [0.5, 1.0, 2.0, 4.0, 7.3]
CASES = [
    pytest.param(surrogate, alpha, id=f"{name}-{alpha}") for name, surrogate in SURROGATES.items() for alpha in ALPHAS
]
# steps of 0.01 that avoid the kinks of the piecewise surrogates at multiples of 1 / (2 alpha)
POINTS = torch.arange(-500, 500, dtype=torch.float64) * 0.01 + 0.00317

AREAS = {
    "atan": lambda alpha: 2 / alpha,
    "sigmoid": lambda alpha: 4 / alpha,
    "triangle": lambda alpha: 1 / alpha,
    "gaussian": lambda alpha: math.sqrt(math.pi) / alpha,
    "rectangle": lambda alpha: 1 / alpha,
}

# derivative at v = 0.3 with the default slope, from the printed equations
GOLDEN = {
    "atan": 1 / (1 + (0.3 * math.pi) ** 2),
    "sigmoid": 1 / math.cosh(0.6) ** 2,
    "triangle": 0.7,
    "gaussian": math.exp(-0.36),
    "rectangle": 1.0,
}


def test_the_built_in_surrogates_are_registered() -> None:
    assert set(GOLDEN) <= set(SURROGATES)


@pytest.mark.parametrize(("surrogate", "alpha"), CASES)
def test_derivative_is_that_of_the_primitive(surrogate: type[Surrogate], alpha: float) -> None:
    component, step = surrogate(alpha=alpha), 1e-6
    difference = (component.primitive(POINTS + step) - component.primitive(POINTS - step)) / (2 * step)
    torch.testing.assert_close(component.derivative(POINTS), difference, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("surrogate", "alpha"), CASES)
def test_primitive_is_zero_at_the_threshold(surrogate: type[Surrogate], alpha: float) -> None:
    assert surrogate(alpha=alpha).primitive(torch.zeros(1, dtype=torch.float64)).item() == 0


@pytest.mark.parametrize(("surrogate", "alpha"), CASES)
def test_derivative_is_even_and_never_negative(surrogate: type[Surrogate], alpha: float) -> None:
    derivative = surrogate(alpha=alpha).derivative
    torch.testing.assert_close(derivative(POINTS), derivative(-POINTS))
    assert (derivative(POINTS) >= 0).all()


@pytest.mark.parametrize(("surrogate", "alpha"), CASES)
def test_peak_is_one_at_the_threshold(surrogate: type[Surrogate], alpha: float) -> None:
    derivative = surrogate(alpha=alpha).derivative
    assert derivative(torch.zeros(1, dtype=torch.float64)).item() == pytest.approx(1, abs=1e-12)
    assert (derivative(POINTS) <= 1 + 1e-12).all()


@pytest.mark.parametrize(("surrogate", "alpha"), CASES)
def test_area_is_finite(surrogate: type[Surrogate], alpha: float) -> None:
    far = torch.tensor([1e4, 1e8], dtype=torch.float64)
    near, distant = (surrogate(alpha=alpha).primitive(far) - surrogate(alpha=alpha).primitive(-far)).tolist()
    assert math.isfinite(distant)
    assert near == pytest.approx(distant, rel=1e-3)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("name", AREAS)
def test_area_is_the_printed_one(name: str, alpha: float) -> None:
    component = SURROGATES[name](alpha=alpha)
    v = torch.linspace(-2000, 2000, 4_000_001, dtype=torch.float64)
    assert torch.trapezoid(component.derivative(v), v).item() == pytest.approx(AREAS[name](alpha), rel=1e-2)


@pytest.mark.parametrize("name", GOLDEN)
def test_derivative_has_the_printed_value(name: str) -> None:
    v = torch.tensor([0.3], dtype=torch.float64)
    assert SURROGATES[name]().derivative(v).item() == pytest.approx(GOLDEN[name], rel=1e-12)


@pytest.mark.parametrize("name", SURROGATES)
def test_derivative_keeps_shape_and_type_and_leaves_its_input_alone(name: str) -> None:
    v = torch.linspace(-1, 1, 12).reshape(3, 4)
    before = v.clone()
    derivative = SURROGATES[name]().derivative(v)
    assert derivative.shape == v.shape
    assert derivative.dtype == v.dtype
    assert torch.equal(v, before)


@pytest.mark.parametrize("name", SURROGATES)
@pytest.mark.parametrize("alpha", [0.0, -1.0])
def test_slope_must_be_positive(name: str, alpha: float) -> None:
    with pytest.raises(ValidationError, match="alpha"):
        SURROGATES[name](alpha=alpha)
