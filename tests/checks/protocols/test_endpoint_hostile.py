"""Servers that are no mail servers, or do not want to be: the right code, in time, and without filling the memory."""

import time
import tracemalloc

import pytest

from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Option, Protocol, Security
from checks.runner import check_endpoint
from tests.checks.helpers import LOOPBACK, examine, trusting
from tests.servers.behaviours import drips, floods, imap_script, smtp_script
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.conversation import Behaviour, Conversation
from tests.servers.hostile import HostileServer
from tests.servers.process import free_port

IMAP, SMTP = Protocol.IMAP, Protocol.SMTP
TLS, STARTTLS, AUTO = Security.TLS, Security.STARTTLS, Security.AUTO
BOTH, ALL = (IMAP, SMTP), (TLS, STARTTLS, AUTO)


def over_tls(behaviour: Behaviour) -> Behaviour:
    def behave(conversation: Conversation) -> None:
        conversation.start_tls()
        behaviour(conversation)

    return behave


def closes(_: Conversation) -> None:
    """Leaves without a word."""


def table(
    *rows: tuple[str, tuple[Protocol, ...], tuple[Security, ...], Code],
) -> list[tuple[str, Protocol, Security, Code]]:
    return [
        (name, protocol, security, code)
        for name, protocols, securities, code in rows
        for protocol in protocols
        for security in securities
    ]


@pytest.mark.parametrize(
    ("name", "protocol", "security", "code"),
    table(
        ("close", BOTH, ALL, Code.CONNECT_CLOSED),
        ("reset", BOTH, ALL, Code.CONNECT_CLOSED),
        ("garbage", BOTH, ALL, Code.PROTOCOL_MISMATCH),
        ("ssh", BOTH, ALL, Code.PROTOCOL_MISMATCH),
        ("http", BOTH, ALL, Code.PROTOCOL_MISMATCH),
        ("pop3", BOTH, ALL, Code.PROTOCOL_MISMATCH),
        ("imap", (SMTP,), (TLS, AUTO), Code.PROTOCOL_MISMATCH),
        ("smtp", (IMAP,), (TLS, AUTO), Code.PROTOCOL_MISMATCH),
        ("imap_bye", (IMAP,), ALL, Code.SERVER_TOO_MANY_CONNECTIONS),
        ("smtp_421", (SMTP,), ALL, Code.SERVER_TOO_MANY_CONNECTIONS),
        ("smtp_554", (SMTP,), ALL, Code.SERVER_BLOCKS_ADDRESS),
        ("flood", BOTH, ALL, Code.PROTOCOL_OVERSIZE),
        ("flood_imap_lines", (IMAP,), (STARTTLS, AUTO), Code.PROTOCOL_OVERSIZE),
        ("flood_imap_lines", (SMTP,), ALL, Code.PROTOCOL_MISMATCH),
        ("flood_smtp_lines", (SMTP,), ALL, Code.PROTOCOL_OVERSIZE),
        ("old_tls", BOTH, (TLS, AUTO), Code.TLS_VERSION),
        ("no_shared_cipher", BOTH, (TLS, AUTO), Code.TLS_NO_SHARED_CIPHER),
        ("client_certificate", BOTH, (TLS, AUTO), Code.TLS_CLIENT_CERTIFICATE),
    ),
)
def test_answers_that_are_wrong(
    name: str, protocol: Protocol, security: Security, code: Code, leaf: CertificateFiles, context: CheckContext
) -> None:
    begun = time.monotonic()
    result = examine(name, leaf, context, protocol, security)
    assert time.monotonic() - begun < 5
    assert_result(result, code)


