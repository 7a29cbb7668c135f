"""The database: SQLite in one file, or PostgreSQL by psycopg 3. Transactions, and the way to the newest schema."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from checks.model import Invalid, Unavailable
from settings_store import migrations
from settings_store.joining import Joined, joined_in
from settings_store.migrations.progress import told

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

_BUSY_SECONDS = 10
_CONNECT_SECONDS = 5
# Any number will do, as long as every version of this program takes the same one.
_MIGRATION_LOCK = 7_163_281_940

_READ_ONLY = "25006"  # PostgreSQL's read_only_sql_transaction: a standby, or a primary that is being replaced
_POOL: Mapping[str, int] = {"pool_size": 5, "max_overflow": 20}
_URL_HELP = "give it like sqlite:////folder/file.db or postgresql://user:password@host/name"


class Database:
    """One database. Safe to use from many threads; a forked process opens its own.

    `url` is a SQLAlchemy URL; `postgresql://` means psycopg 3. Raises `Invalid` for one that names no such database.
    """

    def __init__(self, url: str) -> None:
        self._url = _parse(url)
        self._is_file = self._url.get_backend_name() == "sqlite"
        self._engine = _sqlite_engine(self._url) if self._is_file else _postgresql_engine(self._url)
        self._reading = self._engine.execution_options(**({} if self._is_file else _POSTGRESQL_READ))
        self._asking = self._engine.execution_options(**({} if self._is_file else {"isolation_level": "AUTOCOMMIT"}))
        # SQLite has one writer at a time and lets the others poll for their turn; threads of one process queue here.
        self._turn = threading.Lock()
        self._closed = False
        sa.event.listen(self._engine, "checkin", self._returned)

    def __repr__(self) -> str:
        return f"Database({self._shown})"

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One write transaction: committed at the end, rolled back on an exception. Transactions do not nest.

        Inside `joined` it is a part of that one, and rolled back alone. Raises `Unavailable`, as `read` and `now` do.
        """
        if outer := joined_in(self):
            with self._available(), outer.connection.begin_nested():
                yield outer.connection
            return
        if not self._is_file:
            with self._available(), self._engine.begin() as connection:
                yield connection
            return
        with self._available(), self._take_turn(), self._engine.connect() as connection:
            connection = connection.execution_options(sqlite_begin="IMMEDIATE")
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One read transaction: every statement in it sees the same state of the database.

        Inside `joined` it sees what that one has written, and what others commit meanwhile.
        """
        if outer := joined_in(self):
            with self._available():
                yield outer.connection
            return
        with self._available(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def joined(self) -> Iterator[sa.Connection]:
        """One write transaction for all that is done inside by this thread: each `begin` and `read` is a part of it.

        What was given to `after_commit` meanwhile is done at the end, or never where an exception rolls all back.
        """
        with self.begin() as connection, Joined(self, connection) as outer:
            yield connection
        for step in outer.steps:
            step()

    def after_commit(self, step: Callable[[], object]) -> None:
        """Does a step at once; inside `joined` when that is committed. So others see what the step tells them of."""
        if outer := joined_in(self):
            outer.steps.append(step)
        else:
            step()

    @contextmanager
    def ask(self) -> Iterator[sa.Connection]:
        """Statements for reading, each of which sees whatever was committed before it itself began."""
        with self._available(), self._asking.connect() as connection:
            yield connection

    def now(self) -> float:
        """UTC seconds since 1970 by the one clock that all processes of this database share.

        That of PostgreSQL: leases that are judged by the clocks of several hosts end too early, or never.
        """
        if self._is_file:
            return time.time()
        with self.ask() as connection:
            return self.now_in(connection)

    def now_in(self, connection: sa.Connection) -> float:
        """The same, asked by a transaction that is there already: that costs less than another one."""
        if self._is_file:
            return time.time()
        return float(connection.execute(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))).scalar_one())

    def migrate(self, tell: Callable[[str], None] = log.warning) -> None:
        """Creates the tables, or brings them to the newest schema. Processes that do so at once wait for each other.

        `tell` is given a line for what takes long: what is done to which large table, and how far that is.
        Raises `Invalid` when the database is of a newer schema, is none, or a file that cannot be opened or made, and
        `Unavailable` when it cannot be reached or written.
        """
        try:
            self._prepare_file()
            self._upgrade(tell)
        except migrations.UnknownRevision as error:
            raise Invalid(
                f"the database {self._shown} was written by a newer version of this program (schema {error}); "
                "upgrade the program or use another database"
            ) from None
        except Unavailable as error:
            reason = error.__cause__
            if isinstance(reason, sa.exc.DBAPIError) and _names_no_file(reason):
                raise Invalid(f"the database {self._shown} cannot be used: {self._reason(reason)}") from None
            raise
        except (OSError, sa.exc.DBAPIError) as error:
            raise Invalid(f"the database {self._shown} cannot be used: {self._reason(error)}") from None

    def close(self) -> None:
        """Closes all connections, those that are in use when they are given back."""
        self._closed = True
        self._engine.dispose()

    def _returned(self, _connection: object, record: sa.pool.ConnectionPoolEntry) -> None:
        if self._closed:  # its pool is gone, and nobody would ever close it
            record.invalidate()

    def _upgrade(self, tell: Callable[[str], None]) -> None:
        with self.read() as connection:
            if migrations.current_revision(connection) == migrations.HEAD:
                return
        with self.begin() as connection:
            if not self._is_file:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            elif not sa.inspect(connection).get_table_names():
                migrations.create_sqlite(connection)
                return
            with told(connection, tell, self.ask):
                migrations.upgrade(connection)

    def _prepare_file(self) -> None:
        """The database holds addresses and credentials: what we create is for its owner only (-wal and -shm follow)."""
        if self._is_file:
            path = Path(self._url.database or "")
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                path.touch(mode=0o600)

    @contextmanager
    def _available(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            if not _passes(error):
                raise
            reason = f"the database {self._shown} cannot be used: {self._reason(error)}"
            raise Unavailable(f"{reason}; {self._remedy}") from error
        except sa.exc.TimeoutError as error:  # nobody gave a connection back
            reason = f"the database {self._shown} cannot be used: all connections are taken"
            raise Unavailable(f"{reason}; try again in a moment") from error

    @contextmanager
    def _take_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=_BUSY_SECONDS):
            raise Unavailable(f"the database {self._shown} was held by another transaction for {_BUSY_SECONDS} s")
        try:
            yield
        finally:
            self._turn.release()

    @property
    def _remedy(self) -> str:
        if self._is_file:
            return "make room on the disk, and let us write there"
        return "start PostgreSQL, or correct MAIL_PREFLIGHT_DATABASE_URL"

    @property
    def _shown(self) -> str:
        """The database's name for people: no password, and no options, which may hold one."""
        return str(self._url.database) if self._is_file else self._url.set(query={}).render_as_string()

    def _reason(self, error: OSError | sa.exc.DBAPIError) -> str:
        """The first line of what the driver or the system says, without the password."""
        if isinstance(error, OSError):
            return error.strerror or str(error)
        lines = str(error.orig).strip().splitlines() or ["no reason given"]
        passwords = (self._url.password, *self._url.normalized_query.get("password", ()))
        for password in filter(None, passwords):
            lines[0] = lines[0].replace(password, "***")
        return lines[0]


