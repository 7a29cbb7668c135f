"""Whom a request comes from."""

import asyncio
import ipaddress
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from web.limits.proxies import Proxies

OURS = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]


def _seen(peer: str, *headers: tuple[str, str]) -> Any:
    found: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        found.append(scope)

    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "client": (peer, 4711), "scheme": "http", "headers": raw}
    asyncio.run(Proxies(app, OURS)(scope, None, None))  # type: ignore[arg-type] # neither is asked
    return found[0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # not one of ours: whoever asks may say what they like
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),  # what is left of it was said by the client
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("10.0.0.1", "198.51.100.7:1234", "198.51.100.7"),
        ("10.0.0.1", "[2001:db8::7]:1234", "2001:db8::7"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7, , 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_who_asked(peer: str, forwarded: str, client: str) -> None:
    assert _seen(peer, ("x-forwarded-for", forwarded))["client"][0].removeprefix("::ffff:") == client


def test_several_lines_are_one_list() -> None:
    lines = ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.7")
    assert _seen("10.0.0.1", *lines)["client"][0] == "198.51.100.7"


@pytest.mark.parametrize(
    ("peer", "said", "scheme"),
    [
        ("10.0.0.1", "https", "https"),
        ("10.0.0.1", "http, https", "https"),
        ("10.0.0.1", "gopher", "http"),
        ("192.0.2.1", "https", "http"),
    ],
)
def test_by_which_scheme(peer: str, said: str, scheme: str) -> None:
    assert _seen(peer, ("x-forwarded-proto", said))["scheme"] == scheme


def test_forwarded_is_not_read() -> None:
    assert _seen("10.0.0.1", ("forwarded", "for=198.51.100.7;proto=https"))["client"][0] == "10.0.0.1"
