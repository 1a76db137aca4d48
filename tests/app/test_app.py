"""The web app: its frame, in Streamlit's test runner."""

from __future__ import annotations

import pytest
from app_pages import page

from spikefront.storage import Database


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
