"""Whose a key is: what no key can be asks nobody, and no request waits for its use to be written down."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from settings_store.access.api_keys import ApiKey, KeyRequest
from settings_store.access.key_format import new_key
from settings_store.actors import Actor
from settings_store.db import Database
from settings_store.domains import ensure_account
from tests.servers.stores import sqlite_store
from worker.service.access.access import Access
from worker.service.access.authentication import Authenticator

HERE = "192.0.2.1"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(sqlite_store(tmp_path / "store.db"))) as found:
        yield found


@pytest.fixture
def access(database: Database) -> Access:
    with database.begin() as conn:
        return Access(database, ensure_account(conn), Actor("ada"))


@pytest.fixture
def authenticate(database: Database) -> Iterator[Authenticator]:
    found = Authenticator(database)
    yield found
    found.close()


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """What the database is asked."""
    asked: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    engine = database._engine  # noqa: SLF001 -- the only place where statements can be counted
    sa.event.listen(engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(engine, "before_cursor_execute", note)


def noted(access: Access, key: ApiKey) -> tuple[float | None, str]:
    found = access.key(key.id)
    return found.last_used_at, found.last_address


def test_a_mistyped_key_asks_nobody(authenticate: Authenticator, access: Access, statements: list[str]) -> None:
    text = access.create_key(KeyRequest("crm"))[1].text
    statements.clear()
    for wrong in (text[:-1], text[:-1] + ("a" if text[-1] != "a" else "b"), text.replace("live", "test"), "", "é" * 9):
        assert authenticate(wrong, HERE) is None
    assert statements == []
    assert authenticate(text, HERE) is not None
    assert authenticate(new_key(live=True).text, HERE) is None


def test_the_use_is_written_down_once(authenticate: Authenticator, access: Access, statements: list[str]) -> None:
    key, plain = access.create_key(KeyRequest("crm"))
    for number in range(5):
        assert authenticate(plain.text, f"192.0.2.{number}")
    authenticate.settle()
    assert noted(access, key)[1] == "192.0.2.0"
    assert sum(statement.startswith("UPDATE api_keys") for statement in statements) == 1


def test_a_busy_database_keeps_no_request_waiting(authenticate: Authenticator, access: Access, tmp_path: Path) -> None:
    """Given another process that writes, then a key is known at once, and its use is written down afterwards."""
    key, plain = access.create_key(KeyRequest("crm"))
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert authenticate(plain.text, HERE)
        assert noted(access, key) == (None, "")
        other.execute("COMMIT")
    authenticate.settle()
    assert noted(access, key)[1] == HERE


def test_a_database_that_cannot_be_written_knows_keys(
    access: Access, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, plain = access.create_key(KeyRequest("crm"))
    with closing(Database(f"sqlite:///{tmp_path}/store.db")) as database:

        def read_only(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA query_only = ON")

        sa.event.listen(database._engine, "connect", read_only)  # noqa: SLF001 -- no file is read-only to root
        authenticate = Authenticator(database)
        for _ in range(3):
            assert authenticate(plain.text, HERE)
        authenticate.close()
    assert len(caplog.messages) == 1
    assert "is not written down" in caplog.text
    assert plain.text not in caplog.text
