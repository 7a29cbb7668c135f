"""One service for all tests of the client: it works on verifications, and sends webhooks."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from mail_preflight_client import Client

from tests.web.api import Api, running


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("client")) as api, api.preflight.processes.watching():
        yield api


@pytest.fixture
def client(site: Api) -> Iterator[Client]:
    with contextlib.closing(Client(site.url, site.key)) as client:
        yield client


@pytest.fixture
def nobody_there() -> dict[str, Any]:
    """Settings of servers that refuse every connection."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = {"host": "127.0.0.1", "port": taken.getsockname()[1], "security": "tls"}
    return {"kind": "imap", "imap": server, "smtp": server}
