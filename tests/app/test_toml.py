"""Studies as TOML: written, and read again as they were."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikefront_app import toml

ROOT = Path(__file__).parents[2]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)


@pytest.mark.parametrize("path", sorted(ROOT.glob("studies/*.toml")), ids=lambda path: path.stem)
def test_study_files_come_back(path: Path) -> None:
    document = tomllib.loads(path.read_text())
    assert tomllib.loads(toml.dumps(document)) == document


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_any_document_comes_back(document: dict[str, Any]) -> None:
    assert tomllib.loads(toml.dumps(document)) == document


def test_it_reads_as_people_write_it() -> None:
    document = {
        "encoding": "genetic",
        "neuron": [{"use": "lif", "tau": {"low": 1.2, "high": 4.0, "log": True}}, {"use": "if"}],
        "network": {"hidden": {"choice": [[48], [64, 64]]}, "memory": None},
    }
    assert toml.dumps(document) == (
        'encoding = "genetic"\n\n'
        '[[neuron]]\nuse = "lif"\ntau = { low = 1.2, high = 4.0, log = true }\n\n'
        '[[neuron]]\nuse = "if"\n\n'
        "[network]\nhidden = { choice = [[48], [64, 64]] }\n"
    )
