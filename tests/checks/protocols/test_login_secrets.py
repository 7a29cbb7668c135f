"""Credentials go to the server that was verified, inside TLS, and nowhere else: not into results, logs or texts."""

import base64
import binascii
import logging
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from checks.clients.node import NODE
from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Credential, Endpoint, Protocol, Security
from checks.protocols.login import open_route
from checks.runner import check_endpoint, check_mailbox
from tests.checks.helpers import LOOPBACK, attempt, echoes, route_to, trusting
from tests.servers.behaviours import BEHAVIOURS, imap_script, smtp_script
from tests.servers.certificates import CertificateFiles, CertificateLab, Validity
from tests.servers.hostile import HostileServer

IMAP, SMTP = Protocol.IMAP, Protocol.SMTP
SECRET = 'Planted "pass\\wörd" 100%'
NASTY = [
    "with spaces in it",
    'quo"te\\and\\\\backslash"',
    "Grüße-日本語-🔑",
    "100%s %d {tag} {0} $HOME `x`",
    " leading and trailing ",
    "{12}",
    "x" * 3_000,
]


@pytest.fixture
def context(context: CheckContext) -> CheckContext:
    """With a client that sends every letter, so that these secrets go over the wire."""
    return replace(context, client=NODE)


def pieces(text: str) -> list[bytes]:
    """All that base64 in a text may stand for, wherever it begins."""
    found = []
    for token in re.findall(r"[A-Za-z0-9+/=]{8,}", text):
        for start in range(4):
            part = token[start:].rstrip("=")
            try:
                found.append(base64.b64decode(part[: len(part) // 4 * 4]))
            except binascii.Error:
                continue
    return found


def assert_clean(text: str, secret: str = SECRET) -> None:
    escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
    for form in (secret, escaped, repr(secret)[1:-1], base64.b64encode(secret.encode()).decode().rstrip("=")):
        assert form not in text
    assert not any(secret.encode()[:9] in piece for piece in pieces(text))


ECHOES: list[tuple[str, Callable[[str, str], str], bool]] = [
    ("a refusal", lambda tag, line: f"{tag} NO {line}\r\n", False),
    ("a bad command", lambda tag, line: f"{tag} BAD unknown: {line}\r\n", False),
    ("no answer at all", lambda _, line: f"{line}\r\n", False),
    ("an untagged line, then the end", lambda _, line: f"* OK {line}\r\n", True),
    ("a farewell", lambda _, line: f"* BYE {line}\r\n", True),
    ("a line cut in the middle", lambda _, line: line[: len(line) - 5], True),
    ("535", lambda _, line: f"535 5.7.8 {line}\r\n", False),
    ("535 twice", lambda _, line: f"535-5.7.8 {line}\r\n535 5.7.8 {line}\r\n", False),
    ("535 cut", lambda _, line: f"535-5.7.8 {line}\r\n", True),
    ("a challenge", lambda tag, line: f"334 {line}\r\n" if tag == "AUTH" else f"+ {line}\r\n", True),
    ("a line without end", lambda _, line: f"{line} " * 5_000, False),
]


@pytest.mark.parametrize(("answer", "close"), [row[1:] for row in ECHOES], ids=[row[0] for row in ECHOES])
@pytest.mark.parametrize(("protocol", "capabilities"), [(IMAP, ("SASL-IR", "AUTH=PLAIN")), (IMAP, ("X",)), (SMTP, ())])
def test_an_echo_does_not_carry_the_password_out(
    caplog: pytest.LogCaptureFixture,
    protocol: Protocol,
    capabilities: tuple[str, ...],
    answer: Callable[[str, str], str],
    close: bool,
    leaf: CertificateFiles,
    certificates: CertificateLab,
) -> None:
    for name in ("", "imapclient", "imapclient.imaplib", "checks"):
        caplog.set_level(logging.DEBUG, logger=name)
    with HostileServer(echoes(protocol, answer, close=close), leaf) as server:
        own = replace(trusting(certificates, 0.5), client=NODE)
        result = attempt(server, own, protocol, capabilities=capabilities, secret=SECRET)
        sent = server.received.decode("latin-1")
        assert any(b"Planted" in piece for piece in (server.received, *pieces(sent)))
    assert result.verdict is not Verdict.OK
    assert_clean(repr(result))
    assert_clean(caplog.text)
    assert "Planted" not in repr(result)


@pytest.mark.parametrize("secret", NASTY)
@pytest.mark.parametrize(
    ("protocol", "capabilities"), [(IMAP, ("SASL-IR", "AUTH=PLAIN")), (IMAP, ("AUTH=PLAIN",)), (IMAP, ()), (SMTP, ())]
)
def test_any_password_arrives_as_it_is(
    caplog: pytest.LogCaptureFixture,
    secret: str,
    protocol: Protocol,
    capabilities: tuple[str, ...],
    leaf: CertificateFiles,
    context: CheckContext,
) -> None:
    caplog.set_level(logging.DEBUG)
    # One with a backslash goes by LOGIN, whatever else is offered, as imapflow has it.
    user = 'first "last" (x)y@lab.example' if capabilities else 'first "last" (x)\\y@lab.example'
    challenge = (("AUTHENTICATE PLAIN$", "+ "), (r"^[A-Za-z0-9+/=]{20,}$", "MP0 OK in"))
    with HostileServer(imap_script(*challenge) if protocol is IMAP else smtp_script(), leaf) as server:
        result = attempt(server, context, protocol, capabilities=capabilities, secret=secret, user=user)
        assert result.verdict is Verdict.OK
    if protocol is SMTP or capabilities:
        assert base64.b64encode(f"\0{user}\0{secret}".encode()) in server.received
    else:
        user, quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in (user, secret))
        assert f'MP0 LOGIN "{user}" "{quoted}"\r\n'.encode() in server.received
    assert secret not in caplog.text


@pytest.mark.parametrize("character", ["\r\n", "\n", "\r", "\0", "\ud800"])
@pytest.mark.parametrize("where", ["user", "secret"])
@pytest.mark.parametrize("protocol", [IMAP, SMTP])
def test_what_would_be_a_command_of_its_own_is_not_sent(
    character: str, where: str, protocol: Protocol, leaf: CertificateFiles, context: CheckContext
) -> None:
    given = {"user": "somebody", "secret": "Planted", where: f"Planted{character}A1 DELETE INBOX"}
    with HostileServer("imap" if protocol is IMAP else "smtp", leaf) as server:
        result = attempt(server, context, protocol, capabilities=(), user=given["user"], secret=given["secret"])
    assert (result.code, result.verdict) == (Code.CREDENTIAL_UNREADABLE, Verdict.INCONCLUSIVE)
    assert b"Planted" not in server.received
    assert b"DELETE" not in server.received


def held_back(server: HostileServer) -> bool:
    received = server.received
    forms = (b"Planted", base64.b64encode(f"\0somebody@lab.example\0{SECRET}".encode()), b"AUTHENTICATE", b"AUTH ")
    return not any(form in received for form in (*forms, b"LOGIN "))


@pytest.mark.parametrize("name", sorted(set(BEHAVIOURS) - {"imap", "smtp", "imap_starttls", "smtp_starttls"}))
@pytest.mark.parametrize("protocol", [IMAP, SMTP])
@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_no_credential_reaches_a_server_that_is_not_the_verified_one(
    name: str, protocol: Protocol, security: Security, leaf: CertificateFiles, certificates: CertificateLab
) -> None:
    """Given a route that worked, and then something else in its place."""
    with HostileServer(name, leaf) as server:
        result = attempt(server, trusting(certificates, 0.2), protocol, security=security, secret=SECRET)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert held_back(server)


@pytest.mark.parametrize(
    ("name", "protocol", "security"),
    [
        ("imap", IMAP, Security.TLS),
        ("imap_starttls", IMAP, Security.STARTTLS),
        ("smtp", SMTP, Security.TLS),
        ("smtp_starttls", SMTP, Security.STARTTLS),
    ],
)
def test_no_credential_goes_over_a_refused_chain_unless_the_option_is_on(
    name: str, protocol: Protocol, security: Security, certificates: CertificateLab
) -> None:
    credential = Credential("somebody@lab.example", SECRET)
    for insecure in (False, True):
        own = replace(trusting(certificates, insecure=insecure), client=NODE)
        with HostileServer(name, certificates.issue(self_signed=True)) as server:
            checked = check_endpoint(Endpoint(protocol, LOOPBACK, server.port, security), own)
            assert held_back(server)
            result = check_mailbox(open_route(checked, own), credential, own)
        assert (result.verdict is Verdict.OK) is insecure
        assert held_back(server) is not insecure


@pytest.mark.parametrize(
    ("issue", "code"),
    [
        (lambda lab: lab.issue(self_signed=True), Code.TLS_SELF_SIGNED),
        (lambda lab: lab.issue(validity=Validity.EXPIRED), Code.TLS_EXPIRED),
        (lambda lab: lab.issue("other.lab.example"), Code.TLS_NAME_MISMATCH),
    ],
)
def test_the_option_does_not_open_an_endpoint_whose_chain_was_accepted(
    issue: Callable[[CertificateLab], CertificateFiles],
    code: Code,
    leaf: CertificateFiles,
    certificates: CertificateLab,
) -> None:
    """Given the option on, a good chain at the check and another server during the run: it is refused, and why is told.

    So it is with two servers behind one address, of which one has another certificate.
    """
    own = trusting(certificates, insecure=True)
    with HostileServer("imap", leaf) as good, HostileServer("imap", issue(certificates)) as other:
        route = open_route(check_endpoint(Endpoint(IMAP, LOOPBACK, good.port, Security.TLS), own), own)
        hijacked = replace(route, endpoint=replace(route.endpoint, port=other.port))
        result = check_mailbox(hijacked, Credential("somebody@lab.example", SECRET), own)
    assert (result.code, result.verdict) == (code, Verdict.INCONCLUSIVE)
    assert held_back(other)


def test_the_endpoint_check_has_nothing_to_give_away(leaf: CertificateFiles, context: CheckContext) -> None:
    for name in ("imap", "smtp"):
        with HostileServer(name, leaf) as server:
            check_endpoint(Endpoint(IMAP if name == "imap" else SMTP, LOOPBACK, server.port), context)
        assert held_back(server)


def test_what_is_kept_in_memory_does_not_show_the_secret(context: CheckContext) -> None:
    credential = Credential("somebody", SECRET)
    assert_clean(repr(credential))
    assert_clean(repr(route_to(993, context)))
