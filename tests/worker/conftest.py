"""A migrated database of each kind with one domain, and runs of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from settings_store.db import Database
from tests.servers.stores import sqlite_store


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with the newest schema."""
    if request.param == "postgresql":
        database = Database(request.getfixturevalue("postgres_store"))
    else:
        database = Database(sqlite_store(tmp_path / "runs.db"))
    yield database
    database.close()
