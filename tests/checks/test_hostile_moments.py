"""120 misbehaviours, each over IMAP, SMTP and Exchange: what a server does instead of what it should, and when.

Thirty things to do at four moments. Whatever it is, a check and a login end in time, as a result with the server's
words, and nobody is let in. `test_misbehaviours.py` has those that only one protocol can have.
"""

import gzip
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Credential, Endpoint, EndpointResult, LoginResult, Protocol, Security
from checks.protocols.exchange.url import endpoint_of
from checks.runner import check_endpoint, check_mailbox
from tests.checks.helpers import LOOPBACK, SECRET, USER, route_to, trusting
from tests.checks.test_misbehaviours import exchange_route
from tests.servers.behaviours import drips, floods, says
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.conversation import Behaviour, Conversation
from tests.servers.hostile import HostileServer

SECONDS, GRACE = 1.0, 1.0
AT_ONCE = 16
MOMENTS = ("before TLS", "instead of a greeting", "in answer to the first command", "in answer to the login")
PROTOCOLS = (Protocol.IMAP, Protocol.SMTP, Protocol.HTTPS)


def _echoes(conversation: Conversation) -> None:
    while True:
        conversation.send(conversation.line() + "\r\n")


def _leaves_half(conversation: Conversation) -> None:
    conversation.end()
    conversation.hang()


def _lines_now_and_then(conversation: Conversation) -> None:
    while True:
        conversation.send(b"still there\r\n")
        conversation.pause(0.1)


def _resets(conversation: Conversation) -> None:
    conversation.reset()


def _closes(conversation: Conversation) -> None:
    """Nothing more."""


