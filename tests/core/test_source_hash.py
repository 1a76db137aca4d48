"""The hash of a component's code: its module and what that imports from its own package, nothing else."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from spikefront import source_hash
from spikefront.components import Component

MODULE = """
from spikefront import Surrogate
from curtain import _cloth
from ._rail import LENGTH
import curtain.late

class Thing(Surrogate):
    name = "thing"
    def derivative(self, v): return v
    def primitive(self, v):
        from curtain.sub import inner
        return v
"""
FILES = {
    "__init__": "",
    "thing": MODULE,
    "_cloth": "from . import _thread",
    "_thread": "",
    "_rail": "LENGTH = 3",
    "late": "",
    "sub/__init__": "",
    "sub/inner": "from ..late import *",
    "unused": "",
}


def hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: str) -> str:
    for name, text in {**FILES, **changes}.items():
        path = tmp_path / "curtain" / f"{name.replace('__', '/', 1) if name.startswith('sub__') else name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "curtain"]:
        monkeypatch.delitem(sys.modules, name)
    importlib.invalidate_caches()
    source_hash._hash_of.cache_clear()
    component: type[Component] = importlib.import_module("curtain.thing").Thing
    return source_hash.source_hash(component)


@pytest.mark.parametrize("name", ["thing", "_cloth", "_thread", "_rail", "late", "sub__inner", "__init__"])
def test_a_change_of_what_is_imported_counts(tmp_path, monkeypatch, name):
    before = hashed(tmp_path, monkeypatch)
    assert len(before) == 64
    key = name.replace("sub__", "sub/")
    assert hashed(tmp_path, monkeypatch, **{name: f"{FILES[key]}\n# changed"}) != before
    assert hashed(tmp_path, monkeypatch, **{name: FILES[key]}) == before


def test_a_change_of_something_else_does_not(tmp_path, monkeypatch):
    assert hashed(tmp_path, monkeypatch) == hashed(tmp_path, monkeypatch, unused="1 / 0")


def test_where_the_file_lies_does_not_count(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert hashed(tmp_path / "a", monkeypatch) == hashed(tmp_path / "b", monkeypatch)


def test_code_without_a_file_has_no_hash():
    made = type("Made", (Component,), {"__module__": "builtins", "name": "made", "__doc__": "Made."})
    assert source_hash.source_hash(made) == ""