def insert_into(connection: sa.Connection, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    """An INSERT that can be told what to do about rows that are there already. Both databases say it alike."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    """As `insert_into`, for a statement that is made once and kept."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # with all of its drivers' modules: only where there is one

    return postgresql.insert(table)


def _parse(text: str) -> sa.URL:
    try:
        url = sa.make_url(text.strip())
    except (sa.exc.ArgumentError, ValueError):
        # What was typed may hold a password, and the library's message quotes parts of it.
        raise Invalid(f"the database URL cannot be read; {_URL_HELP}", "database_url") from None
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise Invalid(f"the database URL must be of SQLite or PostgreSQL; {_URL_HELP}", "database_url")
    if url.get_backend_name() == "sqlite" and (url.database in {None, "", ":memory:"} or url.query):
        raise Invalid(f"the database URL must name a file and no options; {_URL_HELP}", "database_url")
    return url


def _names_no_file(error: sa.exc.DBAPIError) -> bool:
    """Whether SQLite cannot open what the URL names: it is the URL that is wrong."""
    return str(getattr(error.orig, "sqlite_errorname", "")).startswith("SQLITE_CANTOPEN")


def _passes(error: sa.exc.DBAPIError) -> bool:
    """Whether an error is of the database's state and not of the statement: those are our own defects."""
    if getattr(error.orig, "sqlstate", None) == _READ_ONLY:
        return True
    wrong = getattr(error.orig, "sqlite_errorname", "") == "SQLITE_ERROR"
    return isinstance(error, sa.exc.OperationalError) and not wrong


# Exceptions of SQLAlchemy quote the values of a statement unless told not to.
_ENGINE: Mapping[str, Any] = {"hide_parameters": True, **_POOL}
_POSTGRESQL_READ: Mapping[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _postgresql_engine(url: sa.URL) -> sa.Engine:
    # A plan made without the values compares a long IN list item by item: 90 ms instead of 1 ms for 500 of 10,000 rows.
    options = " ".join((*url.normalized_query.get("options", ()), "-c plan_cache_mode=force_custom_plan"))
    connect_args = {"connect_timeout": _CONNECT_SECONDS, "options": options}
    return sa.create_engine(url, connect_args=connect_args, pool_pre_ping=True, **_ENGINE)


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    connect_args = {"timeout": _BUSY_SECONDS, "check_same_thread": False}
    engine = sa.create_engine(url, connect_args=connect_args, **_ENGINE)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by itself, deferred and only before some statements; `_begin_sqlite` does it.
    connection.isolation_level = None
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        _use_wal(connection)
    except sqlite3.Error:
        connection.close()  # the pool does not have it yet, and would not
        raise


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switches the file to WAL. Two connections that do so at once are refused without a wait, so the wait is here."""
    give_up = time.monotonic() + _BUSY_SECONDS
    while time.monotonic() < give_up:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: sa.Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
