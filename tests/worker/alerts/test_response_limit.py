"""Receivers that answer without end, or with what nobody expects: the memory stays small and the reason is said."""

import gzip
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress

import pytest

from checks.network.address_policy import AddressPolicy
from worker.alerts import apprise_sender
from worker.alerts.message import Message, NotSent
from worker.alerts.response_limit import LIMIT

EVERYWHERE = AddressPolicy(allow_all=True)
MESSAGE = Message("0a1b2c3d", "subject", "text\n")
ENDLESS = b"x" * 65536
MAIL = "mailto://{user}127.0.0.1:{port}?mode=insecure&from=alerts@sender.example&to=admin@lab.example"


@contextmanager
def server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server for one connection after the other; the port."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection, suppress(OSError):
                    talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)


@contextmanager
def little_memory() -> Iterator[None]:
    apprise_sender.accept("json://hooks.example/")  # what is imported does not count
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 16 * LIMIT
    finally:
        tracemalloc.stop()


def http(head: bytes, chunk: bytes = ENDLESS) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        while True:
            connection.sendall(chunk)

    return talk


BOMB = gzip.compress(bytes(64 * 1024 * 1024))


@pytest.mark.parametrize("status", [b"200 OK", b"500 No"])
@pytest.mark.parametrize(
    ("head", "chunk"),
    [
        (b"\r\n", ENDLESS),
        (b"Content-Length: 99999999999\r\n\r\n", ENDLESS),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + ENDLESS + b"\r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n", ENDLESS),
        (b"Content-Encoding: gzip\r\n\r\n", BOMB),
        (b"Content-Encoding: gzip, gzip\r\n\r\n", gzip.compress(BOMB)),
        (b"Content-Encoding: gzip\r\n\r\n", ENDLESS),
        (b"X: ", ENDLESS),
    ],
)
def test_an_endless_answer_of_a_webhook(status: bytes, head: bytes, chunk: bytes) -> None:
    """Its status counts."""
    headers_end = b"\r\n\r\n" in head or head == b"\r\n"
    expected = nullcontext() if status.startswith(b"200") and headers_end else pytest.raises(NotSent)
    with server(http(b"HTTP/1.1 " + status + b"\r\n" + head, chunk)) as port, little_memory(), expected:
        apprise_sender.send(f"json://127.0.0.1:{port}/", MESSAGE, EVERYWHERE, seconds=10)


@pytest.mark.parametrize("line", [b"220-hello\r\n" * 5000, ENDLESS])
def test_an_endless_answer_of_a_mail_server(line: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        while True:
            connection.sendall(line)

    with server(talk) as port, little_memory(), pytest.raises(NotSent, match="the mail server"):
        apprise_sender.send(MAIL.format(port=port, user=""), MESSAGE, EVERYWHERE, seconds=10)


def test_a_mail_server_that_talks_nonsense() -> None:
    """A challenge that is no base64: an error of its own in `smtplib`."""

    def talk(connection: socket.socket) -> None:
        for answer in (b"220 hi", b"250-hi\r\n250 AUTH CRAM-MD5", b"334 A"):
            connection.sendall(answer + b"\r\n")
            connection.recv(4096)

    with server(talk) as port, pytest.raises(NotSent, match="was not understood") as caught:
        apprise_sender.send(MAIL.format(port=port, user="me:pl4nted@"), MESSAGE, EVERYWHERE, seconds=10)
    assert "pl4nted" not in str(caught.value)
