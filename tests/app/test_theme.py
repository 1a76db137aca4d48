"""What all figures share: ticks and titles."""

from __future__ import annotations

import pytest

from spikefront_app.theme import log_axis, round_ticks, with_direction


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ((562.0, 26_000.0), {"dtick": "D2", "tickformat": "~s"}),
        ((1e-5, 0.0, 1.0), {"dtick": 1, "tickformat": "~g"}),
        ((1.2, 4.0), {"tickvals": [1.5, 2.0, 3.0], "tickformat": "~g"}),
        ((2e-3, 9.9e-3), {"tickvals": [0.002, 0.003, 0.005, 0.007], "tickformat": "~g"}),
        ((5.0, 5.0), {"tickformat": "~g"}),
        ((), {"tickformat": "~g"}),
    ],
)
def test_a_logarithmic_axis_has_some_round_ticks(values: tuple[float, ...], ticks: dict[str, object]) -> None:
    found = log_axis(values)
    assert found.pop("type") == "log"
    if "tickvals" in found:
        assert found["tickvals"] == pytest.approx(ticks.pop("tickvals"))
        del found["tickvals"]
    assert found == ticks


@pytest.mark.parametrize(("span", "step"), [(23.0, 5), (0.7, 0.2), (600.0, 100), (6.0, 1), (0.0, 1)])
def test_ticks_are_at_multiples_of_one_two_or_five(span: float, step: float) -> None:
    assert round_ticks(span)["dtick"] == pytest.approx(step)


def test_an_axis_says_which_end_is_better() -> None:
    assert with_direction("energy [pJ]", "minimize") == "energy [pJ], lower is better"
    assert with_direction("accuracy", "maximize") == "accuracy, higher is better"
