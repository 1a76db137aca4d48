"""What only a browser can tell: errors on the console, requests to strangers, selections, links, live refresh."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from benchmarks import browser, wide
from benchmarks.storage import evaluation

from spikefront.components import Proposal
from spikefront.genome import Genome
from spikefront.search.record import open_store
from spikefront.storage import Database

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Give a browser."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'spikefront[dev]'")
    if browser.chromium() is None:
        pytest.skip(browser.MISSING)
    with browser.browser() as started:
        yield started


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a database with a made-up study "wide" of 300 candidates."""
    url = f"sqlite:///{tmp_path_factory.mktemp('browser')}/wide.db"
    wide.write(url, 300)
    return url


@pytest.fixture(scope="session")
def app(chromium: Any, shown: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Server]:
    """Give a running app."""
    folder = tmp_path_factory.mktemp("server")
    plugins = folder / "plugins"
    plugins.mkdir()
    (plugins / "strangers_view.py").write_text(VIEW)
    with browser.server(shown, folder, {"SPIKEFRONT_PLUGINS": str(plugins)}) as served:
        yield served


VIEW = """
import streamlit as st
from spikefront import hookimpl
from spikefront.views import View


def render(database):
    st.title("A stranger's page")


@hookimpl
def spikefront_views():
    return [View("strangers", "Strangers", render)]
"""


class Watched:
    """A page of the browser that remembers what went wrong in it, and whom it called."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def _said(self, message: Any) -> None:
        looked_for = "/_stcore/" in message.location.get("url", "")  # Streamlit tries out where its server's root is
        if message.type == "error" and not looked_for:
            self.errors.append(f"{message.text} {message.location}")

    def strangers(self) -> list[str]:
        """Return the requests that left this machine."""
        own = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
        return [url for url in self.requests if not url.startswith(own)]


@pytest.fixture
def watched(chromium: Any) -> Iterator[Watched]:
    """Give a new page."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield Watched(context.new_page())
    context.close()


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[] if one == "candidate" else [pytest.mark.slow]) for one in browser.PAGES]
)
def test_pages_load_without_errors_and_call_nobody_else(name, app, watched):
    browser.look(watched.page, app.page(name))
    assert watched.page.locator('[data-testid="stException"]').count() == 0
    assert watched.errors == []
    assert watched.strangers() == []


def test_a_link_restores_a_view(app, watched):
    browser.look(watched.page, f"{app.url}/importance?study=wide&objective=energy&method=mdi")
    chosen = [box.input_value() for box in watched.page.get_by_role("combobox").all()]
    assert {"energy", "mdi"} <= set(chosen)
    assert watched.page.get_by_role("heading", name="energy over the genes that matter most").is_visible()


@pytest.mark.slow
def test_a_choice_gets_into_the_address(app, watched):
    browser.look(watched.page, f"{app.url}/importance?study=wide")
    watched.page.get_by_role("combobox", name=re.compile("Objective")).click()
    watched.page.get_by_role("option", name="parameters").click()
    watched.page.wait_for_url("**objective=parameters**")
    assert watched.page.get_by_role("heading", name="parameters over the genes that matter most").is_visible()


def test_a_box_on_the_front_selects_candidates(app, watched):
    browser.look(watched.page, app.page("front", "?study=wide"))
    plot = watched.page.locator(".js-plotly-plot").first
    plot.locator('[data-val="select"]').first.click(force=True)
    area = plot.locator(".nsewdrag").first.bounding_box()
    mouse = watched.page.mouse
    mouse.move(area["x"] + 5, area["y"] + 5)
    mouse.down()
    mouse.move(area["x"] + area["width"] - 5, area["y"] + area["height"] - 5, steps=8)
    mouse.up()
    watched.page.wait_for_url("**selected=**")
    browser.finished(watched.page)
    watched.page.wait_for_function("() => document.querySelector('input[aria-label=\"Selected candidates\"]').value")
    field = watched.page.get_by_role("textbox", name="Selected candidates").input_value()
    in_field = {int(number) for number in re.findall(r"\d+", field)}
    in_address = {int(number) for number in re.findall(r"\d+", unquote(watched.page.url.partition("selected=")[2]))}
    assert in_field == in_address
    assert len(in_field) > 1


@pytest.mark.slow
def test_a_page_of_a_plugin_is_there(app, watched):
    browser.look(watched.page, f"{app.url}/strangers")
    assert watched.page.get_by_role("heading", name="A stranger's page").is_visible()


def test_a_running_study_shows_what_is_new_by_itself(chromium, watched, tmp_path: Path):
    document = {**wide.DOCUMENT, "study": {**wide.DOCUMENT["study"], "name": "live"}}
    url = f"sqlite:///{tmp_path}/live.db"
    genomes = [Genome({"neuron.tau": 1.2 + n / 100}) for n in range(5)]
    with Database.open(url, create=True) as database, browser.server(url, tmp_path) as served:
        store = open_store(wide.specification(100, document), database)
        store.acquire("test", os.getpid(), seconds=300)
        store.record_asks(0, [Proposal(genome) for genome in genomes])
        store.record(evaluation(genomes[0]), generation=0, ask=0, number=0)
        store.set_reference({"accuracy": (1.0, 0.0), "parameters": (0.0, 10.0), "energy": (0.0, 10.0)})
        browser.look(watched.page, f"{served.url}/progress?study=live")
        before = watched.page.locator('[data-testid="stMain"]').inner_text()
        for number in range(1, 5):
            store.record(evaluation(genomes[number]), generation=0, ask=number, number=number)
        watched.page.wait_for_function(
            "before => document.querySelector('[data-testid=\"stMain\"]').innerText !== before", arg=before
        )
        store.set_state("finished")
        store.release()
    assert "Traceback" not in (tmp_path / "server.log").read_text()
