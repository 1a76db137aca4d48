"""Pages of plugins: they are in the navigation, and what is wrong with one spoils no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_pages import MAIN, page
from streamlit.testing.v1 import AppTest

from spikefront.sources import FOLDERS_VARIABLE
from spikefront.views import View
from spikefront_app.views import placed

VIEW = """
import streamlit as st
from spikefront import hookimpl
from spikefront.views import View

def render(url):
    BODY

@hookimpl
def spikefront_views():
    return [View("NAME", "Mine", render)]
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """Return a folder of plugins in which one has a page; (name, body) from the test's parameter."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    name, body = request.param
    (folder / "one.py").write_text(VIEW.replace("NAME", name).replace("BODY", body))
    monkeypatch.setenv(FOLDERS_VARIABLE, str(folder))
    return folder


def opened(place: str) -> AppTest:
    """Return a plugin's page, which has no file to switch to: its hash is what a link to it leads to."""
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()
    assert not app.exception
    pages = app._registered_pages.values()
    app._page_hash = next(one["page_script_hash"] for one in pages if one["url_pathname"] == place)
    return app.run()


@pytest.mark.parametrize("plugin", [("mine", "st.write(f'at {url}')")], indirect=True)
def test_a_plugins_page_gets_the_database(plugin: Path, study: str, database: str) -> None:
    app = opened("mine")
    assert not app.exception
    assert app.markdown[0].value == f"at {database}"


@pytest.mark.parametrize("plugin", [("mine", "raise ValueError('no spikes')")], indirect=True)
def test_a_broken_page_shows_its_error_and_the_others_work(plugin: Path, study: str) -> None:
    app = opened("mine")
    assert "The page 'Mine', which a plugin gives, failed: ValueError: no spikes" in app.error[0].value
    app = page("studies")
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("plugin", [("front", "st.write('mine')")], indirect=True)
def test_a_page_of_the_name_of_ours_stands_elsewhere(plugin: Path, study: str) -> None:
    app = opened("front-plugin")
    assert not app.exception
    assert app.markdown[0].value == "mine"
    assert page().title[0].value == "Front"


def test_places_are_never_taken_twice() -> None:
    views = [View(name, name, print) for name in ("front", "front-plugin", "mine")]
    assert list(placed(views, ["front"])) == ["front-plugin", "front-plugin-plugin", "mine"]


@pytest.mark.parametrize("plugin", [("mine", "st.write('mine')")], indirect=True)
def test_two_pages_of_one_name_set_the_second_plugin_aside(plugin: Path, study: str) -> None:
    (plugin / "two.py").write_text((plugin / "one.py").read_text())
    app = page("plugins")
    assert not app.exception
    assert "two.py**: there is a page 'mine' already" in app.warning[0].value
    assert "Rename it." in app.warning[0].value


def test_a_missing_folder_of_plugins_is_a_sentence(study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDERS_VARIABLE, str(tmp_path / "gone"))
    app = page()
    assert not app.exception
    assert "gone: no such folder of plugins" in app.error[0].value
