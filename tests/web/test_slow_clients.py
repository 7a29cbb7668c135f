"""Clients that are slow harm nobody but themselves."""

import contextlib
import socket
import time
from pathlib import Path

import pytest

from tests.web.api import Api, running
from web import protocol
from web.limits import reading

NOTHING = "/v1/changes/chg_nothing"
SLOW = 200


def _rest(client: socket.socket) -> bytes:
    client.settimeout(20)
    with contextlib.suppress(ConnectionResetError):
        return b"".join(iter(lambda: client.recv(65536), b""))
    return b""


def test_two_hundred_slow_connections_and_one_that_is_served(tmp_path: Path) -> None:
    """Half of them send half of their headers, half of them half of their body; there is room for fifty."""
    with running(tmp_path, web_connections=50) as api, contextlib.ExitStack() as stack:
        head = f"POST /v1/domains/a.example/changes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.key}\r\n"
        halves = head, head + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
        for number in range(SLOW):
            client = stack.enter_context(socket.create_connection(api.place))
            with contextlib.suppress(ConnectionError):
                client.sendall(halves[number % 2].encode())
        begun = time.monotonic()
        assert api.ask("GET", NOTHING).status == 404
        assert time.monotonic() - begun < 5


def test_headers_that_do_not_end_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 0.5)
    with (
        running(tmp_path) as api,
        socket.create_connection(api.place) as slow,
        socket.create_connection(api.place) as idle,
    ):
        slow.sendall(b"GET / HTTP/1.1\r\nHost:")
        assert _rest(slow).startswith(b"HTTP/1.1 408 ")
        assert _rest(idle) == b""


def test_a_body_that_trickles_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FIRST_SECONDS", 0.5)
    with running(tmp_path) as api, socket.create_connection(api.place) as slow:
        slow.sendall(_head(api, "Content-Length: 1000") + b"{")
        answer = _rest(slow)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in answer


def test_a_body_without_an_end_is_refused_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "REST_SECONDS", 0.5)
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with running(tmp_path) as api, socket.create_connection(api.place) as client:
        client.sendall(_head(api, "Transfer-Encoding: chunked"))
        client.settimeout(0.0)
        sent, answer, rest = 0, b"", chunk
        give_up = time.monotonic() + 20
        while time.monotonic() < give_up:
            with contextlib.suppress(BlockingIOError, ConnectionError):  # it may close while we speak
                count = client.send(rest)
                sent, rest = sent + count, rest[count:] or chunk
            with contextlib.suppress(BlockingIOError):
                answer += client.recv(65536)
            if answer:
                break
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert sent < 20_000_000


def _head(api: Api, *headers: str) -> bytes:
    lines = "POST /v1/domains/a.example/changes HTTP/1.1", "Host: a", f"Authorization: Bearer {api.key}"
    return "\r\n".join((*lines, "Content-Type: application/json", *headers, "", "")).encode()