def _page(head: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


_BOMB = gzip.compress(bytes(20_000_000))
DEEDS: Mapping[str, Behaviour] = {
    "silence": Conversation.hang,
    "close": _closes,
    "reset": _resets,
    "half a close": _leaves_half,
    "blanks, one by one": drips(b" ", 0.05),
    "letters, one by one": drips(b"x", 0.05),
    "a line now and then": _lines_now_and_then,
    "lines without end": floods(b"still there\r\n" * 3_000),
    "a line without an end": floods(b"x" * 65_536),
    "empty lines without end": floods(b"\r\n" * 20_000),
    "an echo": _echoes,
    "NUL": says(b"\0" * 9_000 + b"\r\n"),
    "every byte there is": says(bytes(range(256)) * 16 + b"\r\n"),
    "UTF-16": says("* OK 220 ready\r\n".encode("utf-16")),
    "what commands a terminal": says(b"\x1b]0;title\x07\x1b[2J\x1b[31m\x9b6n\r\n", close=True),
    "letters from right to left, and of no width": says("\u202e\u200b\u2066ok\u2069\ufeff\r\n".encode(), close=True),
    "digits": says(b"9" * 60_000 + b"\r\n"),
    "brackets": says(b"([{<" * 15_000 + b"\r\n"),
    "base64": says(b"QUJD" * 10_000 + b"\r\n", close=True),
    "carriage returns": says(b"\r" * 30_000),
    "SSH": says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    "POP3": says(b"+OK POP3 ready\r\n"),
    "FTP": says(b"220 (vsFTPd 3.0.3)\r\n"),
    "MySQL": says(b"J\0\0\0\n8.0.36\0\x08\0\0\0" + bytes(60)),
    "an alert of TLS in clear text": says(b"\x15\x03\x03\x00\x02\x02\x28", close=True),
    "a record of TLS that is too long": says(b"\x16\x03\x03\x48\x00" + bytes(18_432)),
    "a hello of TLS that breaks off": says(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(20), close=True),
    "a page of the web": says(_page("200 OK\r\nContent-Type: text/html", b"<html>" + b"<p>" * 9_000)),
    "a way to a file": says(_page("302 Found\r\nLocation: file:///etc/passwd")),
    "much in little": says(_page("200 OK\r\nContent-Type: text/xml\r\nContent-Encoding: gzip", _BOMB)),
}


def _mail(protocol: Protocol, moment: int, deed: Behaviour) -> Behaviour:
    """A mail server that is as usual until the moment."""
    imap = protocol is Protocol.IMAP

    def behave(conversation: Conversation) -> None:
        if moment == 0:
            return deed(conversation)
        conversation.start_tls()
        if moment == 1:
            return deed(conversation)
        conversation.send("* OK ready\r\n" if imap else "220 mail.lab.example ESMTP\r\n")
        while True:
            line = conversation.line()
            if moment == 2 or any(word in line for word in ("LOGIN ", "AUTH")):
                return deed(conversation)
            tag = line.partition(" ")[0]
            known = f"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n{tag} OK Done\r\n"
            conversation.send(known if imap else "250-mail.lab.example\r\n250 AUTH PLAIN LOGIN\r\n")

    return behave


def _web(moment: int, deed: Behaviour) -> Behaviour:
    """The same of Exchange, whose logins are requests as all others are."""

    def behave(conversation: Conversation) -> None:
        if moment > 0:
            conversation.start_tls()
        while moment > 1 and conversation.line():
            pass
        deed(conversation)

    return behave


Until = Callable[[Behaviour], Behaviour]
"""A server that is as usual until then."""
Check = Callable[[int, CheckContext], EndpointResult | LoginResult]


def _endpoint(protocol: Protocol, port: int, context: CheckContext) -> EndpointResult:
    if protocol is Protocol.HTTPS:
        return check_endpoint(endpoint_of(f"https://{LOOPBACK}:{port}/EWS/Exchange.asmx"), context)
    return check_endpoint(Endpoint(protocol, LOOPBACK, port, Security.TLS), context)


def _login(protocol: Protocol, port: int, context: CheckContext) -> LoginResult:
    exchange = protocol is Protocol.HTTPS
    route = exchange_route(port, context, "BASIC") if exchange else route_to(port, context, protocol)
    return check_mailbox(route, Credential(USER, SECRET), context)


def _trouble(name: str, deed: Behaviour, until: Until, check: Check, leaf: CertificateFiles, own: CheckContext) -> str:
    """What is wrong with what came of it, '' for nothing. The machine may be busy: too late counts the second time."""
    reached = threading.Event()

    def noted(conversation: Conversation) -> None:
        reached.set()
        deed(conversation)

    for _ in range(2):
        with HostileServer(until(noted), leaf) as server:
            begun = time.monotonic()
            result = check(server.port, own)
            took = time.monotonic() - begun
        if result.code is Code.INTERNAL or result.verdict is Verdict.OK or SECRET in result.seen:
            return f"{name}: {result.code} {result.verdict} {result.seen}"
        if not reached.is_set():
            return f"{name}: it did not come to that"
        if took <= SECONDS + GRACE:
            return ""
    return f"{name}: {took:.2f} s"


def _jobs(moment: int) -> Iterator[tuple[str, Behaviour, Until, Check]]:
    """A check of the endpoint, which does not come to a login, and a login."""
    for (name, deed), protocol in itertools.product(DEEDS.items(), PROTOCOLS):
        until = partial(_web if protocol is Protocol.HTTPS else partial(_mail, protocol), moment)
        for what in (_endpoint, _login) if moment < 3 else (_login,):
            yield f"{name}, {protocol}, {what.__name__}", deed, until, partial(what, protocol)


@pytest.mark.parametrize("moment", range(4), ids=MOMENTS)
def test_each_ends_in_time_and_lets_nobody_in(
    moment: int, leaf: CertificateFiles, certificates: CertificateLab
) -> None:
    context = trusting(certificates, SECONDS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [pool.submit(_trouble, *job, leaf, context) for job in _jobs(moment)]
    assert [trouble for each in found if (trouble := each.result())] == []


def test_there_are_so_many() -> None:
    assert len(DEEDS) * len(MOMENTS) == 120
