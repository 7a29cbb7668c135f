"""The host app on a real service and real mail servers, in both modes."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import requests
from mail_preflight_client import Client
from pydantic import SecretStr

from cli.demo.directory import Directory
from cli.demo.sandbox import HOST, MailServer, running_sandbox
from tests.web.api import Api, running
from tests.web.client.host_app import HostApp

DOMAIN = "customer.example"
ADA, BOB = f"ada@{DOMAIN}", f"bob@{DOMAIN}"
PASSWORDS = {ADA: "planted-ada", BOB: "planted-bob"}


@pytest.fixture(params=["embedded", "distributed"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    """A service that does all that `serve` does, or what web, workers and beat do on Redis and PostgreSQL."""
    config: dict[str, Any] = {}
    if request.param == "distributed":
        config = {
            "database_url": request.getfixturevalue("new_postgres_store"),
            "broker_url": SecretStr(request.getfixturevalue("redis_url")),
            "allow_networks": (ip_network("127.0.0.0/8"),),
        }
    with running(tmp_path, **config) as api, api.preflight.watching():
        yield api


def settings_of(server: MailServer) -> dict[str, Any]:
    return {
        "kind": "imap",
        "imap": {"host": HOST, "port": server.imap_port, "security": server.imap_security.value},
        "smtp": {"host": HOST, "port": server.smtp_port, "security": "starttls"},
        "ca_pem": server.ca_pem,
    }


def test_an_admin_saves_looks_applies_and_takes_back(service: Api) -> None:
    """Given a new server that does not know one password, exactly that mailbox would disconnect."""
    directories = Directory(PASSWORDS, {}), Directory(PASSWORDS | {BOB: "another"}, {})
    with running_sandbox(*directories) as servers, Client(service.url, service.key) as client:
        app = HostApp(client)
        with app.receiving() as url:
            first = app.save(DOMAIN, settings_of(servers.old), PASSWORDS)
            assert app.watch(first) == "verified"
            assert app.hear("change.verified", first)["verdict"] == "safe"
            assert app.who_would_disconnect(first) == {}
            assert app.apply(first) == "applied"

            second = app.save(DOMAIN, settings_of(servers.new), PASSWORDS)
            assert app.poll(second) == "unsafe"
            assert app.hear("change.verified", second)["counts"]["will_disconnect"] == 1
            assert app.who_would_disconnect(second) == {BOB: "auth.rejected"}
            assert app.apply(second) == "applied"
            assert app.hear("change.applied", second)
            assert client.domains.get(DOMAIN)["settings"]["imap"]["port"] == servers.new.imap_port
            assert app.take_back(second) == "rolled_back"
            assert app.hear("change.rolled_back", second)
            assert client.domains.get(DOMAIN)["settings"]["imap"]["port"] == servers.old.imap_port

            assert app.refused == 0
            assert requests.post(url, b"{}", timeout=10).status_code == 401
            assert app.refused == 1
