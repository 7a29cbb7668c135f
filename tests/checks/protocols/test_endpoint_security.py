"""TLS, STARTTLS and auto: what is tried on which port, and what it is called when it is the wrong one."""

from dataclasses import replace

import pytest

from checks.clients.node import NODE
from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Endpoint, Protocol, Security
from checks.protocols.imap.dialect import Imap
from checks.protocols.smtp.dialect import Smtp
from checks.runner import check_endpoint
from tests.checks.helpers import LOOPBACK, briefly, examine
from tests.servers import tls_dialogue
from tests.servers.behaviours import imap_script, smtp_script
from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import Conversation, Script
from tests.servers.hostile import HostileServer
from tests.servers.lab import MailLab

IMAP, SMTP = Protocol.IMAP, Protocol.SMTP
TLS, STARTTLS, AUTO = Security.TLS, Security.STARTTLS, Security.AUTO


@pytest.mark.parametrize(
    ("name", "protocol", "asked", "found", "steps"),
    [
        ("imap", IMAP, TLS, TLS, "resolve connect tls greeting capabilities"),
        ("imap", IMAP, AUTO, TLS, "resolve connect tls greeting capabilities"),
        ("imap_starttls", IMAP, STARTTLS, STARTTLS, "resolve connect greeting starttls tls capabilities"),
        ("imap_starttls", IMAP, AUTO, STARTTLS, "resolve connect greeting starttls tls capabilities"),
        ("smtp", SMTP, TLS, TLS, "resolve connect tls greeting capabilities"),
        ("smtp", SMTP, AUTO, TLS, "resolve connect tls greeting capabilities"),
        ("smtp_starttls", SMTP, STARTTLS, STARTTLS, "resolve connect greeting starttls tls capabilities"),
        ("smtp_starttls", SMTP, AUTO, STARTTLS, "resolve connect greeting starttls tls capabilities"),
    ],
)
def test_what_works(
    name: str,
    protocol: Protocol,
    asked: Security,
    found: Security,
    steps: str,
    leaf: CertificateFiles,
    context: CheckContext,
) -> None:
    result = examine(name, leaf, context, protocol, asked)
    assert (result.verdict, result.code, result.endpoint.security) == (Verdict.OK, Code.OK, found)
    assert [step.name for step in result.steps] == steps.split()
    assert all(step.verdict is Verdict.OK for step in result.steps)
    assert result.tls is not None
    assert result.tls.version == "TLSv1.3"
    assert result.tls.cipher is not None
    assert result.tls.cipher.startswith("TLS_")
    assert "CN=localhost" in result.tls.chain[0].subject


@pytest.mark.parametrize(
    ("name", "protocol", "security", "code", "fix"),
    [
        ("imap_starttls", IMAP, TLS, Code.TLS_PLAINTEXT_PORT, "use_starttls"),
        ("imap_plaintext", IMAP, TLS, Code.TLS_PLAINTEXT_PORT, None),
        ("smtp_starttls", SMTP, TLS, Code.TLS_PLAINTEXT_PORT, "use_starttls"),
        ("imap", IMAP, STARTTLS, Code.TLS_IMPLICIT_PORT, "use_implicit_tls"),
        ("smtp", SMTP, STARTTLS, Code.TLS_IMPLICIT_PORT, "use_implicit_tls"),
        ("old_tls", IMAP, STARTTLS, Code.TLS_IMPLICIT_PORT, None),
        ("imap_plaintext", IMAP, STARTTLS, Code.TLS_STARTTLS_NOT_OFFERED, None),
        ("imap_plaintext", IMAP, AUTO, Code.TLS_STARTTLS_NOT_OFFERED, None),
        ("smtp_plaintext", SMTP, STARTTLS, Code.TLS_STARTTLS_NOT_OFFERED, None),
        ("imap_starttls_refused", IMAP, STARTTLS, Code.TLS_STARTTLS_REFUSED, None),
        ("smtp_starttls_refused", SMTP, AUTO, Code.TLS_STARTTLS_REFUSED, None),
        ("imap_injection", IMAP, STARTTLS, Code.TLS_STARTTLS_INJECTION, None),
        ("smtp_injection", SMTP, STARTTLS, Code.TLS_STARTTLS_INJECTION, None),
        ("imap_preauth", IMAP, STARTTLS, Code.TLS_PREAUTH, None),
    ],
)
def test_what_does_not(
    name: str,
    protocol: Protocol,
    security: Security,
    code: Code,
    fix: str | None,
    leaf: CertificateFiles,
    context: CheckContext,
) -> None:
    result = examine(name, leaf, briefly(context), protocol, security)
    assert (result.verdict, result.code) == (Verdict.FAIL, code)
    assert (result.fix and result.fix.kind) == fix
    if code is Code.TLS_PLAINTEXT_PORT:
        assert "Ready" in result.seen or "ESMTP" in result.seen


def test_starttls_that_is_not_available_just_now(leaf: CertificateFiles, context: CheckContext) -> None:
    """RFC 3207, 4: "454 TLS not available due to temporary reason", which in the field is a key that cannot be read."""
    result = examine("smtp_starttls_later", leaf, briefly(context), SMTP, STARTTLS)
    assert (result.verdict, result.code) == (Verdict.FAIL, Code.TLS_STARTTLS_REFUSED)


