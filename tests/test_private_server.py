"""The PostgreSQL server of tests and benchmarks: it ends and leaves nothing, and says so where it cannot be had."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from benchmarks import postgresql
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import OperationalError


def test_it_says_where_its_programs_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert postgresql.programs() is None
    with pytest.raises(FileNotFoundError, match="apt-get install postgresql"), postgresql.server():
        pass


def test_the_newest_programs_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", "")
    for version in ("9.6", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    assert postgresql.programs() == tmp_path / "17" / "bin"


@pytest.mark.skipif(postgresql.programs() is None, reason=postgresql.MISSING)
def test_it_ends_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def remembered(**options: str) -> str:
        made.append(make(**options))
        return made[-1]

    make = tempfile.mkdtemp
    monkeypatch.setattr(tempfile, "mkdtemp", remembered)
    with postgresql.server(durable=False) as url:
        engine = create_engine(url)
        with engine.connect() as connection:
            assert re.match(r"PostgreSQL \d+", str(connection.exec_driver_sql("SELECT version()").scalar()))
        engine.dispose()
        assert make_url(url).host == "127.0.0.1"
    assert [Path(folder).exists() for folder in made] == [False]
    with pytest.raises(OperationalError, match="refused"):
        engine.connect()
    engine.dispose()
