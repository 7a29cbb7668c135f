"""A migrated database of each kind with one domain, and runs of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from settings_store.db import Database
from tests.servers.stores import sqlite_store
from tests.turns import one_of

KINDS = ("sqlite", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "one_database: either will do, for the statements are tested on both elsewhere")
    config.addinivalue_line("markers", "both_databases: all the same, this one is tested on both")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Both databases, or one where a file is marked `one_database`: `settings_store`'s tests ask both the same."""
    if "database" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker
        one = marked("one_database") and not marked("both_databases")
        metafunc.parametrize("database", one_of(KINDS, metafunc) if one else KINDS, indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with the newest schema."""
    if request.param == "postgresql":
        database = Database(request.getfixturevalue("postgres_store"))
    else:
        database = Database(sqlite_store(tmp_path / "runs.db"))
    yield database
    database.close()
