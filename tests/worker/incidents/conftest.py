"""Worlds on SQLite, for what takes long."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from settings_store.db import Database
from tests.servers.stores import sqlite_store
from tests.worker.health_world import World, make_world


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    """SQLite: these weeks are long."""
    database = Database(sqlite_store(tmp_path / "weeks.db"))
    yield database
    database.close()


@pytest.fixture
def world(file: Database, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with the settings as they come."""
    return make_world(file, monkeypatch)