@pytest.mark.parametrize(
    ("name", "protocol", "security", "code"),
    table(
        ("silent", (IMAP,), (TLS, AUTO), Code.TLS_TIMEOUT),
        ("silent", BOTH, (STARTTLS,), Code.GREETING_TIMEOUT),
        ("tls_silent", (SMTP,), (TLS, AUTO), Code.GREETING_TIMEOUT),
        ("drip", (IMAP,), (TLS, AUTO), Code.TLS_TIMEOUT),
        ("drip", (IMAP,), (STARTTLS,), Code.DEADLINE),
        ("drip_smtp", (SMTP,), (STARTTLS,), Code.DEADLINE),
        ("smtp_starttls_silent", (SMTP,), (STARTTLS, AUTO), Code.TLS_TIMEOUT),
    ),
)
def test_answers_that_do_not_come(
    name: str, protocol: Protocol, security: Security, code: Code, leaf: CertificateFiles, certificates: CertificateLab
) -> None:
    begun = time.monotonic()
    result = examine(name, leaf, trusting(certificates, 0.8), protocol, security)
    assert time.monotonic() - begun < 5
    assert_result(result, code)


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (over_tls(drips(b"* OK " + b"x" * 1000, 0.1)), Code.DEADLINE),
        (over_tls(floods(b"* OK " + b"x" * 65_536)), Code.PROTOCOL_OVERSIZE),
        (over_tls(floods(b"* OK still greeting\r\n" * 3_000)), Code.PROTOCOL_OVERSIZE),
        (over_tls(closes), Code.CONNECT_CLOSED),
        (imap_script(("CAPABILITY", None)), Code.OK),  # the greeting carried them already
    ],
)
def test_the_same_inside_tls(
    behaviour: Behaviour, code: Code, leaf: CertificateFiles, certificates: CertificateLab
) -> None:
    assert_result(examine(behaviour, leaf, trusting(certificates, 0.8)), code)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("550 5.7.1 go away", Code.PROTOCOL_ERROR),
        ("421 4.3.2 shutting down", Code.SERVER_UNAVAILABLE),
        ("oh hello", Code.PROTOCOL_ERROR),
        ("250 mail.lab.example", Code.AUTH_NOT_OFFERED),
        ("250-mail.lab.example\r\n250 AUTH GSSAPI DIGEST-MD5", Code.AUTH_NO_MECHANISM),
        ("250-mail.lab.example\r\n250 AUTH=LOGIN", Code.OK),
        ("250-x\r\n" * 200 + "250 x", Code.PROTOCOL_OVERSIZE),
        (None, Code.CONNECT_CLOSED),
    ],
)
def test_answers_to_ehlo(reply: str | None, code: Code, leaf: CertificateFiles, context: CheckContext) -> None:
    assert_result(examine(smtp_script(("^EHLO", reply)), leaf, context, SMTP, TLS), code)


@pytest.mark.parametrize(
    ("capabilities", "code"),
    [
        ("IMAP4rev1 LOGINDISABLED", Code.AUTH_NOT_OFFERED),
        ("IMAP4rev1 LOGINDISABLED AUTH=GSSAPI", Code.AUTH_NO_MECHANISM),
        ("IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2", Code.OK),  # a mailbox with a token gets in
        ("IMAP4rev1", Code.OK),
        (" ".join(f"X{number}" for number in range(5_000)), Code.OK),
    ],
)
def test_imap_servers_by_what_they_offer(
    capabilities: str, code: Code, leaf: CertificateFiles, context: CheckContext
) -> None:
    script = imap_script(("CAPABILITY", f"* CAPABILITY {capabilities}\r\n{{tag}} OK Done"))
    silent = type(script)("* OK no capability in here", script.rules)
    result = examine(silent, leaf, context, IMAP, TLS)
    assert_result(result, code)
    assert len(result.capabilities) <= 200


@pytest.mark.parametrize("name", ["flood", "flood_imap_lines", "flood_smtp_lines", "garbage"])
@pytest.mark.parametrize("security", [TLS, STARTTLS])
def test_memory_stays_flat(name: str, security: Security, leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(name, leaf) as server:
        endpoint = Endpoint(SMTP if "smtp" in name else IMAP, LOOPBACK, server.port, security)
        check_endpoint(endpoint, context)
        tracemalloc.start()
        try:
            result = check_endpoint(endpoint, context)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert result.verdict is Verdict.FAIL
    assert peak < 3_000_000
    assert len(repr(result)) < 20_000


def test_nobody_listens(context: CheckContext) -> None:
    result = check_endpoint(Endpoint(IMAP, LOOPBACK, free_port()), context)
    assert_result(result, Code.CONNECT_REFUSED)
    assert [step.name for step in result.steps] == ["resolve", "connect"]


def test_a_name_that_does_not_exist(context: CheckContext) -> None:
    result = check_endpoint(Endpoint(IMAP, "mail.lab.invalid", 993), context)
    assert_result(result, Code.DNS_NOT_FOUND)
    assert result.address is None


def test_an_address_that_the_policy_refuses_is_not_connected_to(leaf: CertificateFiles) -> None:
    with HostileServer("imap", leaf) as server:
        for host in (LOOPBACK, "localhost", "::ffff:127.0.0.1"):
            result = check_endpoint(Endpoint(IMAP, host, server.port), CheckContext())
            assert_result(result, Code.ADDRESS_NOT_ALLOWED)
        assert server.connections == 0


def assert_result(result: EndpointResult, code: Code) -> None:
    assert (result.code, result.verdict) == (code, verdict_of(code))
    if code is Code.OK:
        return
    assert result.option is (Option.WOULD_NOT_HELP if result.verdict is Verdict.FAIL else None)
    assert [step.verdict for step in result.steps[:-1]] == [Verdict.OK] * (len(result.steps) - 1)
    assert result.steps[-1].verdict is not Verdict.OK
    assert all(len(step.seen) <= 300 and step.seen.isprintable() for step in result.steps)
    assert all(len(value) <= 300 for value in result.facts.values())
    assert set(result.facts) >= {"host", "port", "protocol", "security"}
