"""Both modes of the whole system. The distributed one keeps its two workers for the session: starting them is slow."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from settings_store import schema
from settings_store.db import Database
from tests.flows import quick
from tests.flows.harness import MODES, OTHERS_REJECT, Mode, System, user_of
from tests.servers.lab import MailLab, mail_lab
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.stores import sqlite_store
from tests.turns import one_of

_OF_A_MODE = ("system", "database_system", "empty_system", "installed", "crowd", "running")
"""The fixtures that are of one mode, here and in files below."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_modes: what is tested depends on the mode")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that is marked `both_modes` runs in both. Any other runs in one of them, which its name decides.

    Those ask what both modes do with the same code, and each mode has half of them; SQL is tested on both databases
    by the tests of `settings_store`. `MAIL_PREFLIGHT_TEST_EVERY_STEP=1` runs all of them in both.
    """
    for name in set(_OF_A_MODE).intersection(metafunc.fixturenames):
        metafunc.parametrize(name, _modes_of(metafunc), indirect=True)


def _modes_of(metafunc: pytest.Metafunc) -> Sequence[Mode]:
    return MODES if metafunc.definition.get_closest_marker("both_modes") else one_of(MODES, metafunc)


@pytest.fixture(scope="package", autouse=True)
def short_leases() -> Iterator[None]:
    """What runs in this process waits no longer than what runs beside it."""
    with quick.hurried():
        yield


@pytest.fixture
def honest_leases() -> Iterator[None]:
    """For who counts logins: a busy machine may let a short lease lapse while its owner lives."""
    with quick.hurried(quick.HONEST_LEASE_SECONDS):
        yield


@pytest.fixture(scope="session")
def shared_redis(server_folder: Path) -> Iterator[RedisServer]:
    """The Redis of the session's workers, who would take the messages of others away."""
    with RedisServer(server_folder / "redis-of-flows") as server:
        yield server


@pytest.fixture(scope="session")
def shared_system(server_folder: Path, shared_redis: RedisServer, postgres_server: PostgresServer) -> Iterator[System]:
    """Redis, PostgreSQL and two worker processes."""
    folder = server_folder / "flows"
    folder.mkdir()
    system = System("distributed", folder, postgres_server.new_store(), shared_redis.url, log_level="DEBUG")
    with system.working(2) as workers:
        system.workers = workers
        yield system


@pytest.fixture
def system(request: pytest.FixtureRequest, tmp_path: Path) -> System:
    """An empty system whose workers are there: in this process when embedded, two others when distributed."""
    if request.param == "embedded":
        return embedded(tmp_path)
    distributed: System = request.getfixturevalue("distributed_system")
    return distributed


@pytest.fixture
def distributed_system(shared_system: System) -> System:
    """The session's distributed system, emptied."""
    _empty(shared_system)
    return shared_system


@pytest.fixture
def embedded_system(tmp_path: Path) -> System:
    """An empty embedded system."""
    return embedded(tmp_path)


@pytest.fixture
def own_system(tmp_path: Path, redis_url: str, new_postgres_store: str) -> System:
    """A distributed system without any workers yet, to be treated badly."""
    return System("distributed", tmp_path, new_postgres_store, redis_url, log_level="DEBUG")


@pytest.fixture
def database_system(request: pytest.FixtureRequest, tmp_path: Path) -> System:
    """A system that nobody works on, on either database."""
    if request.param == "embedded":
        return embedded(tmp_path)
    return System("distributed", tmp_path, request.getfixturevalue("new_postgres_store"), "redis://127.0.0.1:1/0")


@pytest.fixture
def lab(lab_session: MailLab) -> MailLab:
    """The lab, with its logins counted from the start of the test. All of them are in Dovecot's log."""
    lab_session.dovecot.forget()
    return lab_session


@pytest.fixture(scope="session")
def other_lab_session(server_folder: Path) -> Iterator[MailLab]:
    with mail_lab(server_folder / "other-lab", users=60) as servers:
        servers.dovecot.set_users({**servers.users, **{user_of(number): "another" for number in OTHERS_REJECT}})
        yield servers


@pytest.fixture
def other_lab(other_lab_session: MailLab) -> MailLab:
    """A second pair of servers. It has 60 of the lab's users, and those in `OTHERS_REJECT` have another password."""
    other_lab_session.dovecot.forget()
    return other_lab_session


def embedded(folder: Path) -> System:
    """A system on a new SQLite file, with tables."""
    return System("embedded", folder, sqlite_store(folder / "preflight.db"), "memory://")


def _empty(system: System) -> None:
    """Forgets all rows; the tables stay."""
    database = Database(system.database_url)
    tables = ", ".join(table.name for table in schema.metadata.sorted_tables)
    with database.begin() as conn:
        conn.execute(sa.text(f"TRUNCATE {tables} CASCADE"))
    database.close()
