"""Servers that answer with what no protocol has: in time, with the server's words, and never as a defect of ours."""

import base64
import logging
import re
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Credential, EndpointResult, Protocol, Security
from checks.protocols.exchange import ews as _loaded_beforehand  # noqa: F401 - takes half a second
from checks.protocols.exchange.login import ExchangeRoute
from checks.protocols.exchange.url import endpoint_of
from checks.runner import check_endpoint, check_mailbox
from tests.checks.helpers import LOOPBACK, SECRET, USER, attempt, examine, trusting
from tests.servers.behaviours import IMAP_GREETING, SMTP_GREETING, imap_script, smtp_script
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.conversation import Behaviour, Conversation, Script
from tests.servers.hostile import HostileServer

IMAP, SMTP = Protocol.IMAP, Protocol.SMTP
SECONDS = 2.0
SLACK = 1.0
ANY = None

# What answers a login, and what it is. `{tag}` is the client's.
IMAP_LOGINS = {
    "a literal of 5,000 digits": ("* X {" + "9" * 5_000 + "}", Code.PROTOCOL_ERROR),
    "a literal of 4,000 digits": ("* X {" + "9" * 4_000 + "}", Code.PROTOCOL_OVERSIZE),
    "a literal without an end": ("* X {100}\r\nabc", ANY),
    "a literal in a literal": ("* X {3}\r\nabc{3}\r\ndef\r\n{tag} NO no", Code.AUTH_REJECTED),
    "a bare plus": ("+", ANY),
    "pluses": ("+\r\n" * 50 + "{tag} NO no", ANY),
    "a challenge that is no base64": ("+ ü{}%\r\n{tag} NO no", Code.AUTH_REJECTED),
    "a tag of somebody else": ("MP77 OK Logged in", Code.PROTOCOL_ERROR),
    "a tag alone": ("{tag}", Code.PROTOCOL_ERROR),
    "a tag and a blank": ("{tag} ", Code.PROTOCOL_ERROR),
    "a status in lower case": ("{tag} ok", Code.PROTOCOL_ERROR),
    "a status of its own": ("{tag} PERHAPS", ANY),
    "no letters": ("{tag} \udcff\udcfe", ANY),
    "NUL": ("{tag} NO \0\0\0", Code.AUTH_REJECTED),
    "a star": ("*", Code.PROTOCOL_ERROR),
    "a star and a number": ("* 5", Code.PROTOCOL_ERROR),
    "a number of 5,000 digits": ("* " + "9" * 5_000 + " EXISTS\r\n{tag} NO no", Code.AUTH_REJECTED),
    "a bracket that stays open": ("{tag} NO [AUTHENTICATIONFAILED", Code.AUTH_REJECTED),
    "brackets": ("{tag} NO " + "[" * 5_000, Code.AUTH_REJECTED),
    "braces": ("* X " + "{" * 20_000 + "\r\n{tag} NO no", Code.AUTH_REJECTED),
    "HTTP": ("HTTP/1.1 200 OK\r\n\r\n", Code.PROTOCOL_ERROR),
    "SMTP": ("235 2.7.0 Authentication successful", Code.PROTOCOL_ERROR),
    "an empty line": ("", Code.PROTOCOL_ERROR),
    "carriage returns": ("\r\r\r\r", Code.PROTOCOL_ERROR),
    "PREAUTH": ("* PREAUTH you are in\r\n{tag} NO no", Code.AUTH_REJECTED),
    "BYE and OK": ("* BYE off\r\n{tag} OK in", ANY),
    "capabilities by the thousand": ("* CAPABILITY " + "A " * 20_000 + "\r\n{tag} NO no", Code.AUTH_REJECTED),
    "a line without an end": ("* OK " + "x" * 90_000, Code.PROTOCOL_OVERSIZE),
}
IMAP_GREETINGS = {
    "bracket": "* OK [CAPABILITY",
    "brackets": "* OK " + "[CAPABILITY " * 4_000,
    "not text": "* OK \udcff\udcfe\udcfd",
    "blanks": "* OK" + " " * 60_000,
    "bye": "* BYE [" + "A" * 30_000,
    "capabilities": "* OK [CAPABILITY " + "AUTH= " * 5_000 + "]",
    "null": "\0" * 100,
    "tag": "MP0 OK hello",
}
SMTP_LOGINS = {
    "no text": ("235", Code.OK),
    "a status of Arabic digits": ("٢٣٥ in", Code.PROTOCOL_ERROR),
    "a status that is none": ("000 in", Code.PROTOCOL_ERROR),
    "999": ("999 in", Code.PROTOCOL_ERROR),
    "two digits": ("23 in", Code.PROTOCOL_ERROR),
    "four digits": ("2350 in", Code.PROTOCOL_ERROR),
    "a blank first": (" 235 in", Code.PROTOCOL_ERROR),
    "a colon": ("235:in", Code.PROTOCOL_ERROR),
    "challenges without end": ("334 VXNlcm5hbWU6\r\n" * 50, ANY),
    "a challenge that is no base64": ("334 ü{}%", ANY),
    "lines of different codes": ("235-in\r\n535 5.7.8 no", Code.AUTH_REJECTED),
    "more lines than a reply has": ("235-in\r\n" * 200 + "235 in", Code.PROTOCOL_OVERSIZE),
    "an enhanced code of 5,000 digits": ("535 5." + "7" * 5_000 + ".8 no", Code.AUTH_REJECTED),
    "NUL": ("535 \0\0", Code.AUTH_REJECTED),
    "IMAP": ("{tag} OK Logged in", Code.PROTOCOL_ERROR),
    "an empty line": ("", Code.PROTOCOL_ERROR),
    "a line without an end": ("535 " + "x" * 90_000, Code.PROTOCOL_OVERSIZE),
}
SMTP_GREETINGS = {
    "status": "220",
    "not text": "220 \udcff\udcfe",
    "digits": "2" * 60_000,
    "blanks": "220" + " " * 60_000,
    "lines": "220-x\r\n" * 99 + "220 x",
    "null": "\0" * 100,
}
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">{head}<s:Body>{body}</s:Body></s:Envelope>'
)
BUSY = (
    "<s:Fault><faultcode>a:ErrorServerBusy</faultcode><faultstring>busy</faultstring><detail>"
    '<e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">ErrorServerBusy'
    '</e:ResponseCode><e:Message xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">busy</e:Message>'
    '<t:MessageXml><t:Value Name="BackOffMilliseconds">{}</t:Value></t:MessageXml></detail></s:Fault>'
)


