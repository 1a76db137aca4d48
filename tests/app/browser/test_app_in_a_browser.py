"""What only a browser can tell: errors on the console, requests to strangers, selections, links, live refresh."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from app_studies import document
from benchmarks import browser, trivial, wide
from benchmarks.storage import evaluation

from spikefront.components import Proposal
from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.search.record import open_store
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, queries, tags
from spikefront_app import toml

OBJECTIVES = ("accuracy", "parameters", "energy")
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
    (plugins / "strangers_view.py").write_text(VIEW.format(name="Strangers", body='st.title("A stranger\'s page")'))
    (plugins / "broken_view.py").write_text(VIEW.format(name="Broken", body='raise RuntimeError("it broke")'))
    with browser.server(shown, folder, {"SPIKEFRONT_PLUGINS": str(plugins)}) as served:
        yield served


VIEW = """
import streamlit as st
from spikefront import hookimpl
from spikefront.views import View


def render(database):
    {body}


@hookimpl
def spikefront_views():
    return [View("{name}".lower(), "{name}", render)]
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


def table_of(page: Any) -> tuple[int, set[int]]:
    """Return how many rows the table of candidates has, and the numbers in those that are in sight.

    Streamlit draws tables on a canvas; beside it stands an accessible one of the rows in sight, which is read here.
    """
    grid = page.locator('table[role="grid"]').filter(has=page.locator("th", has_text="shortlist"))
    grid.locator("tbody tr td").first.wait_for(state="attached")  # its rows come after the canvas
    cells = grid.locator("tbody tr td:first-child").all_text_contents()
    return int(grid.get_attribute("aria-rowcount")) - 1, {int(text) for text in cells if text.isdecimal()}


