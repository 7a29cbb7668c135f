"""Pages of strangers: HTTPS with an accepted certificate, every hop under the address policy, all of it capped.

Plain HTTP is only asked where the caller says so, and what was found by it, even in part, is marked.
"""

import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from checks import redact
from checks.codes import Code
from checks.context import CheckContext
from checks.discovery.model import Outcome
from checks.model import Fault, Invalid
from checks.network.dial import Deadline, dial, resolve
from checks.network.dns import Dns, SystemDns
from checks.network.http import USER_AGENT, Reply, Request, exchange
from checks.network.stream import Stream
from checks.network.url import NoUrl, joined, parsed
from checks.settings import normalise_host
from checks.tls import handshake

MAX_REDIRECTS = 3
_ADDRESSES = 2
_PORTS = {"https": 443, "http": 80}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Places = Callable[[str, int, CheckContext, Deadline], tuple[tuple[str, ...], int]]
"""Where a host and a port are: numeric addresses that the policy admits, and the port. Raises `Fault`."""


def _as_the_dns_says(host: str, port: int, context: CheckContext, deadline: Deadline) -> tuple[tuple[str, ...], int]:
    return resolve(host, port, context.policy, deadline), port


@dataclass(frozen=True, slots=True)
class Outside:
    """How sources reach the world. `context` has whom to trust, what may be connected to, and from where."""

    context: CheckContext
    dns: Dns = field(default_factory=SystemDns)
    places: Places = _as_the_dns_says


class Unpublished(Exception):
    """There is nothing that could be used: what came of it, and what was seen (not yet redacted)."""

    def __init__(self, outcome: Outcome, seen: str = "") -> None:
        super().__init__(outcome, seen)
        self.outcome = outcome
        self.seen = seen


@dataclass(frozen=True, slots=True)
class Page:
    """What a URL led to. `host` is where it was at last, `secure` whether each hop was HTTPS.

    `further` is where the answer to a POST redirects to, or ''.
    """

    reply: Reply
    url: str
    host: str
    secure: bool
    further: str = ""


def get(url: str, outside: Outside, deadline: Deadline, *, plain: bool = False) -> Page:
    """The page at a URL, wherever it redirects to. With `plain`, HTTP will do. Raises `Unpublished`."""
    secure = True
    for _ in range(MAX_REDIRECTS + 1):
        scheme, host, target = _parts(url)
        if scheme == "http" and not plain:
            raise Unpublished(Outcome.UNUSABLE, "redirected to plain HTTP")
        secure = secure and scheme == "https"
        reply = _ask(Request("GET", target, host, _HEADERS), scheme, outside, deadline)
        if not (further := _location(url, reply)):
            return Page(reply, url, host, secure)
        url = further
    raise Unpublished(Outcome.UNUSABLE, "redirected too often")


def post(url: str, body: bytes, outside: Outside, deadline: Deadline) -> Page:
    """What an HTTPS URL answers to a POST of XML. Raises `Unpublished`.

    Not sent again to where it redirects to: whoever asks decides what may be told there.
    """
    scheme, host, target = _parts(url)
    if scheme != "https":
        raise Unpublished(Outcome.UNUSABLE, "redirected to plain HTTP")
    request = Request("POST", target, host, (*_HEADERS, ("Content-Type", "text/xml; charset=utf-8")), body)
    reply = _ask(request, scheme, outside, deadline)
    return Page(reply, url, host, secure=True, further=_location(url, reply))


def document(page: Page) -> bytes:
    """The body of a page that was found. Raises `Unpublished`."""
    if page.reply.status != 200:
        nothing = page.reply.status in {401, 403, 404, 405, 410}
        raise Unpublished(Outcome.NOTHING if nothing else Outcome.UNUSABLE, page.reply.line)
    if page.reply.cut:
        raise Unpublished(Outcome.UNUSABLE, "the document is too large")
    return page.reply.body


_HEADERS = (("User-Agent", USER_AGENT), ("Accept", "*/*"), ("Connection", "close"))


def _ask(request: Request, scheme: str, outside: Outside, deadline: Deadline) -> Reply:
    """One request and its answer, from where documents are published, whatever ports mail servers may have.

    Raises `Unpublished`.
    """
    try:
        context = replace(outside.context, policy=outside.context.policy.with_ports(*_PORTS.values()))
        addresses, port = outside.places(request.host, _PORTS[scheme], context, deadline)
        sock = dial(addresses[:_ADDRESSES], port, deadline, context.way_out)
        with contextlib.closing(Stream(sock, deadline)) as stream:
            if scheme == "https":
                handshake.secure(stream, outside.context.trust.strict, request.host)
            return exchange(stream, request.encoded(), request.method)
    except Fault as fault:
        raise of_fault(fault) from None
    except ssl.SSLCertVerificationError as error:
        raise Unpublished(Outcome.BAD_CERTIFICATE, error.verify_message) from None
    except TimeoutError:
        raise Unpublished(Outcome.NO_ANSWER, "no answer in time") from None
    except OSError:
        raise Unpublished(Outcome.NO_ANSWER, "the connection broke off") from None


def of_fault(fault: Fault) -> Unpublished:
    """A fault of the network. Of an address that may not be connected to nothing is told."""
    if fault.code is Code.ADDRESS_NOT_ALLOWED:
        return Unpublished(Outcome.NOT_ALLOWED)
    none = fault.code in {Code.DNS_NOT_FOUND, Code.DNS_NO_ADDRESS}
    return Unpublished(Outcome.NOTHING if none else Outcome.NO_ANSWER, redact.words(fault.seen))


def _parts(url: str) -> tuple[str, str, str]:
    """Scheme, host and target. No port of its own: the URL may be a stranger's."""
    try:
        parts = parsed(url)
        host = normalise_host(parts.host)
    except (NoUrl, Invalid):
        raise Unpublished(Outcome.UNUSABLE, "no valid URL") from None
    usual = _PORTS.get(parts.scheme)
    if usual is None or parts.port not in {None, usual}:
        raise Unpublished(Outcome.UNUSABLE, "neither HTTPS nor HTTP at its own port")
    return parts.scheme, host, parts.target


def _location(url: str, reply: Reply) -> str:
    """Where an answer redirects to, '' where it does not."""
    return _joined(url, reply.header("location")) if reply.status in _REDIRECTS else ""


def _joined(url: str, location: str) -> str:
    try:
        return joined(url, location)
    except NoUrl:
        raise Unpublished(Outcome.UNUSABLE, "redirected to no valid URL") from None