def test_the_standard_ports() -> None:
    """RFC 8314, 3: implicit TLS on 993 and 465; 143, 587 and 25 begin in clear text."""
    assert (Imap.implicit_ports, Imap.starttls_ports) == (frozenset({993}), frozenset({143}))
    assert (Smtp.implicit_ports, Smtp.starttls_ports) == (frozenset({465}), frozenset({25, 587}))


@pytest.mark.parametrize(
    ("ports", "name", "code", "connections"),
    [
        ("implicit_ports", "imap", Code.OK, 1),
        ("implicit_ports", "imap_starttls", Code.TLS_PLAINTEXT_PORT, 2),
        ("starttls_ports", "imap_starttls", Code.OK, 1),
        ("starttls_ports", "imap", Code.TLS_IMPLICIT_PORT, 2),
    ],
)
def test_auto_on_a_standard_port_tries_its_kind_only(
    monkeypatch: pytest.MonkeyPatch,
    ports: str,
    name: str,
    code: Code,
    connections: int,
    leaf: CertificateFiles,
    context: CheckContext,
) -> None:
    """993 and its like are somebody else's on this machine, so the server's own port is made a standard one."""
    with HostileServer(name, leaf) as server:
        monkeypatch.setattr(Imap, ports, frozenset({server.port}))
        result = check_endpoint(Endpoint(IMAP, LOOPBACK, server.port), briefly(context))
        assert result.code is code
        assert server.connections == connections


def test_auto_gives_a_server_that_hangs_up_on_tls_the_chance_to_greet(
    leaf: CertificateFiles, context: CheckContext
) -> None:
    """Given a server that reads first and leaves at what is no command; then STARTTLS is found all the same."""
    starttls = HostileServer("smtp_starttls", leaf)._behaviour  # noqa: SLF001 - the usual dialogue, by its name

    def behave(conversation: Conversation) -> None:
        conversation._socket.settimeout(0.3)  # noqa: SLF001 - waits for an early talker
        try:
            first = conversation._socket.recv(1, 2)  # noqa: SLF001 - MSG_PEEK
        except TimeoutError:
            first = b""
        conversation._socket.settimeout(None)  # noqa: SLF001 - as it was
        if first != b"\x16":
            starttls(conversation)

    result = examine(behave, leaf, context, SMTP)
    assert (result.code, result.endpoint.security) == (Code.OK, STARTTLS)


def test_clear_text_after_starttls_is_no_wrong_port(leaf: CertificateFiles, context: CheckContext) -> None:
    script = smtp_script(("^EHLO", "250-mail.lab.example\r\n250-STARTTLS\r\n250 AUTH PLAIN"), ("^STARTTLS", "220 Go"))
    clear = Script(script.greeting, (*script.rules, (".", "500 5.5.1 what?")), tls=None)
    result = examine(clear, leaf, context, SMTP, STARTTLS)
    assert (result.verdict, result.code, result.fix) == (Verdict.FAIL, Code.TLS_HANDSHAKE, None)


def test_what_was_offered_before_tls_does_not_count(leaf: CertificateFiles, context: CheckContext) -> None:
    script = imap_script(("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN INSIDE\r\n{tag} OK Done"))
    greeting = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED OUTSIDE] Ready"
    result = examine(Script(greeting, script.rules, tls="starttls"), leaf, context, IMAP, STARTTLS)
    assert result.code is Code.OK
    assert result.capabilities == ("IMAP4REV1", "AUTH=PLAIN", "INSIDE")


@pytest.mark.parametrize("security", [AUTO, TLS, STARTTLS])
def test_real_servers(lab: MailLab, security: Security, context: CheckContext) -> None:
    own = type(context.trust)(lab.certificates.ca_pem)
    ports = {
        IMAP: (lab.dovecot.imaps_port, lab.dovecot.imap_port),
        SMTP: (lab.postfix.smtps_port, lab.postfix.submission_port),
    }
    for protocol, (implicit, starttls) in ports.items():
        for port, found in ((implicit, TLS), (starttls, STARTTLS)):
            if security in (AUTO, found):
                endpoint = Endpoint(protocol, "localhost", port, security)
                result = check_endpoint(endpoint, CheckContext(own, context.policy, deadline_seconds=5))
                assert (result.code, result.endpoint.security) == (Code.OK, found), result
    assert not lab.dovecot.logins()
    assert not lab.dovecot.rejections()


@pytest.mark.parametrize("security", [TLS, STARTTLS])
def test_an_answer_to_the_header_of_a_proxy_ends_a_client_that_does_not_read_on(
    security: Security, leaf: CertificateFiles, context: CheckContext
) -> None:
    """HAProxy with `send-proxy` before a Dovecot that does not expect it, as seen with 2.6 and 2.3.19."""
    answered = "PROXY BAD Error in IMAP command received by server."

    def greets(conversation: Conversation) -> None:
        if security is TLS:
            conversation.start_tls()
            conversation.send(f"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n{answered}\r\n")
            return
        conversation.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")
        tag = conversation.line().partition(" ")[0]
        conversation.send(f"{answered}\r\n{tag} OK Begin TLS\r\n")
        conversation.start_tls()
        tls_dialogue.serves("imap")(conversation)

    with HostileServer(greets, leaf) as server:
        endpoint = Endpoint(IMAP, LOOPBACK, server.port, security)
        stops = check_endpoint(endpoint, context)
        reads_on = check_endpoint(endpoint, replace(context, client=NODE))
    assert (stops.verdict, stops.code, stops.seen) == (Verdict.FAIL, Code.PROTOCOL_FOREIGN_TAG, answered)
    assert reads_on.code is Code.OK
