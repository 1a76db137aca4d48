"""The web app: its frame, in Streamlit's test runner."""

from __future__ import annotations

import pytest
from app_pages import page
from typer.testing import CliRunner

from spikefront.cli import build
from spikefront.cli.options import DATABASE_VARIABLE
from spikefront.storage import Database
from spikefront_app import plugin


def test_the_studies_page_lists_them(study: str) -> None:
    app = page("studies")
    assert not app.exception
    assert list(app.dataframe[0].value["study"]) == [study]
    assert list(app.dataframe[0].value["evaluations"]) == [30]


def test_a_missing_database_is_a_sentence(database: str) -> None:
    app = page()
    assert not app.exception
    assert "app.db" in app.error[0].value
    assert app.info[0].value


@pytest.mark.parametrize("name", ["front", "studies"])
def test_an_empty_database_says_what_to_run(database: str, name: str) -> None:
    with Database.open(database, create=True):
        pass
    app = page(name)
    assert not app.exception
    assert "spikefront run" in app.info[0].value


SECRET = "postgresql+psycopg://ada:s3cret@127.0.0.1:1/studies"  # noqa: S105


@pytest.mark.parametrize("name", ["front", "studies", "launch"])
def test_no_page_shows_the_password_of_the_database(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, SECRET)
    app = page(name)
    assert not app.exception
    said = [box.value for boxes in (app.error, app.info, app.warning, app.caption, app.code) for box in boxes]
    assert any("ada:***@127.0.0.1" in text for text in said)
    assert not any("s3cret" in text for text in said)


def test_the_program_shows_no_password_either(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(plugin.subprocess, "call", lambda command, env: calls.append(command) or 0)
    told = CliRunner().invoke(build(), ["app", "--db", SECRET, "--address", "0.0.0.0", "--no-browser"])  # noqa: S104
    assert "ada:***@127.0.0.1" in told.output
    assert "s3cret" not in told.output
    assert not any("s3cret" in word for word in calls[0])
