"""The app on a study of 50,000 evaluations, three objectives and 20 genes: time, size, memory, and what a writer feels.

    python -m benchmarks.app [--evaluations 50000] [--commits 600] [--check]

Time is that of the server from the request to the last element, in Streamlit's test runner, best of three: "first" with
nothing in its caches, "again" when somebody else has looked before. Size is that of the figures and tables that are
sent. Memory is the largest of a real server after a browser has looked at each page. A writer records evaluations into
the same file, in turn without a page in the browser, with Progress of a study that has ended, and with Progress of the
study that it writes. Without chromium, the last two are left out. With --check, exits 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import streamlit as st
import torch
from rich.console import Console
from rich.table import Table
from streamlit.testing.v1 import AppTest

from benchmarks import browser, wide
from benchmarks.storage import evaluation
from spikefront.cli.options import DATABASE_VARIABLE
from spikefront.components import Proposal
from spikefront.genome import Genome
from spikefront.search.record import open_store
from spikefront.specification import Specification
from spikefront.storage import Database, StudyStore, frames

AIMS = {
    "evaluations as a table, s": 0.6,
    "genes as a table, s": 0.8,
    "Front, first, s": 1.0,
    "Front, sent, MB": 3.0,
    "Front, a selection, s": 0.3,
    "Progress, first, s": 1.0,
    "memory of the server, MB": 600.0,
    "p99 of a commit, app open / not": 1.1,
}
ROUNDS = 3
PAUSE_S = 0.02
BUSY = {**wide.DOCUMENT, "study": {**wide.DOCUMENT["study"], "name": "busy"}}


def opened(page: str, **query: str) -> AppTest:
    """Return a page of the app in Streamlit's test runner, not run yet."""
    app = AppTest.from_file(str(browser.MAIN), default_timeout=600)
    app.query_params.update(query)
    folder = browser.SCREENS.name
    return app if page == "front" else app.switch_page(f"{folder}/{page}.py")


