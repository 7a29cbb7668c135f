"""Fetching what a stranger's certificate points at: http only, every hop under the address policy, all of it capped."""

from dataclasses import replace

from checks.model import Fault
from checks.network.dial import Deadline, dial, resolve
from checks.network.http import Reply, Request, exchange
from checks.network.stream import Stream
from checks.network.url import NoUrl, joined, parsed
from checks.network.way_out import WayOut

MAX_REDIRECTS = 2
_PORTS = (80, 443)  # where authorities serve what they publish, whatever ports mail servers may have


class Unfetched(Exception):
    """Why there is nothing: a few words, without what the other side said."""


def fetch(url: str, way_out: WayOut, seconds: float, question: bytes | None = None, kind: str = "") -> bytes:
    """The body at a URL, at most 64 KiB, within so many seconds in all. With a question it is a POST of that `kind`.

    Raises `Unfetched`.
    """
    deadline = Deadline(seconds)
    for _ in range(MAX_REDIRECTS + 1):
        reply = _ask(url, way_out, deadline, question, kind)
        if not 300 <= reply.status < 400:
            return _body(reply)
        url = _joined(url, reply.header("location"))
    raise Unfetched("redirected too often")


def _body(reply: Reply) -> bytes:
    if reply.status != 200:
        raise Unfetched(f"HTTP {reply.status}")
    if reply.cut:
        raise Unfetched("the answer is too large")
    return reply.body


def _ask(url: str, way_out: WayOut, deadline: Deadline, question: bytes | None, kind: str) -> Reply:
    host, port, request = _request(url, question, kind)
    way_out = replace(way_out, policy=way_out.policy.with_ports(*_PORTS))
    try:
        addresses = resolve(host, port, way_out.policy, deadline)
        stream = Stream(dial(addresses[:2], port, deadline, way_out), deadline)
        try:
            return exchange(stream, request.encoded(), request.method)
        finally:
            stream.close()
    except TimeoutError:
        raise Unfetched("no answer in time") from None
    except Fault as fault:
        raise Unfetched(str(fault.code)) from None
    except OSError:
        raise Unfetched("the connection broke off") from None


def _request(url: str, question: bytes | None, kind: str) -> tuple[str, int, Request]:
    """Where to and what to say."""
    try:
        parts = parsed(url)
    except NoUrl:
        raise Unfetched("no valid URL") from None
    if parts.scheme != "http":
        raise Unfetched(f"only http is followed, not {parts.scheme[:20] or 'this'}")
    if not parts.host:
        raise Unfetched("no valid URL")
    headers = (("Accept", "*/*"), ("Connection", "close"), *((("Content-Type", kind),) if kind else ()))
    method = "GET" if question is None else "POST"
    return parts.host, parts.port or 80, Request(method, parts.target, parts.authority, headers, question or b"")


def _joined(url: str, location: str) -> str:
    try:
        return joined(url, location)
    except NoUrl:
        raise Unfetched("redirected to no valid URL") from None
