"""Posting to real receivers: what counts as success, what is refused, and what ends in time."""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from checks.network.address_policy import AddressPolicy
from tests.servers.certificates import CertificateLab
from tests.servers.receivers import Hook, hook
from worker.webhooks import sender
from worker.webhooks.sender import Network, Outcome, post
from worker.webhooks.target import parse

NOW = 1_800_000_000.0
LOOPBACK = AddressPolicy(networks=(ipaddress.ip_network("127.0.0.0/8"),))
HERE = Network(LOOPBACK, plain=True)
SIGNED = {"webhook-id": "whd_1", "webhook-timestamp": "1800000000", "webhook-signature": "v1,x"}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Hook]:
    with hook() as running:
        yield running


@pytest.fixture
def web(receiver: Hook) -> Hook:
    receiver.status, receiver.headers, receiver.seconds, receiver.drip = 200, {}, 0.0, False
    receiver.calls.clear()
    return receiver


def send(web: Hook, path: str = "/h?key=1", network: Network = HERE, seconds: float = 5) -> Outcome:
    return post(parse(f"http://127.0.0.1:{web.port}{path}"), SIGNED, b'{"a":1}', network, NOW, seconds)


def test_what_arrives_is_what_was_signed(web: Hook) -> None:
    assert send(web) == Outcome(200, "")
    (call,) = web.calls
    assert (call.method, call.path, call.body) == ("POST", "/h?key=1", b'{"a":1}')
    assert call.headers.items() >= SIGNED.items()
    assert call.headers["content-type"] == "application/json"
    assert call.headers["host"] == f"127.0.0.1:{web.port}"


@pytest.mark.parametrize(
    ("status", "sent", "words"),
    [
        (201, True, ""),
        (204, True, ""),
        (301, False, "redirects are not followed"),
        (304, False, "304"),
        (400, False, "HTTP status 400"),
        (410, False, "wants nothing any more"),
        (500, False, "HTTP status 500"),
    ],
)
def test_only_2xx_is_success(web: Hook, status: int, sent: bool, words: str) -> None:
    web.status, web.headers = status, {"Location": f"http://127.0.0.1:{web.port}/elsewhere", "Retry-After": "7"}
    found = send(web)
    assert (found.status, found.sent) == (status, sent) and words in found.error
    assert len(web.calls) == 1
    assert found.wish == (None if sent else 7.0)


def test_proxies_of_the_environment_are_not_used(web: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    assert send(web).sent


def test_the_status_counts_whatever_becomes_of_the_rest(web: Hook) -> None:
    web.drip = True
    begun = time.monotonic()
    assert send(web).sent
    assert time.monotonic() - begun < 4


def test_a_receiver_that_does_not_answer(web: Hook) -> None:
    web.seconds = 30
    assert send(web, seconds=0.3) == Outcome(None, "no answer within 0 seconds")


@pytest.mark.parametrize(
    ("network", "sent"),
    [
        (Network(AddressPolicy(), plain=True), False),
        (Network(AddressPolicy(allow_all=True), plain=False), False),
        (Network(LOOPBACK, plain=False), True),
    ],
)
def test_the_address_that_is_connected_to_is_judged(web: Hook, network: Network, sent: bool) -> None:
    """Without TLS only where all is allowed, or within the networks that the operator names."""
    found = post(parse(f"http://localhost:{web.port}/"), SIGNED, b"{}", network, NOW, 5)
    assert found.sent is sent
    assert bool(web.calls) is sent
    assert sent or "not public, or not among those that the operator allows" in found.error


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "closed before an answer"),
        (b"220 mail.example ESMTP\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000, "no HTTP"),
    ],
)
def test_a_server_that_says_something_else(said: bytes, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_say, args=(server, said), daemon=True).start()
        found = post(parse(f"http://127.0.0.1:{server.getsockname()[1]}/"), SIGNED, b"{}", HERE, NOW, 5)
    assert found.status is None and words in found.error


def _say(server: socket.socket, said: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(said)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert post(parse(f"http://127.0.0.1:{port}/"), SIGNED, b"{}", HERE, NOW, 5).error == "the connection was refused"
    assert "does not exist" in post(parse("https://nobody.invalid/"), SIGNED, b"{}", HERE, NOW, 5).error


def test_certificates_are_verified(certificates: CertificateLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a receiver with a certificate of an authority of its own, it gets nothing until this machine trusts it."""
    issued = certificates.issue("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.chain, issued.key)
    with hook(context) as web:
        url = parse(f"https://127.0.0.1:{web.port}/")
        sender._context.cache_clear()  # noqa: SLF001 - this test alone brings an authority
        refused = post(url, SIGNED, b"{}", HERE, NOW, 5)
        assert "the certificate cannot be verified" in refused.error and not web.calls
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
        sender._context.cache_clear()  # noqa: SLF001
        assert post(url, SIGNED, b"{}", HERE, NOW, 5).sent
        other = parse(f"https://localhost:{web.port}/")
        assert "the certificate cannot be verified" in post(other, SIGNED, b"{}", HERE, NOW, 5).error
        sender._context.cache_clear()  # noqa: SLF001
