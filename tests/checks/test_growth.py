"""What reads a stranger's bytes takes time in proportion to them: each is fed its own worst kind, at two sizes.

Compared is growth, never time as such: four times the input may cost some four times as much. What is quadratic costs
sixteen times as much, what is worse far more. Measured is the CPU of the thread, the least of several runs.
"""

import base64
import contextlib
import functools
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from cryptography import x509

from checks import redact
from checks.model import Fault
from checks.network.http import BODY_LIMIT, Reply, Request, exchange
from checks.protocols.exchange import ews, get_folder
from checks.protocols.exchange.autodiscover import _url_in as url_in
from checks.protocols.exchange.replies import judge_logon, judge_probe, passing_code, schemes, server_version
from checks.protocols.imap.dialect import DIALECT as IMAP
from checks.protocols.imap.replies import translate_imap
from checks.protocols.imap.wire import FOREIGN
from checks.protocols.smtp.dialect import DIALECT as SMTP
from checks.protocols.smtp.replies import translate_smtp
from checks.protocols.words.oauth import translate_oauth
from checks.tls.aia import _certificates as issuers_in
from checks.x509 import certificates, name_constraints
from tests.fuzz.mail import SECRET, log_in
from tests.fuzz.pair import says
from tests.servers.pki.chain import good_chain
from tests.servers.pki.recipe import Issued, authority, issue

URL = "https://mail.lab.example/EWS/Exchange.asmx"
TIMES = 4
MOST = 9.0  # between four, which is linear, and sixteen, which is quadratic
ENOUGH = 0.002  # seconds at the smaller size below which nothing can be measured, and nobody be harmed
RUNS = 5


@dataclass(frozen=True)
class Case:
    """`make` gives an input of a size, `read` reads it; the larger size is what the limits let through."""

    name: str
    make: Callable[[int], object]
    read: Callable[..., object]
    largest: int = BODY_LIMIT


def repeated(piece: str, before: str = "", after: str = "") -> Callable[[int], str]:
    return lambda size: before + piece * (size // len(piece)) + after


def body(piece: str, before: str = "", after: str = "") -> Callable[[int], Reply]:
    text = repeated(piece, before, after)
    headers = (("content-type", "text/html"),)
    return lambda size: Reply(200, "OK", headers, text(size).encode()[:BODY_LIMIT])


def header(name: str, piece: str, before: str = "", status: int = 401) -> Callable[[int], Reply]:
    text = repeated(piece, before)
    return lambda size: Reply(status, "x", ((name, text(size)),), b"")


def wire(piece: str, before: str = "", after: str = "") -> Callable[[int], bytes]:
    text = repeated(piece, before, after)
    return lambda size: text(size).encode()


def over(function: Callable[..., object]) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        with says(data) as stream:
            return function(stream)

    return read


SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Body>'
)
VERSION = "ServerVersionInfo "
FIELDS = 'MajorVersion="1" MinorVersion="1" MajorBuildNumber="1" '


