"""Servers that many tests share. Each is real; each is started once a session, when a test first asks for it."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.certificates import CertificateLab
from tests.servers.lab import MailLab, mail_lab
from tests.servers.postgres import PostgresServer
from tests.servers.process import is_root, scratch_folder
from tests.servers.redis import RedisServer


def pytest_report_header() -> list[str]:
    """Say up front which tests cannot run here."""
    missing = [name for name in ("dovecot", "postfix", "redis-server") if shutil.which(name, path=_path()) is None]
    lines = [f"missing servers: {', '.join(missing)} (run scripts/install-test-servers.sh)"] if missing else []
    return lines + ([] if is_root() else ["not root: tests with a real Postfix are skipped"])


LONGEST = (
    "tests/flows/",
    "tests/web/repetition/test_kills.py",
    "tests/worker/incidents/",
    "tests/worker/runs/test_lock_order.py",
    "tests/worker/alerts/test_delivery.py",
    "tests/worker/wording/",
    "tests/checks/clients/",
    "tests/servers/",
)
"""What takes longest. It begins first: a core has nothing to do while another has a long file left."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse to run with the network open: tests talk to loopback only. The longest files come first."""
    if not config.getoption("--disable-socket") or not config.getoption("--allow-hosts"):
        raise pytest.UsageError("Run pytest with the options of pyproject.toml: tests may only reach loopback.")
    items.sort(
        key=lambda item: next((n for n, path in enumerate(LONGEST) if item.nodeid.startswith(path)), len(LONGEST))
    )


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that servers under other users may enter."""
    with scratch_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def certificates(server_folder: Path) -> CertificateLab:
    """A throwaway certificate authority for tests that need no mail server."""
    return CertificateLab(server_folder / "authority")


@pytest.fixture(scope="session")
def lab_session(server_folder: Path) -> Iterator[MailLab]:
    if not is_root():
        pytest.skip("Postfix can only be started by root: run the tests as root (CI does) to include this one.")
    with mail_lab(server_folder / "lab") as servers:
        yield servers


@pytest.fixture
def lab(lab_session: MailLab) -> MailLab:
    """Dovecot and Postfix of lab.example with 200 mailboxes; logins are counted from the start of the test."""
    lab_session.forget()
    return lab_session


@pytest.fixture(scope="session")
def redis_server(server_folder: Path) -> Iterator[RedisServer]:
    with RedisServer(server_folder / "redis") as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of a Redis without any keys."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture(scope="session")
def postgres_server(server_folder: Path) -> Iterator[PostgresServer]:
    with PostgresServer(server_folder / "postgres") as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database."""
    url = postgres_server.new_database()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def postgres_store(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a PostgreSQL database with the newest schema and nothing in it."""
    with postgres_server.lent_store() as url:
        yield url


@pytest.fixture
def new_postgres_store(postgres_server: PostgresServer) -> Iterator[str]:
    """As `postgres_store`, for a test whose processes may outlive it: nobody else ever has this database."""
    url = postgres_server.new_store()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def heeds_interrupts() -> Iterator[None]:
    """A shell's background job ignores SIGINT, and whatever it starts does too (POSIX, 2.11 of the shell)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _path() -> str:
    return "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