def soap(body: str, head: str = "") -> str:
    text = SOAP.format(head=head, body=body)
    return f"{HEAD}Content-Length: {len(text.encode())}\r\n\r\n{text}"


EWS_REPLIES = {
    "a chunk of -5": (HEAD + "Transfer-Encoding: chunked\r\n\r\n-5\r\nabcde\r\n0\r\n\r\n", Code.PROTOCOL_ERROR),
    "a chunk of -1": (HEAD + "Transfer-Encoding: chunked\r\n\r\n-1\r\nabcde\r\n0\r\n\r\n", ANY),
    "a chunk of no number": (HEAD + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", Code.CONNECT_CLOSED),
    "a chunk of 5,000 digits": (HEAD + f"Transfer-Encoding: chunked\r\n\r\n{'f' * 5_000}\r\nab", ANY),
    "chunks of one byte": (HEAD + "Transfer-Encoding: chunked\r\n\r\n" + "1\r\nx\r\n" * 20_000 + "0\r\n\r\n", ANY),
    "a length below zero": (HEAD + "Content-Length: -5\r\n\r\nabc", ANY),
    "a length of 5,000 digits": (HEAD + f"Content-Length: {'9' * 5_000}\r\n\r\nabc", ANY),
    "a back-off that is no number": (soap(BUSY.format("soon")), Code.SERVER_THROTTLED),
    "a back-off of 5,000 digits": (soap(BUSY.format("9" * 5_000)), Code.SERVER_THROTTLED),
    "a back-off below zero": (soap(BUSY.format("-1")), Code.SERVER_THROTTLED),
    "no body": (soap(""), ANY),
    "an element of its own": (soap("<m:GetFolderResponse/>"), ANY),
    "no messages": (soap("<m:GetFolderResponse><m:ResponseMessages/></m:GetFolderResponse>"), ANY),
    "a response without a class": (
        soap(
            "<m:GetFolderResponse><m:ResponseMessages><m:GetFolderResponseMessage/></m:ResponseMessages>"
            "</m:GetFolderResponse>"
        ),
        ANY,
    ),
    "a code that nobody knows": (
        soap(
            "<m:GetFolderResponse><m:ResponseMessages><m:GetFolderResponseMessage ResponseClass='Error'>"
            "<m:MessageText>x</m:MessageText><m:ResponseCode>ErrorOfItsOwn</m:ResponseCode>"
            "</m:GetFolderResponseMessage></m:ResponseMessages></m:GetFolderResponse>"
        ),
        Code.PROTOCOL_ERROR,
    ),
    "a version of letters": (soap("", '<s:Header><t:ServerVersionInfo MajorVersion="x"/></s:Header>'), ANY),
    "XML that breaks off": (soap("")[:-20] + " " * 20, ANY),
    "deep XML": (soap("<m:a>" * 3_000), ANY),
    "an entity": (soap("&lol;"), ANY),
    "two Content-Types": (HEAD + "Content-Type: text/html\r\nContent-Length: 0\r\n\r\n", ANY),
    "a status of letters": ("HTTP/1.1 abc OK\r\n\r\n", Code.PROTOCOL_ERROR),
    "a status of 5,000 digits": (f"HTTP/1.1 {'2' * 5_000} OK\r\n\r\n", Code.PROTOCOL_ERROR),
    "an answer of continuation lines": (HEAD + " x\r\n" * 5_000 + "\r\n", ANY),
    "headers without a colon": (HEAD + "x\r\n" * 90 + "\r\n", ANY),
    "100 and again": ("HTTP/1.1 100 Continue\r\n\r\n" * 3_000, ANY),
    "gzip that is none": (HEAD + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde", ANY),
    "a redirect to no address": ("HTTP/1.1 302 x\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n", ANY),
    "a redirect of brackets": (f"HTTP/1.1 302 x\r\nLocation: //{'[' * 9_000}\r\nContent-Length: 0\r\n\r\n", ANY),
    "NUL": ("\0" * 500 + "\r\n\r\n", Code.PROTOCOL_ERROR),
}


def challenge(message: bytes) -> str:
    token = base64.b64encode(message).decode()
    return f"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM {token}\r\nContent-Length: 0\r\n\r\n"


_NTLM2 = b"NTLMSSP\0\x02\0\0\0"
NTLM_CHALLENGES = {
    "cut": _NTLM2,
    "without an end": _NTLM2 + b"\xff" * 4_000,
    "of another type": b"NTLMSSP\0\x01\0\0\0" + bytes(40),
    "an AV pair that nobody knows": _NTLM2
    + bytes([0, 0, 0, 0, 56, 0, 0, 0])
    + b"\x35\x82\x8a\xe2"
    + b"12345678"
    + bytes(8)
    + bytes([8, 0, 8, 0, 56, 0, 0, 0])
    + bytes(8)
    + b"\x77\x77\0\0\0\0\0\0",
    "zeros": bytes(200),
    "nothing": b"\0",
}


def says(reply: str) -> Behaviour:
    """HTTP over TLS: every request gets the same bytes, then the connection ends."""

    def behave(conversation: Conversation) -> None:
        conversation.start_tls()
        size = 0
        while line := conversation.line():
            if found := re.match(r"content-length: (\d+)", line, re.IGNORECASE):
                size = int(found[1])
        if size:
            conversation.pause(0.05)
        conversation.send(reply.encode("utf-8", "surrogateescape"))

    return behave


def greeting(text: str) -> Behaviour:
    def behave(conversation: Conversation) -> None:
        conversation.start_tls()
        conversation.send(text.encode("utf-8", "surrogateescape") + b"\r\n")

    return behave


def answers(script: Script, text: str) -> Behaviour:
    """The script's dialogue, but the line that logs in gets `text`, byte for byte, and then the connection ends."""

    def behave(conversation: Conversation) -> None:
        line = conversation.line

        def until_then() -> str:
            found = line()
            if re.search("AUTH|LOGIN", found):
                reply = text.replace("{tag}", found.partition(" ")[0])
                conversation.send(reply.encode("utf-8", "surrogateescape") + b"\r\n")
                conversation.pause(0.1)
                raise ConnectionError("that was all")
            return found

        conversation.line = until_then  # type: ignore[method-assign]
        script(conversation)

    return behave


@pytest.fixture
def brief(certificates: CertificateLab) -> CheckContext:
    return trusting(certificates, SECONDS)


def assert_sound(code: Code, expected: Code | None, seen: str, begun: float) -> None:
    assert code is not Code.INTERNAL, seen
    assert time.monotonic() - begun < SECONDS + SLACK
    assert expected is None or code is expected, seen
    assert len(seen) <= 300


@pytest.mark.parametrize("name", IMAP_LOGINS)
@pytest.mark.parametrize("capabilities", [("SASL-IR", "AUTH=PLAIN"), ("AUTH=PLAIN",), ("IMAP4REV1",)])
def test_imap_logins(name: str, capabilities: tuple[str, ...], leaf: CertificateFiles, brief: CheckContext) -> None:
    text, code = IMAP_LOGINS[name]
    begun = time.monotonic()
    with HostileServer(answers(imap_script(), text), leaf) as server:
        result = attempt(server, brief, IMAP, capabilities=capabilities)
    # Without the initial response the server's first "+" asks for it, so what comes then is another matter.
    waits = capabilities == ("AUTH=PLAIN",)
    assert_sound(result.code, None if waits else code, result.seen, begun)
    assert result.verdict is not Verdict.OK


@pytest.mark.parametrize("name", SMTP_LOGINS)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_smtp_logins(name: str, mechanism: str, leaf: CertificateFiles, brief: CheckContext) -> None:
    text, code = SMTP_LOGINS[name]
    script = smtp_script(("^EHLO", f"250-mail.lab.example\r\n250 AUTH {mechanism}"))
    begun = time.monotonic()
    with HostileServer(answers(script, text), leaf) as server:
        result = attempt(server, brief, SMTP)
    assert_sound(result.code, code if mechanism == "PLAIN" or code is not ANY else None, result.seen, begun)


@pytest.mark.parametrize(
    ("protocol", "text"),
    [(IMAP, each) for each in IMAP_GREETINGS.values()] + [(SMTP, each) for each in SMTP_GREETINGS.values()],
    ids=[f"imap {name}" for name in IMAP_GREETINGS] + [f"smtp {name}" for name in SMTP_GREETINGS],
)
def test_greetings(protocol: Protocol, text: str, leaf: CertificateFiles, brief: CheckContext) -> None:
    begun = time.monotonic()
    result = examine(greeting(text), leaf, brief, protocol, Security.TLS)
    assert_sound(result.code, None, result.seen, begun)


def exchange_route(port: int, context: CheckContext, scheme: str) -> ExchangeRoute:
    endpoint = endpoint_of(f"https://{LOOPBACK}:{port}/EWS/Exchange.asmx")
    return ExchangeRoute(
        endpoint,
        endpoint.url,
        (LOOPBACK,),
        (f"AUTH={scheme}",),
        context.trust.strict,
        insecure=False,
        online=False,
    )


@pytest.mark.parametrize("name", EWS_REPLIES)
def test_exchange_logins(name: str, leaf: CertificateFiles, brief: CheckContext) -> None:
    text, code = EWS_REPLIES[name]
    begun = time.monotonic()
    with HostileServer(says(text), leaf) as server:
        result = check_mailbox(exchange_route(server.port, brief, "BASIC"), Credential(USER, SECRET), brief)
    assert_sound(result.code, code, result.seen, begun)
    assert result.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("name", EWS_REPLIES)
def test_exchange_endpoints(name: str, leaf: CertificateFiles, brief: CheckContext) -> None:
    begun = time.monotonic()
    with HostileServer(says(EWS_REPLIES[name][0]), leaf) as server:
        endpoint = endpoint_of(f"https://{LOOPBACK}:{server.port}/EWS/Exchange.asmx")
        result: EndpointResult = check_endpoint(endpoint, brief)
    assert_sound(result.code, None, result.seen, begun)
    assert result.verdict is not Verdict.OK


@pytest.mark.parametrize("name", NTLM_CHALLENGES)
def test_ntlm_challenges(name: str, leaf: CertificateFiles, brief: CheckContext) -> None:
    begun = time.monotonic()
    with HostileServer(says(challenge(NTLM_CHALLENGES[name])), leaf) as server:
        result = check_mailbox(exchange_route(server.port, brief, "NTLM"), Credential(USER, SECRET), brief)
    # Some can be read after all: then the server has to make something of the answer.
    assert result.code in (Code.EXCHANGE_NTLM_BROKEN, Code.CONNECT_CLOSED)
    assert_sound(result.code, None, result.seen, begun)


class TestMoments:
    @pytest.mark.parametrize("protocol", [IMAP, SMTP])
    def test_a_flood_is_of_the_moment_until_it_comes_twice(
        self, protocol: Protocol, leaf: CertificateFiles, brief: CheckContext
    ) -> None:
        greets = IMAP_GREETING.format(extra="") if protocol is IMAP else SMTP_GREETING

        def behave(conversation: Conversation) -> None:
            conversation.start_tls()
            conversation.send(greets + "\r\n")
            conversation.line()
            while True:
                conversation.send(b"* OK wait\r\n" * 3_000 if protocol is IMAP else b"250-wait\r\n" * 3_000)

        self.assert_momentary(behave, Code.PROTOCOL_OVERSIZE, protocol, leaf, brief)

    def test_so_is_an_alert_in_clear_text(self, leaf: CertificateFiles, brief: CheckContext) -> None:
        def behave(conversation: Conversation) -> None:
            conversation.start_tls()
            conversation.send(IMAP_GREETING.format(extra="") + "\r\n")
            conversation.line()
            plain = conversation._socket.detach()  # noqa: SLF001 - past TLS, which no method of the lab's does
            import socket

            with socket.socket(fileno=plain) as sock:
                sock.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
                conversation._socket = socket.socket()  # noqa: SLF001 - the lab closes one
                sock.settimeout(1)
                sock.recv(100)

        self.assert_momentary(behave, None, IMAP, leaf, brief)

    def assert_momentary(
        self, behave: Behaviour, code: Code | None, protocol: Protocol, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        from tests.checks.helpers import route_to

        with HostileServer(behave, leaf) as server:
            route = route_to(server.port, context, protocol)
            first, second = (check_mailbox(route, Credential(USER, SECRET), context) for _ in range(2))
            another = check_mailbox(route, Credential("else@lab.example", SECRET), context)
        assert first.code is second.code is another.code
        assert code is None or first.code is code
        assert (first.verdict, second.verdict, another.verdict) == (
            Verdict.INCONCLUSIVE,
            Verdict.FAIL,
            Verdict.INCONCLUSIVE,
        )


@pytest.mark.parametrize("library", ["exchangelib", "imapclient", "spnego"])
def test_what_a_library_logs_reaches_nobody(library: str, capfd: pytest.CaptureFixture[str]) -> None:
    logging.getLogger(f"{library}.deep.inside").error("the server said %s", SECRET)
    captured = capfd.readouterr()
    assert SECRET not in captured.out + captured.err


PROBE = """
import sys
from checks.context import CheckContext
from checks.model import Credential, Endpoint, Protocol, Security
from checks.network import dial
from checks.network.address_policy import AddressPolicy
seen = []
begin = dial.Deadline.__init__
def note(self, seconds):
    if not seen:
        seen.append(set(sys.modules))
    begin(self, seconds)
dial.Deadline.__init__ = note
{work}
late = set(sys.modules) - seen[0]
print(*sorted(name for name in late if name.partition(".")[0] in
      ("checks", "imapclient", "imaplib", "exchangelib", "spnego", "requests", "cryptography", "smtplib", "lxml")))
"""
WORK: dict[str, Callable[[int], str]] = {
    "imap": lambda port: (
        "from checks.runner import check_endpoint\n"
        f"check_endpoint(Endpoint(Protocol.IMAP, '127.0.0.1', {port}, Security.TLS),"
        " CheckContext(policy=AddressPolicy(allow_all=True), deadline_seconds=2))"
    ),
    "exchange": lambda port: (
        "from checks.runner import check_endpoint\nfrom checks.protocols.exchange.url import endpoint_of\n"
        f"check_endpoint(endpoint_of('https://127.0.0.1:{port}/'),"
        " CheckContext(policy=AddressPolicy(allow_all=True), deadline_seconds=2))"
    ),
}


@pytest.mark.parametrize("name", WORK)
def test_nothing_is_imported_after_the_deadline_has_begun(name: str, leaf: CertificateFiles) -> None:
    with HostileServer("imap", leaf) as server:
        program = PROBE.format(work=WORK[name](server.port))
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    assert done.stderr == ""
