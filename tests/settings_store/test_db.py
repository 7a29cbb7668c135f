"""Transactions on both databases, and what people read when a database cannot be used."""

import contextlib
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from checks.model import Invalid, Unavailable
from settings_store.db import Database
from settings_store.schema import accounts
from tests.servers.postgres import PostgresServer
from tests.servers.process import scratch_folder


def _names(database: Database) -> list[str]:
    with database.read() as conn:
        return list(conn.scalars(sa.select(accounts.c.name).order_by(accounts.c.name)))


def test_a_transaction_is_kept_whole_or_not_at_all(database: Database) -> None:
    with database.begin() as conn:
        conn.execute(accounts.insert().values(name="kept"))
    with pytest.raises(RuntimeError), database.begin() as conn:
        conn.execute(accounts.insert().values(name="lost"))
        raise RuntimeError
    assert _names(database) == ["kept"]


def test_a_read_sees_one_state(database: Database) -> None:
    count = sa.select(sa.func.count()).select_from(accounts)
    with database.read() as conn:
        assert conn.scalar(count) == 0
        with database.begin() as writer:
            writer.execute(accounts.insert().values(name="meanwhile"))
        assert conn.scalar(count) == 0
    assert _names(database) == ["meanwhile"]


def test_many_threads_write_without_losing_anything(database: Database) -> None:
    with database.begin() as conn:
        conn.execute(accounts.insert().values(id=1, name="0"))

    def count_up() -> None:
        for _ in range(10):
            with database.begin() as conn:
                # Read, then write: a deferred transaction would lose counts or fail here.
                current = conn.scalar(sa.select(accounts.c.name).where(accounts.c.id == 1).with_for_update())
                conn.execute(accounts.update().values(name=str(int(current or 0) + 1)))

    threads = [threading.Thread(target=count_up) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _names(database) == ["200"]


def test_an_exception_of_the_database_quotes_no_values(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError) as caught, database.begin() as conn:
        conn.execute(sa.text("INSERT INTO accounts (id, name) VALUES (:id, NULL)"), {"id": 424242})
    # PostgreSQL's own detail repeats the row as it is stored: a credential is encrypted there.
    assert "424242" not in str(caught.value).split("DETAIL")[0]


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "store.db"


@pytest.fixture
def on_sqlite(sqlite_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{sqlite_path}")
    database.migrate()
    yield database
    database.close()


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("busy_timeout", 10_000), ("foreign_keys", 1), ("synchronous", 1)]
)
def test_sqlite_is_set_up(on_sqlite: Database, pragma: str, value: object) -> None:
    with on_sqlite.read() as conn:
        assert conn.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_sqlite_folder_and_file_are_for_their_owner_only(on_sqlite: Database, sqlite_path: Path) -> None:
    with on_sqlite.begin() as conn:
        conn.execute(accounts.insert().values(name="x"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in sqlite_path.parent.iterdir()}
    assert sqlite_path.parent.stat().st_mode & 0o777 == 0o700
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_sqlite_waits_for_another_process_that_writes(on_sqlite: Database, sqlite_path: Path) -> None:
    other = sqlite3.connect(sqlite_path, isolation_level=None, check_same_thread=False)
    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        release.start()
        with on_sqlite.begin() as conn:
            conn.execute(accounts.insert().values(name="patient"))
        release.join()
    assert _names(on_sqlite) == ["patient"]


def test_a_transaction_inside_a_transaction_is_an_error_and_no_deadlock(
    on_sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settings_store.db._BUSY_SECONDS", 0.05)
    with on_sqlite.begin(), pytest.raises(Unavailable), on_sqlite.begin():
        pass
    with on_sqlite.begin() as conn:
        conn.execute(accounts.insert().values(name="next"))


def test_postgresql_options_of_the_url_are_kept(postgres_url: str) -> None:
    with (
        closing(Database(f"{postgres_url}?options=-c%20statement_timeout%3D12345")) as database,
        database.read() as conn,
    ):
        shown = [conn.scalar(sa.text(f"SHOW {name}")) for name in ("statement_timeout", "plan_cache_mode")]
    assert shown == ["12345ms", "force_custom_plan"]


def _not_a_database(folder: Path) -> Path:
    path = folder / "notes.txt"
    path.write_text("These are my notes. " * 100)
    return path


def _in_a_file(folder: Path) -> Path:
    return _not_a_database(folder) / "store.db"


def _a_folder(folder: Path) -> Path:
    return folder


def _in_proc(_folder: Path) -> Path:
    # Nobody can create a folder here, not even root.
    return Path("/proc/mail-preflight/store.db")


def _somebody_elses(folder: Path) -> Path:
    path = folder / "other.db"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE accounts (balance INTEGER)")
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_not_a_database, "file is not a database"),
        (_in_a_file, "Not a directory|File exists"),
        (_a_folder, "unable to open database file"),
        (_in_proc, "No such file or directory"),
        (_somebody_elses, "table accounts already exists"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(
    make: Callable[[Path], Path], reason: str, tmp_path: Path
) -> None:
    path = make(tmp_path)
    with (
        closing(Database(f"sqlite:///{path}")) as database,
        pytest.raises(Invalid, match=rf"\Athe database {path} cannot be used: ({reason})\Z"),
    ):
        database.migrate()


def test_a_file_that_is_no_database_is_left_as_it_was(tmp_path: Path) -> None:
    path = _not_a_database(tmp_path)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    with closing(Database(f"sqlite:///{path}")) as database, pytest.raises(Invalid):
        database.migrate()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_foreign_database_is_left_as_it_was(tmp_path: Path) -> None:
    path = _somebody_elses(tmp_path)
    with closing(Database(f"sqlite:///{path}")) as database, pytest.raises(Invalid):
        database.migrate()
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("SELECT name FROM sqlite_master").fetchall() == [("accounts",)]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////tmp/x.db?mode=ro",
        "mysql://root:planted@db/x",
        "postgresql://user:planted@db:port/name",
    ],
)
def test_a_url_that_names_no_database_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        Database(url)
    assert "\n" not in str(caught.value)
    assert "planted" not in str(caught.value)
    assert caught.value.field == "database_url"


