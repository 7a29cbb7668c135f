"""The host app on a real service and real mail servers, in both modes."""

import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import requests
from mail_preflight_client import Client
from mail_preflight_client.documents import EventDocument
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
    with running(tmp_path, **config) as api, api.preflight.processes.watching():
        yield api


def settings_of(server: MailServer) -> dict[str, Any]:
    return {
        "kind": "imap",
        "imap": {"host": HOST, "port": server.imap_port, "security": server.imap_security.value},
        "smtp": {"host": HOST, "port": server.smtp_port, "security": "starttls"},
        "ca_pem": server.ca_pem,
    }


@contextmanager
def receiving(client: Client, app: HostApp) -> Iterator[tuple[str, "queue.Queue[EventDocument]"]]:
    """The app's receiver of webhooks runs meanwhile: its URL, and what it hears."""
    heard: queue.Queue[EventDocument] = queue.Queue()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    secret = client.webhook_endpoints.create(f"http://127.0.0.1:{port}/hooks")["secret"]
    assert secret is not None
    with ThreadingHTTPServer(("127.0.0.1", port), app.hooks(secret, heard.put)) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{port}/hooks", heard
        server.shutdown()


def hear(heard: "queue.Queue[EventDocument]", kind: str, change_id: str) -> dict[str, Any]:
    """What the webhook of that type says of a change."""
    while (event := heard.get(timeout=60))["type"] != kind or event["subject"] != change_id:
        pass
    return event["data"]


def imap_port(client: Client) -> int:
    """The port that is in force."""
    settings = client.domains.get(DOMAIN)["settings"]
    assert settings is not None and settings["kind"] == "imap"
    return settings["imap"]["port"]


def test_an_admin_saves_looks_applies_and_takes_back(service: Api) -> None:
    """Given a new server that does not know one password, exactly that mailbox would disconnect."""
    directories = Directory(PASSWORDS, {}), Directory(PASSWORDS | {BOB: "another"}, {})
    with running_sandbox(*directories) as servers, Client(service.url, service.key) as client:
        app = HostApp(client)
        with receiving(client, app) as (url, heard):
            first = app.save(DOMAIN, settings_of(servers.old), PASSWORDS)
            assert app.watch(first) == "verified"
            assert hear(heard, "change.verified", first)["verdict"] == "safe"
            assert app.who_would_disconnect(first) == {}
            assert app.apply(first) == "applied"

            second = app.save(DOMAIN, settings_of(servers.new), PASSWORDS)
            assert app.poll(second) == "unsafe"
            assert hear(heard, "change.verified", second)["counts"]["will_disconnect"] == 1
            assert app.who_would_disconnect(second) == {BOB: "auth.rejected"}
            assert app.apply(second) == "applied"
            assert hear(heard, "change.applied", second)
            assert imap_port(client) == servers.new.imap_port
            assert app.take_back(second) == "rolled_back"
            assert hear(heard, "change.rolled_back", second)
            assert imap_port(client) == servers.old.imap_port

            assert requests.post(url, b"{}", timeout=10).status_code == 401
