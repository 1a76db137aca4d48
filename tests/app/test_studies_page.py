"""The page of all studies: states, sparklines, filter, selection, what to do next."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from app_pages import page
from app_studies import document, run_study
from streamlit.testing.v1 import AppTest

from spikefront.storage import Database, frames, queries
from spikefront_app.standing import growth


def table(app: AppTest) -> dict[str, list[Any]]:
    assert not app.exception
    return {name: list(column) for name, column in app.dataframe[0].value.items()}


def set_state(path: Path, study: str, state: str, expires: str) -> None:
    """Let a study look as if a process were at work."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE studies SET state = ? WHERE name = ?", (state, study))
        connection.execute("UPDATE leases SET released = 0, expires_at = ?", (expires,))
    connection.close()


def test_it_shows_what_is_recorded(study: str, database: str) -> None:
    shown = table(page("studies"))
    with Database.read_only(database) as opened:
        expected = growth(frames.evaluations(opened, study), queries.study(opened, study))
    assert shown["study"] == [study]
    assert (shown["state"], shown["evaluations"], shown["of"], shown["failed"]) == (["finished"], [30], [30], [0])
    assert shown["objectives"] == ["first, second, third"]
    assert shown["task"] == ["trivial"]
    assert list(shown["hypervolume"][0]) == pytest.approx(expected)
    assert len(expected) == 3


def test_a_running_study_is_running_as_long_as_its_process_is_heard_of(study: str, tmp_path: Path) -> None:
    set_state(tmp_path / "app.db", study, "running", "2999-01-01 00:00:00.000000")
    app = page("studies", study=study)
    assert table(app)["state"] == ["running"]
    assert not app.code
    set_state(tmp_path / "app.db", study, "running", "2001-01-01 00:00:00.000000")
    app = page("studies", study=study)
    assert table(app)["state"] == ["interrupted"]
    assert app.code[0].value.startswith(f"spikefront resume {study} --db ")


def test_a_link_selects_a_study_and_offers_its_pages_and_more(study: str, database: str) -> None:
    app = page("studies", study=study)
    assert table(app)
    assert app.subheader[0].value == study
    links = {link.proto.label: link.proto for link in app.get("page_link")}
    assert {"Front", "Progress", "Candidates"} <= set(links)
    assert links["Front"].query_string == f"study={study}"
    assert app.code[0].value == f"spikefront resume {study} --db {database} --evaluations 60"


def test_a_link_to_a_study_that_is_gone_says_so(study: str) -> None:
    app = page("studies", study="gone")
    assert "'gone', which is not there" in app.warning[0].value
    assert not app.subheader


def test_the_filter_stands_in_the_address(study: str, database: str) -> None:
    run_study(database, document("other"))
    assert table(page("studies"))["study"] == ["other", "shown"]
    assert table(page("studies", find="SHOW trivial"))["study"] == ["shown"]
    app = page("studies", state="failed")
    assert not app.exception
    assert "No study fits" in app.info[0].value
    assert table(app.text_input(key="find").set_value("oth").run().multiselect(key="state").set_value([]).run())[
        "study"
    ] == ["other"]


def test_a_study_without_evaluations(database: str, tmp_path: Path, study: str) -> None:
    connection = sqlite3.connect(tmp_path / "app.db")
    with connection:
        for name in ("measurements", "artifacts", "evaluations", "asks"):
            connection.execute(f"DELETE FROM {name}")  # noqa: S608
        connection.execute("UPDATE studies SET state = 'interrupted'")
    connection.close()
    app = page("studies", study=study)
    shown = table(app)
    assert (shown["evaluations"], shown["state"]) == ([0], ["interrupted"])
    assert list(shown["hypervolume"][0]) == []
    assert app.code
