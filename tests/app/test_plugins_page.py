"""The page of plugins: listing, filter, documentation of each component, what was set aside."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_pages import page

from spikefront.sources import DISABLED_VARIABLE, FOLDERS_VARIABLE


def test_a_component_with_its_docs_parameters_hook_and_source(database: str) -> None:
    app = page("plugins", component="neuron lif")
    assert not app.exception
    assert app.subheader[0].value == "neuron 'lif'"
    parameters = app.dataframe[1].value.set_index("name")
    assert parameters.loc["tau", ["type", "default", "range"]].tolist() == ["number", "2.0", "above 1"]
    assert "hook spikefront_neurons of plugin spikefront.neurons.lif (spikefront " in app.caption[-1].value
    assert "neurons/lif.py" in app.expander[0].label
    assert app.code[-1].value.startswith("class LIF(")
    assert "h_t = v_{t-1}" in app.code[0].value


def test_the_filter_stands_in_the_address(database: str) -> None:
    app = page("plugins", plugin="izhikevich")
    assert list(app.dataframe[0].value["plugin"]) == ["spikefront.neurons.izhikevich"]
    app = page("plugins", kind="executor")
    assert app.selectbox(key="component").options == ["executor inline", "executor local", "executor ray"]
    app = page("plugins", plugin="nothing like it")
    assert "No plugin fits" in app.info[0].value
    app = page("plugins", component="neuron gone")
    assert not app.exception
    assert "'neuron gone', which is not there" in app.warning[0].value


def test_what_was_set_aside_or_disabled_has_its_reason_and_remedy(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.py").write_text("import nothing_of_this_name")
    (tmp_path / "off.py").write_text("1 / 0")
    monkeypatch.setenv(FOLDERS_VARIABLE, str(tmp_path))
    monkeypatch.setenv(DISABLED_VARIABLE, "off")
    app = page("plugins")
    assert not app.exception
    assert "1 set aside, 1 disabled" in app.markdown[0].value
    assert "broken.py**: ModuleNotFoundError" in app.warning[0].value
    assert "Install nothing_of_this_name" in app.warning[0].value
    app = page("plugins", **{"plugin-state": "disabled"})
    assert list(app.dataframe[0].value["plugin"]) == [str(tmp_path / "off.py")]


def test_every_component_can_be_shown(database: str) -> None:
    app = page("plugins")
    for component in app.selectbox(key="component").options[::12]:
        app.selectbox(key="component").set_value(component).run()
        assert not app.exception
        assert app.subheader[0].value.split()[0] == component.split()[0]
