"""What the form asks for each parameter, and what it makes of the answers."""

from __future__ import annotations

import pytest

from spikefront.components import KINDS
from spikefront.errors import InputError
from spikefront.plugins import load
from spikefront.settings import Budget, Settings
from spikefront_app import form_values as values


def entries(kind: str, name: str) -> dict[str, str]:
    fields = values.known_fields([load().components(kind)[name]])
    return {key: values.entry_of(info) for key, info in fields.items()}


def test_each_type_has_its_entry() -> None:
    assert entries("network", "conv") == {
        "channels": "toml",
        "kernel": "whole",
        "pooling": "choice",
        "pool_every": "whole",
        "batch_norm": "flag",
        "head": "choice",
        "hidden": "toml",
    }
    assert entries("trainer", "surrogate-gradient")["memory"] == "number"
    assert entries("executor", "ray")["address"] == "text"
    assert values.entry_of(Budget.model_fields["evaluations"]) == "whole"


@pytest.mark.parametrize("kind", KINDS)
def test_each_parameter_of_each_component_can_be_asked_for(kind: str) -> None:
    for component in load().components(kind).values():
        for name, info in values.known_fields([component]).items():
            assert values.entry_of(info)
            first = values.start_of(info)
            assert first is not None
            assert info.description is None or info.description in values.caption(name, info)
            if values.entry_of(info) == "choice":
                assert str(first) in values.choices_of(info)


def test_help_says_meaning_type_range_and_default() -> None:
    tau = load().components("neuron")["lif"].model_fields["tau"]
    told = values.caption("tau", tau)
    assert told == "time constant of the membrane, in steps (number; above 1; default 2.0)"
    assert "needed" in values.caption("name", Settings.model_fields["name"])


def test_what_is_filled_in_becomes_what_a_study_file_says() -> None:
    assert values.range_of(1.0, 4.0, log=True) == {"low": 1.0, "high": 4.0, "log": True}
    assert values.range_of(8, 96, log=False, step=8) == {"low": 8, "high": 96, "step": 8}
    assert values.range_of(2, 6, log=False, step=1) == {"low": 2, "high": 6}
    assert values.component_table(["lif"], {"tau": 3.0}) == {"use": "lif", "tau": 3.0}
    assert values.component_table(["lif", "if"], {}) == {"use": {"choice": ["lif", "if"]}}
    assert values.component_table([], {}) == {}
    assert values.term("energy", {}) == "energy"
    assert values.term("energy", {"analog_input": "once"}) == {"use": "energy", "analog_input": "once"}
    assert values.listed("network.hidden", "[32], [64, 32]") == [[32], [64, 32]]
    with pytest.raises(InputError, match=r"network.hidden = \[3: no value of a study file"):
        values.parsed("network.hidden", "[3")
