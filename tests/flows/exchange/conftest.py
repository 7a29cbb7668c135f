"""One Exchange for the folder, and a system in each mode whose workers have short deadlines and long budgets."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.exchange.site import ACTORS, PASSWORD, VARIABLES, WELL, Site
from tests.flows.harness import MODES, System
from tests.servers.certificates import CertificateLab
from tests.servers.exchange.server import ExchangeServer
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.stores import sqlite_store


@pytest.fixture(scope="package")
def exchange(server_folder: Path, certificates: CertificateLab) -> Iterator[ExchangeServer]:
    users = dict.fromkeys((*ACTORS, *WELL), PASSWORD)
    folder, leaf = server_folder / "exchange-flows", certificates.issue()
    with ExchangeServer(folder, leaf, users, ("Basic", "NTLM", "Bearer")) as server:
        yield server


@pytest.fixture(scope="package", params=MODES)
def running(request: pytest.FixtureRequest, server_folder: Path, postgres_server: PostgresServer) -> Iterator[System]:
    folder = Path(tempfile.mkdtemp(prefix=f"exchange-system-{request.param}-", dir=server_folder))
    if request.param == "embedded":
        yield System("embedded", folder, sqlite_store(folder / "preflight.db"), "memory://localhost/")
        return
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(RedisServer(folder / "redis"))
        system = System("distributed", folder, postgres_server.new_store(), redis.url, log_level="DEBUG")
        system.workers = stack.enter_context(system.working(2, **VARIABLES))
        yield system


@pytest.fixture
def site(running: System, exchange: ExchangeServer, certificates: CertificateLab) -> Iterator[Site]:
    exchange.reset()
    made = Site(running, exchange, certificates.ca_pem, certificates.ca_file)
    made.forget_mailboxes()
    yield made
    assert exchange.misplaced_credentials() == []
    assert exchange.asked_elsewhere() == 0
