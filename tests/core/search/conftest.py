"""What the tests of searches share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spikefront.storage import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "test.db", create=True) as opened:
        yield opened
