"""A migrated database of each kind with one domain, and runs of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from settings_store.db import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with the newest schema."""
    if request.param == "postgresql":
        database = Database(request.getfixturevalue("postgres_url"))
    else:
        database = Database(f"sqlite:///{tmp_path}/runs.db")
    database.migrate()
    yield database
    database.close()
