"""The contract of surrogates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch

from spikefront.components import Surrogate
from spikefront.testing._contract import ComponentContract, require, skip, told

POINTS = torch.arange(-500, 500, dtype=torch.float64) * 0.01 + 0.00317
"""Steps of 0.01 over +-5 that avoid round numbers, where surrogates made of pieces have their kinks."""

_C: dict[str, Callable[..., Any]] = {
    "square": lambda v: v * v,
    "magnitude": abs,
    "larger": max,
    "exponential": math.exp,
}


class SurrogateContract(ComponentContract[Surrogate]):
    """What holds for a surrogate."""

    kind: ClassVar[str] = "surrogate"

    def exercise(self, component: Surrogate) -> None:
        component.derivative(POINTS.clone())
        component.primitive(POINTS.clone())
        component.scalar()

    def test_it_is_even(self, component: Surrogate) -> None:
        """The derivative is the same on both sides of the threshold."""
        left, right = component.derivative(-POINTS), component.derivative(POINTS.clone())
        worst = int((left - right).abs().argmax())
        require(
            torch.allclose(left, right, rtol=1e-9, atol=1e-12),
            f"{told(component)}: the derivative is {float(right[worst]):g} at v = {float(POINTS[worst]):g} and "
            f"{float(left[worst]):g} at {-float(POINTS[worst]):g}; it has to be even",
        )

    def test_it_is_never_negative(self, component: Surrogate) -> None:
        """The derivative is never below 0, and finite."""
        values = component.derivative(POINTS.clone())
        require(
            bool(values.isfinite().all()) and float(values.min()) >= 0,
            f"{told(component)}: the smallest derivative is {float(values.min()):g}; it has to be finite and >= 0",
        )

    def test_its_peak_is_one_at_the_threshold(self, component: Surrogate) -> None:
        """The derivative is 1 at v = 0 and nowhere larger: another shape does not change the scale of gradients."""
        peak = float(component.derivative(torch.zeros(1, dtype=torch.float64)))
        largest = float(component.derivative(POINTS.clone()).max())
        require(
            abs(peak - 1) <= 1e-9 and largest <= 1 + 1e-9,
            f"{told(component)}: the derivative is {peak:g} at v = 0 and {largest:g} at most; it has to be 1 at v = 0, "
            "and nowhere larger: divide by the peak",
        )

    def test_its_tails_fall(self, component: Surrogate) -> None:
        """The derivative does not rise away from the threshold."""
        points = POINTS[POINTS > 0]
        values = component.derivative(points.clone())
        require(
            bool((values.diff() <= 1e-12).all()),
            f"{told(component)}: the derivative rises at v = {float(points[1:][values.diff().argmax()]):g}; "
            "it has to fall, or stay, away from v = 0",
        )

    def test_derivative_is_that_of_the_primitive(self, component: Surrogate) -> None:
        """The derivative is the slope of the primitive, by finite differences."""
        step = 1e-6
        slope = (component.primitive(POINTS + step) - component.primitive(POINTS - step)) / (2 * step)
        values = component.derivative(POINTS.clone())
        worst = int((slope - values).abs().argmax())
        require(
            torch.allclose(slope, values, rtol=1e-5, atol=1e-7),
            f"{told(component)}: at v = {float(POINTS[worst]):g} the derivative is {float(values[worst]):g}, and the "
            f"primitive rises by {float(slope[worst]):g}",
        )

    def test_primitive_is_zero_at_the_threshold(self, component: Surrogate) -> None:
        """The primitive is 0 at v = 0."""
        value = float(component.primitive(torch.zeros(1, dtype=torch.float64)))
        require(value == 0, f"{told(component)}: the primitive is {value:g} at v = 0; subtract that")

    def test_its_area_is_finite(self, component: Surrogate) -> None:
        """The area under the derivative is finite: the primitive levels off."""
        far = torch.tensor([1e4, 1e8], dtype=torch.float64)
        near, distant = (component.primitive(far) - component.primitive(-far)).tolist()
        require(
            math.isfinite(distant) and near > 0 and abs(distant - near) <= 1e-2 * near,
            f"{told(component)}: the area is {near:g} up to |v| = 1e4 and {distant:g} up to 1e8; it has to be finite",
        )

    def test_it_is_elementwise(self, component: Surrogate) -> None:
        """Shape and type stay, each value depends on its own entry, and the input is not changed."""
        v = torch.linspace(-1, 1, 12).reshape(3, 4)
        before = v.clone()
        values = component.derivative(v)
        require(torch.equal(v, before), f"{told(component)}: derivative changed its input in place")
        require(
            values.shape == v.shape and values.dtype == v.dtype,
            f"{told(component)}: derivative made {tuple(values.shape)} {values.dtype} of {tuple(v.shape)} {v.dtype}",
        )
        alone = torch.stack([component.derivative(one.clone()) for one in v.flatten()]).view_as(v)
        require(
            torch.allclose(values, alone, rtol=1e-5, atol=1e-7),
            f"{told(component)}: the derivative at an entry depends on other entries",
        )

    def test_scalar_equals_the_derivative(self, component: Surrogate) -> None:
        """The form for compiled kernels gives the derivative."""
        scalar = component.scalar()
        if scalar is None:
            raise skip("there is no form for compiled kernels")
        for v in POINTS[::7].tolist():
            expected = float(component.derivative(torch.tensor([v], dtype=torch.float64)))
            try:
                found = _evaluated(scalar.expression, {**scalar.values, "v": v})
            except SyntaxError:
                raise skip("the expression is C that cannot be read here") from None
            require(
                math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12),
                f"{told(component)}: at v = {v:g} `scalar` gives {found:g} and `derivative` {expected:g}",
            )

    def test_a_neuron_with_it_agrees_with_its_reference(self, component: Surrogate) -> None:
        """The gradient of a step function with this surrogate is its derivative."""
        from spikefront.spiking.spike import spike

        v = POINTS.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(spike(v, component).sum(), v)
        require(
            torch.allclose(gradient, component.derivative(POINTS.clone())),
            f"{told(component)}: the gradient of a spike is not the derivative; it must not depend on earlier calls",
        )


def _evaluated(expression: str, values: dict[str, float]) -> float:
    """Return the value of an arithmetic C expression; `a ? b : c` is the only part of C that Python lacks."""
    if "?" in expression:
        condition, _, rest = expression.partition("?")
        yes, _, no = rest.rpartition(":")
        chosen = yes if _evaluated(condition, values) else no
        return _evaluated(chosen, values)
    return float(eval(compile(expression.strip(), "scalar", "eval"), {"__builtins__": {}, **_C}, values))  # noqa: S307