def versions(size: int) -> Reply:
    """The body that took minutes: so many of each word, one kind after the other."""
    words = (VERSION, *(f"{word} " for word in FIELDS.split()))
    return Reply(401, "x", (), "".join(word * (size // 80) for word in words).encode())


def imap_login(data: bytes) -> object:
    return log_in(IMAP, data, ("SASL-IR", "AUTH=PLAIN"))


def smtp_login(data: bytes) -> object:
    return log_in(SMTP, data, ())


def asked(reply: Reply) -> object:
    return ews.ask(URL, "mail.lab.example", "a@lab.example", lambda _: reply, impersonate=False)


CASES = (
    Case("version", versions, server_version),
    Case("version, open", body("ServerVersionInfo "), server_version),
    Case("schemes, open quote", header("www-authenticate", '\\"', '"'), schemes, 260_000),
    Case("schemes, quotes", header("www-authenticate", '"'), schemes, 260_000),
    Case("schemes, commas", header("www-authenticate", "a,"), schemes, 260_000),
    Case("response code", body("<ResponseCode"), passing_code),
    Case("response code, blanks", body(" ", "<ResponseCode>"), passing_code),
    Case("response code, letters", body("x", "<ResponseCode>"), passing_code),
    *(
        Case(f"page of {piece!r}", body(piece, "<html>"), lambda reply: judge_probe(reply, URL))
        for piece in ("access denied", "<title>", "<", "</a:", "<aaaa", "type=", " ", "Envelope", "<a:Envelope")
    ),
    *(
        Case(f"answer of {piece!r}", body(piece, SOAP, "</s:Body></s:Envelope>"), get_folder.both_open, 16_000)
        for piece in ("<m:GetFolderResponse>", "<m:GetFolderResponse/>", "<a/>", " ", "&amp;")
    ),
    *(Case(f"foreign tag of {piece!r}", wire(piece, after=" BAD"), FOREIGN.match) for piece in ("a", "MP1", "a ", "M")),
    Case("logon", body("user ", SOAP), lambda reply: judge_logon(reply, URL, token=False)),
    *(
        Case(
            f"refusal of {piece!r}",
            header("x-ms-diagnostics", piece),
            functools.partial(judge_logon, url=URL, token=False),
            260_000,
        )
        for piece in ("account ", "user x ", "password a b ", "ip address ", "token ")
    ),
    *(
        Case(
            f"redirect of {piece!r}",
            header("location", piece, "https://a/", 302),
            lambda reply: judge_probe(reply, URL),
            60_000,
        )
        for piece in ("a/../", "//", "[", "@", ":", "?", "%2f")
    ),
    Case("cookies", header("set-cookie", "F5_ST ", "", 302), lambda reply: judge_probe(reply, URL)),
    Case("JSON, deep", lambda size: b'{"Url":' + b"[" * size, url_in),
    Case("JSON, digits", lambda size: b'{"Url":' + b"9" * size, url_in),
    Case("JSON, names", lambda size: b"{" + b",".join(b'"%d":1' % n for n in range(size // 9)) + b"}", url_in),
    Case("JSON, escapes", lambda size: b'{"Url":"' + b"\\u0041" * (size // 6) + b'"}', url_in),
    Case("SASL refusal", lambda size: b"[" * size, translate_oauth),
    *(
        Case(f"SOAP of {piece!r}", body(piece, SOAP), asked)
        for piece in ("<a>", "<a/>", "&amp;", "<!-- -->", "<![CDATA[x]]>", "<m:ResponseCode>", "text ")
    ),
    Case(
        "SOAP of attributes",
        lambda size: Reply(
            200, "OK", (), (SOAP + "<a " + "".join(f'a{n}="" ' for n in range(size // 9)) + "/>").encode()
        ),
        asked,
    ),
    Case(
        "SOAP of namespaces",
        lambda size: Reply(
            200, "OK", (), (SOAP + "<a " + "".join(f'xmlns:a{n}="u" ' for n in range(size // 16)) + "/>").encode()
        ),
        asked,
    ),
    *(
        Case(f"IMAP reply of {piece!r}", repeated(piece, "NO "), lambda text: translate_imap(text, "login"), 260_000)
        for piece in ("[", "account ", "too many x ", "auth x ", "your ip ", "log in ", "\n* NO [A", " ")
    ),
    *(
        Case(f"SMTP reply of {piece!r}", repeated(piece), lambda text: translate_smtp(535, text, "auth"), 260_000)
        for piece in ("5.7.8 ", "account ", "too many x ", "client host ", "\n5.7.", "mechanism x ")
    ),
    Case("IMAP greeting", wire("[CAPABILITY ", "* OK ", "\r\n"), over(IMAP.greet), 60_000),
    Case("SMTP greeting", wire("220-x\r\n"), over(SMTP.greet), 200_000),
    *(
        Case(f"IMAP login of {piece!r}", wire(piece, "", "MP0 NO no\r\n"), imap_login, 200_000)
        for piece in ("* 1 A\r\n", "* X {1}\r\na", "+ \r\n", "* OK [A b]\r\n")
    ),
    *(
        Case(f"IMAP line of {piece!r}", wire(piece, "* OK ", "\r\nMP0 NO no\r\n"), imap_login, 60_000)
        for piece in ("{", "{1", "[", "9", " ")
    ),
    *(
        Case(f"SMTP login of {piece!r}", wire(piece, "250 AUTH PLAIN\r\n"), smtp_login, 200_000)
        for piece in ("334 \r\n", "535-5.7.8 x\r\n", "250-AUTH \r\n")
    ),
    *(
        Case(
            f"HTTP of {name}", make, over(lambda stream: exchange(stream, Request("GET", "/", "a").encoded())), 200_000
        )
        for name, make in {
            "headers": wire("a: b\r\n", "HTTP/1.1 200 OK\r\n"),
            "folded lines": wire(" b\r\n", "HTTP/1.1 200 OK\r\na: b\r\n"),
            "chunks": wire("1\r\nx\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "a chunk's size": wire("f", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "\r\n"),
            "continues": wire("HTTP/1.1 100 Continue\r\n\r\n"),
            "one header": wire("a", "HTTP/1.1 200 OK\r\na: "),
        }.items()
    ),
    *(
        Case(f"words of {piece!r}", repeated(piece), lambda text: redact.words(text, SECRET), 260_000)
        for piece in (SECRET, "Planted-secret-471", "%50", "&#80;", "\\u0050", "a ", "ab:", "AAAA ", "=50", "\\")
    ),
    Case(
        "words, long secret", lambda size: "ab" * (size // 2), lambda secret: redact.words("ab" * 4_000, secret), 8_000
    ),
    Case("PEM", lambda size: b"-----BEGIN CERTIFICATE-----\n" * (size // 28), issuers_in),
    Case("PEM, one", lambda size: b"-----BEGIN CERTIFICATE-----" + b"A" * size, issuers_in),
    Case("DER", lambda size: b"0\x80" * (size // 2), issuers_in),
    Case("base64 of a challenge", lambda size: base64.b64encode(bytes(size)), translate_oauth),
)


def spent(case: Case, size: int) -> float:
    given = case.make(size)
    return min(_run(case, given) for _ in range(RUNS))


def _run(case: Case, given: object) -> float:
    begun = time.thread_time()
    with contextlib.suppress(Fault, OSError):
        case.read(given)
    return time.thread_time() - begun


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_four_times_the_bytes_cost_some_four_times_as_much(case: Case) -> None:
    assert_linear(case)


def assert_linear(case: Case) -> None:
    """Tried thrice: the machine may have been busy in just the wrong moment."""
    ratios = []
    for _ in range(3):
        less, more = spent(case, case.largest // TIMES), spent(case, case.largest)
        if more < ENOUGH * TIMES or more / less < MOST:
            return
        ratios.append(round(more / less, 1))
    pytest.fail(f"{case.name}: {TIMES} times the bytes cost {ratios} times as much")


def test_what_is_quadratic_is_found() -> None:
    # So many that a busy machine adds little to what even the smaller size takes.
    with pytest.raises(pytest.fail.Exception, match="times as much"):
        assert_linear(Case("pairs", lambda size: "a" * size, lambda text: sum(1 for _ in text for _ in text), 1_500))


# -- certificates: what grows is the number of names and of constraints


@functools.cache
def bounding(count: int) -> Issued:
    """A CA with that many constraints, none of which holds for anything below it."""
    networks = tuple(f"192.0.{number // 256}.{number % 256}/32" for number in range(count // 2))
    domains = tuple(f"x{number}.other.example" for number in range(count // 2))
    return issue(replace(authority("bounded"), excluded=networks + domains))


@functools.cache
def naming(count: int) -> Issued:
    names = tuple(f"h{number}.lab.example" for number in range(count // 2))
    addresses = tuple(str(ipaddress.IPv4Address(0x0A00_0000 + number)) for number in range(count // 2))
    return issue(replace(good_chain("mail.lab.example").path[0].recipe, names=names + addresses), bounding(count))


def bounded(count: int) -> tuple[x509.Certificate, ...]:
    """A leaf below eight CAs, each with constraints."""
    return (naming(count).certificate, *[bounding(count).certificate] * 8)


CERTIFICATES = (
    Case("name constraints", bounded, name_constraints.violated, 1_600),
    Case("names", lambda count: naming(count).certificate, lambda item: certificates.covers(item, "a.example"), 1_600),
    Case("description", lambda count: naming(count).certificate, certificates.describe, 1_600),
)


@pytest.mark.parametrize("case", CERTIFICATES, ids=lambda case: case.name)
def test_certificates(case: Case) -> None:
    assert_linear(case)


def test_constraints_are_looked_up_no_more_often_for_a_chain_than_the_cap_says(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = 0
    covers = name_constraints._Hosts.covers  # noqa: SLF001 - what is counted

    def counted(self: name_constraints._Hosts, name: object) -> bool:
        nonlocal looked_up
        looked_up += 1
        return covers(self, name)

    monkeypatch.setattr(name_constraints._Hosts, "covers", counted)  # noqa: SLF001 - as above
    found = name_constraints.violated((naming(800).certificate, *[bounding(800).certificate] * 31))
    assert found == frozenset()
    assert 0 < looked_up <= name_constraints.LOOKUPS_MAX
