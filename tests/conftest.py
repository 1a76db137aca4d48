"""What all tests share: one torch thread in each process, and a private PostgreSQL server where one can be started.

Small networks are slower with more threads, and tests run side by side.
"""

import uuid
from collections.abc import Iterator

import pytest
import torch
from benchmarks import postgresql
from sqlalchemy import create_engine, make_url, text

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Return the URL of a server that ends with the tests."""
    if postgresql.programs() is None:
        pytest.skip(postgresql.MISSING)
    with postgresql.server(durable=False) as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """Return the URL of a new, empty database on that server."""
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(postgresql_server).set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
