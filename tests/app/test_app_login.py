"""Logins: nothing is asked where they are not set up, nothing is shown where they are; who may look."""

from __future__ import annotations

import pytest
from app_pages import MAIN, page
from streamlit.testing.v1 import AppTest

from spikefront_app.login import is_allowed


def test_without_a_set_up_nobody_is_asked(study: str) -> None:
    assert page("studies").title[0].value == "Studies"


def test_with_a_set_up_nothing_is_shown_before_the_login(study: str) -> None:
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    app.secrets["auth"] = {"client_id": "x"}
    app.run()
    assert not app.exception
    assert [button.label for button in app.button] == ["Log in"]
    assert [title.value for title in app.title] == ["Spikefront"]
    assert not app.selectbox


@pytest.mark.parametrize(
    ("email", "users", "may"),
    [
        ("ada@example.org", "", True),
        ("Ada@Example.org", "bob@x.org, ada@example.org", True),
        ("ada@lab.org", "@lab.org", True),
        ("ada@evil-lab.org", "@lab.org", False),
        ("ada@example.org", "bob@example.org", False),
        ("", "@lab.org", False),
    ],
)
def test_who_may_look(email: str, users: str, may: bool) -> None:
    assert is_allowed(email, users) == may