@pytest.mark.parametrize("prefix", ["postgresql", "postgres", "postgresql+psycopg"])
def test_no_repr_shows_the_password(prefix: str) -> None:
    database = Database(f"{prefix}://me:planted@127.0.0.1:1/name?password=planted2")
    assert repr(database) == "Database(postgresql+psycopg://me:***@127.0.0.1:1/name)"


def test_a_postgresql_that_refuses_is_one_line_without_the_password() -> None:
    with pytest.raises(Unavailable) as caught:
        Database("postgresql://me:planted@127.0.0.1:1/name").migrate()
    assert "127.0.0.1:1/name cannot be used: " in str(caught.value)
    assert str(caught.value).endswith("; start PostgreSQL, or correct MAIL_PREFLIGHT_DATABASE_URL")
    assert "planted" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_postgresql_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("settings_store.db._CONNECT_SECONDS", 2)  # the least that the driver takes
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = Database(f"postgresql://me:planted@127.0.0.1:{silent.getsockname()[1]}/name")
        with pytest.raises(Unavailable, match=r"cannot be used: .*timeout"):
            database.migrate()


def test_a_wrong_postgresql_password_is_not_repeated(request: pytest.FixtureRequest) -> None:
    url = sa.make_url(request.getfixturevalue("postgres_url")).set(username="nobody_known", password="planted")
    with pytest.raises(Unavailable, match="cannot be used: ") as caught:
        Database(url.render_as_string(hide_password=False)).migrate()
    assert "planted" not in str(caught.value)


def test_a_closed_database_opens_again_for_its_next_user(on_sqlite: Database) -> None:
    on_sqlite.close()
    assert _names(on_sqlite) == []


def test_a_postgresql_out_of_connections_is_told_as_that() -> None:
    """Given as many sessions as the server takes, when we ask, then it is one line, and works once one has ended."""
    with scratch_folder() as folder, PostgresServer(folder / "few", max_connections=5) as server:
        url = server.new_database()
        database = Database(url)
        with contextlib.ExitStack() as stack:
            for _ in range(5):
                stack.enter_context(closing(psycopg.connect(url)))
            with pytest.raises(Unavailable, match=r"cannot be used: .*too many clients") as told, database.read():
                pass
            assert "\n" not in str(told.value)
        with database.read() as conn:
            assert conn.execute(sa.select(1)).scalar_one() == 1
        database.close()


def test_a_defect_of_ours_is_not_taken_for_one_of_the_database(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError), database.begin() as conn:
        conn.exec_driver_sql("SELECT * FROM no_such_table")


def test_what_is_in_use_when_all_is_closed_is_closed_later(on_sqlite: Database) -> None:
    with on_sqlite.read() as conn:
        held = conn.connection.dbapi_connection
        on_sqlite.close()
        assert isinstance(held, sqlite3.Connection)
        assert conn.execute(sa.select(1)).scalar() == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        held.execute("SELECT 1")