def drag_a_box(page: Any, right: float, bottom: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Drag a box from the upper left of the first figure to these shares of its width and height.

    Returns:
        What the box holds: least and largest value of each axis, in its unit.
    """
    plot = page.locator(".js-plotly-plot").first
    plot.locator('[data-val="select"]').first.click(force=True)
    area = plot.locator(".nsewdrag").first.bounding_box()
    start = (area["x"] + 1, area["y"] + 1)
    end = (area["x"] + area["width"] * right, area["y"] + area["height"] * bottom)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.mouse.up()
    places = [one - area["x"] for one in (start[0], end[0])], [one - area["y"] for one in (end[1], start[1])]
    x, y = plot.evaluate(
        "(plot, [x, y]) => [x.map(p => plot._fullLayout.xaxis.p2d(p)), y.map(p => plot._fullLayout.yaxis.p2d(p))]",
        places,
    )
    return (x[0], x[1]), (y[0], y[1])


def test_a_box_on_the_front_filters_the_table(app, shown, watched):
    browser.look(watched.page, app.page("front", "?study=wide"))
    assert table_of(watched.page)[0] == len(recorded(shown, "front"))
    (left, right), (low, high) = drag_a_box(watched.page, 0.15, 0.3)
    watched.page.wait_for_url("**selected=**")
    browser.finished(watched.page)
    inside = {
        number
        for number, values in recorded(shown).items()
        if left <= values["parameters"] <= right and low <= values["accuracy"] <= high
    }
    assert 1 < len(inside) <= 11
    watched.page.wait_for_timeout(500)
    assert table_of(watched.page) == (len(inside), inside)
    field = watched.page.get_by_role("textbox", name="Selected candidates").input_value()
    in_address = unquote(watched.page.url.partition("selected=")[2].partition("&")[0])
    assert {int(number) for number in field.split(",")} == inside == {int(number) for number in in_address.split(",")}
    browser.look(watched.page, watched.page.url)
    assert table_of(watched.page) == (len(inside), inside)


def recorded(url: str, which: str = "all") -> dict[int, dict[str, float]]:
    """Return the measurements of the candidates of "wide" that did not fail, or of its front, by number."""
    with Database.read_only(url) as database:
        rows = (queries.front if which == "front" else queries.evaluations)(database, "wide")
        return {row.number: {name: row.mean(name) for name in OBJECTIVES} for row in rows if row.failure is None}


def download(page: Any, button: str) -> bytes:
    """Press a button, and return what arrives."""
    with page.expect_download() as arriving:
        page.get_by_role("button", name=button, exact=True).click()
    return Path(arriving.value.path()).read_bytes()


def test_the_shortlist_arrives_as_csv_json_and_study_files(app, shown, watched):
    listed = [3, 8]
    with Database.open(shown) as database:
        tags.set_tagged(database, "wide", listed)
        genomes = {number: queries.evaluation(database, "wide", number).genome for number in listed}
    browser.look(watched.page, app.page("front", "?study=wide&part=Shortlist&home=8"))
    rows = list(csv.DictReader(io.StringIO(download(watched.page, "CSV").decode())))
    assert [int(row["id"]) for row in rows] == listed
    sent = json.loads(download(watched.page, "JSON"))
    assert [row["id"] for row in sent["candidates"]] == listed
    for row in (*rows, *sent["candidates"]):
        number = int(row["id"])
        assert {name: float(row[name]) for name in OBJECTIVES} == pytest.approx(recorded(shown)[number])
        assert float(row["neuron.tau"]) == pytest.approx(genomes[number]["neuron.tau"])
    one = download(watched.page, "Study file (TOML)").decode()
    with zipfile.ZipFile(io.BytesIO(download(watched.page, "Study files of all (ZIP)"))) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert list(files) == ["wide-3.toml", "wide-8.toml"]
    assert files["wide-8.toml"] == one
    for number, text in zip(listed, files.values(), strict=True):
        study = Specification.from_document(tomllib.loads(text), load(Sources()))
        assert (study.name, len(study.space), study.budget.total) == (f"wide-{number}", 0, 1)
        assert study.document["neuron"]["tau"] == genomes[number]["neuron.tau"]
    assert watched.errors == []


def test_every_control_is_reached_by_tab_and_shows_that_it_is(app, watched):
    browser.look(watched.page, app.page("front", "?study=wide"))
    reached = set()
    for _ in range(60):
        watched.page.keyboard.press("Tab")
        name, seen = watched.page.evaluate(FOCUSED)
        reached.add(name)
        assert seen or not name, name
    assert {"Study", "Vertical", "Horizontal", "Depth", "Colour", "Replay the search", "Box Select"} <= reached
    assert {"Selected candidates", "Table", "data-grid-canvas"} <= reached
    assert any("Importance" in name for name in reached)


FOCUSED = """() => {
    const at = document.activeElement, style = getComputedStyle(at);
    const named = at.getAttribute("aria-label") || at.innerText || at.getAttribute("data-testid") || "";
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const control = ["A", "BUTTON", "INPUT", "TEXTAREA", "SUMMARY", "CANVAS"].includes(at.tagName);
    return [control ? named : "", outlined || style.boxShadow !== "none"];
}"""


def test_pages_of_plugins_are_there_and_a_broken_one_keeps_its_error_to_itself(app, watched):
    browser.look(watched.page, f"{app.url}/strangers")
    assert watched.page.get_by_role("heading", name="A stranger's page").is_visible()
    assert watched.page.locator(BROKEN).count() == 0
    watched.page.get_by_role("link", name="Broken").click()
    watched.page.get_by_text("The page 'Broken', which a plugin gives, failed: RuntimeError: it broke").wait_for()
    assert watched.page.locator(BROKEN).count() == 1
    watched.page.get_by_role("link", name="Launch").click()
    watched.page.get_by_role("heading", name="Launch").wait_for()
    browser.finished(watched.page)
    assert watched.page.locator(BROKEN).count() == 0


BROKEN = '[data-testid="stException"]'


@pytest.fixture
def slow_study(tmp_path: Path) -> dict[str, str]:
    """Write a study of 100 candidates, each of which waits until a file is there; return the server's variables."""
    (tmp_path / "plugins").mkdir()
    text = Path(str(trivial.__file__)).read_text()
    waiting = f"import time\n        time.sleep(0.0 if __import__('os').path.exists('{tmp_path}/fast') else 0.3)\n"
    text = text.replace("        rest = 1 +", f"        {waiting}        rest = 1 +")
    (tmp_path / "plugins" / "slow_task.py").write_text(text)
    (tmp_path / "studies").mkdir()
    what = {**document("mine"), "search": {"population": 5, "generations": 20}}
    (tmp_path / "studies" / "mine.toml").write_text(toml.dumps(what))
    return {"SPIKEFRONT_PLUGINS": str(tmp_path / "plugins")}


@pytest.mark.slow
def test_a_started_study_outlives_its_page_and_stops_politely(chromium, watched, tmp_path, slow_study):
    url = f"sqlite:///{tmp_path}/mine.db"
    with browser.server(url, tmp_path, slow_study) as served:
        browser.look(watched.page, f"{served.url}/launch?file=mine.toml")
        watched.page.get_by_role("button", name="Start").click()
        said = watched.page.get_by_text("Started as process").inner_text()
        process = int(re.search(r"process (\d+)", said).group(1))
        watched.page.close()
        soon(lambda: evaluations(url) > 0)
        before = evaluations(url)
        soon(lambda: evaluations(url) > before)
        again = watched.page.context.new_page()
        browser.look(again, f"{served.url}/launch?file=mine.toml&watch=mine")
        again.get_by_text("Running:").wait_for()
        again.get_by_role("button", name="Stop").click()
        again.get_by_text("Interrupted:").wait_for()
        again.get_by_text("it was interrupted; what had ended is recorded").wait_for()
        again.close()
    assert not Path(f"/proc/{process}").exists()
    with Database.read_only(url) as database:
        study = queries.study(database, "mine")
    assert (study.state, study.failed) == ("interrupted", 0)
    (tmp_path / "fast").touch()
    command = [sys.executable, "-m", "spikefront", "resume", "mine", "--db", url]
    assert subprocess.run(command, env={**os.environ, **slow_study}, capture_output=True, check=False).returncode == 0
    assert evaluations(url) == 100


def evaluations(url: str) -> int:
    """Return how many evaluations of the study "mine" are recorded; 0 before there is one."""
    try:
        with Database.read_only(url) as database:
            return queries.study(database, "mine").evaluations
    except StorageError:
        return 0


def soon(happens: Callable[[], bool]) -> None:
    """Wait until something happens."""
    end = time.monotonic() + browser.PATIENCE_S
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.1)


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
