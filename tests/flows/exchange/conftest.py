"""One Exchange for the folder, and a system in each mode whose workers have short deadlines and long budgets."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.exchange.site import ACTORS, PASSWORD, VARIABLES, WELL, Site, exchange_system
from tests.flows.harness import System
from tests.servers.certificates import CertificateLab
from tests.servers.exchange.server import ExchangeServer
from tests.servers.postgres import PostgresServer


@pytest.fixture(scope="package")
def exchange(server_folder: Path, certificates: CertificateLab) -> Iterator[ExchangeServer]:
    users = dict.fromkeys((*ACTORS, *WELL), PASSWORD)
    folder, leaf = server_folder / "exchange-flows", certificates.issue()
    with ExchangeServer(folder, leaf, users, ("Basic", "NTLM", "Bearer")) as server:
        yield server


@pytest.fixture(scope="package")
def running(request: pytest.FixtureRequest, server_folder: Path, postgres_server: PostgresServer) -> Iterator[System]:
    folder = Path(tempfile.mkdtemp(prefix=f"exchange-system-{request.param}-", dir=server_folder))
    with exchange_system(request.param, folder, postgres_server, VARIABLES) as system:
        yield system


@pytest.fixture
def site(running: System, exchange: ExchangeServer, certificates: CertificateLab) -> Iterator[Site]:
    exchange.reset()
    made = Site(running, exchange, certificates.ca_pem, certificates.ca_file)
    made.forget_mailboxes()
    yield made
    assert exchange.misplaced_credentials() == []
    assert exchange.asked_elsewhere() == 0