def seconds(step: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Return the best time of three."""
    times = []
    for _ in range(ROUNDS):
        before()
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return min(times)


def forget() -> None:
    """Empty the caches of the app."""
    st.cache_resource.clear()
    st.cache_data.clear()


def viewed(page: str, study: str, **query: str) -> AppTest:
    """Return a page that was run; it has to show something without an error."""
    app = opened(page, study=study, **query).run()
    if app.exception or app.error:
        raise RuntimeError(f"{page}: {[one.value for one in (*app.exception, *app.error)]}")
    return app


def sent(app: AppTest) -> float:
    """Return the size of a page's figures and tables, in MB."""
    figures = sum(len(chart.proto.spec) for chart in app.get("plotly_chart"))
    return (figures + sum(table.proto.ByteSize() for table in app.get("arrow_data_frame"))) / 1e6


def tables(url: str, study: str) -> dict[str, float]:
    """Return the times of reading a study."""
    with Database.read_only(url) as database:
        return {
            "evaluations as a table, s": seconds(lambda: frames.evaluations(database, study)),
            "genes as a table, s": seconds(lambda: frames.genes(database, study)),
        }


def pages(study: str) -> dict[str, float]:
    """Return times and size of the pages."""
    viewed("studies", study)  # what is imported once is no part of a page
    viewed("progress", study)
    found = {"Front, first, s": seconds(lambda: viewed("front", study), forget)}
    found["Front, again, s"] = seconds(lambda: viewed("front", study))
    app = viewed("front", study)
    found["Front, sent, MB"] = sent(app)
    chosen = iter(("3,5", "10,20,30", "7"))
    if any(widget.key == "selected" for widget in app.text_input):
        found["Front, a selection, s"] = seconds(lambda: app.text_input(key="selected").set_value(next(chosen)).run())
    found["Progress, first, s"] = seconds(lambda: viewed("progress", study), forget)
    found["Progress, again, s"] = seconds(lambda: viewed("progress", study))
    found["Importance, first, s"] = seconds(lambda: viewed("importance", study), forget)
    return found


def server_memory(url: str, study: str, folder: Path) -> float:
    """Return the largest memory of a server whose pages were all looked at once, in MB."""
    with browser.server(url, folder) as served, browser.browser() as started:
        page = started.new_page()
        for name in browser.PAGES:
            browser.look(page, served.page(name, f"?study={study}"))
        return served.memory() / 1e6


def commits(store: StudyStore, study: Specification, first: int, count: int) -> list[float]:
    """Record a generation of so many evaluations, one after the other, and return the time of each in milliseconds."""
    genomes = [Genome({"neuron.tau": 1.2 + (first + n) / 1e6}) for n in range(count)]
    store.record_asks(first // count, [Proposal(genome) for genome in genomes])
    times = []
    for number, genome in enumerate(genomes, first):
        done = evaluation(genome)
        start = time.perf_counter()
        store.record(done, generation=first // count, ask=number, number=number)
        times.append(1000 * (time.perf_counter() - start))
        time.sleep(PAUSE_S)
    return times


def writer(url: str, folder: Path, count: int) -> dict[str, float]:
    """Return median and 99th percentile of a commit by what the browser looks at, in turn.

    It looks at nothing, at Progress of a study that has ended, where neither server nor browser has anything to do,
    and at Progress of the study that is written.
    """
    study = wide.specification(1_000_000, BUSY)
    shown = {"no app": "", "other study": "wide", "app open": "busy"}
    times: dict[str, list[float]] = {name: [] for name in shown}
    with Database.open(url) as database, browser.server(url, folder) as served, browser.browser() as started:
        store = open_store(study, database)
        store.acquire("benchmark", os.getpid(), seconds=3600)
        store.set_reference({"accuracy": (1.0, 0.0), "parameters": (1e3, 1e6), "energy": (1e2, 1e6)})
        commits(store, study, 0, count)
        for turn, name in enumerate(list(shown) * ROUNDS, 1):
            page = started.new_page()
            if shown[name]:
                browser.look(page, served.page("progress", f"?study={shown[name]}"))
            times[name].extend(commits(store, study, turn * count, count))
            page.close()
        store.set_state("finished")
        store.release()
    found = {f"median of a commit, {name}, ms": statistics.median(ones) for name, ones in times.items()}
    ends = {name: statistics.quantiles(ones, n=100)[98] for name, ones in times.items()}
    found |= {f"p99 of a commit, {name}, ms": end for name, end in ends.items()}
    return found | {"p99 of a commit, app open / not": ends["app open"] / ends["no app"]}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=50_000)
    parser.add_argument("--commits", type=int, default=600, help="in each of the writer's rounds")
    parser.add_argument("--check", action="store_true", help="exit 1 when an aim is missed")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/wide.db"
        study = wide.write(url, arguments.evaluations)
        os.environ[DATABASE_VARIABLE] = url
        found |= tables(url, study)
        found |= pages(study)
        if browser.chromium():
            found["memory of the server, MB"] = server_memory(url, study, Path(name))
            found |= writer(url, Path(name), arguments.commits)
        else:
            print(f"memory and the writer are left out: {browser.MISSING}")
    versions = ", ".join(f"{one} {version(one)}" for one in ("streamlit", "plotly", "pandas", "sqlalchemy"))
    load = os.getloadavg()[0]
    shown = Table(title=f"{arguments.evaluations} evaluations, 3 objectives, 20 genes; {versions}; load {load:.1f}")
    for column in ("what", "measured", "aim", ""):
        shown.add_column(column, justify="left" if column == "what" else "right")
    missed = False
    for what, value in found.items():
        aim = AIMS.get(what)
        reached = aim is None or value < aim
        missed |= not reached
        verdict = "" if aim is None else "reached" if reached else "MISSED"
        shown.add_row(what, f"{value:.3g}", "" if aim is None else f"< {aim:g}", verdict)
    Console(width=None if sys.stdout.isatty() else 120).print(shown)
    if arguments.check and missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
