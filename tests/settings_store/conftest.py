"""A migrated database of each kind, and what a domain needs to be there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from settings_store.db import Database
from settings_store.domains import ensure_account, ensure_domain
from settings_store.secrets import Vault, new_key
from tests.servers.stores import sqlite_store


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/data/store.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database with the newest schema."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_store"))
    return sqlite_store(tmp_path / "data/store.db")


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """A fresh database with the newest schema."""
    database = Database(store_url)
    yield database
    database.close()


@pytest.fixture
def domain_id(database: Database) -> int:
    """The id of lab.example."""
    with database.begin() as conn:
        return ensure_domain(conn, ensure_account(conn), "lab.example")


@pytest.fixture
def vault() -> Vault:
    return Vault([new_key()])
