"""SMTP without a login: no AUTH is needed, and what counts is whether the relay takes the address as a sender."""

from dataclasses import replace

import pytest

from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import Authentication, Credential, Endpoint, LoginResult, Protocol, Security
from checks.protocols.dialect import dialect_of
from checks.runner import check_endpoint, check_mailbox
from tests.checks.helpers import LOOPBACK, SECRET, USER, route_to
from tests.servers.behaviours import smtp_script
from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import Behaviour, Conversation
from tests.servers.hostile import HostileServer

ADDRESS = "ada@lab.example"


def relay(mail: str = "250 2.1.0 Ok", *, extensions: str = "PIPELINING") -> Behaviour:
    return smtp_script(
        ("^EHLO", f"250-mail.lab.example\r\n250 {extensions}"), ("^MAIL FROM:", mail), ("^RSET", "250 2.0.0 Ok")
    )


def endpoint_at(port: int, authentication: Authentication = Authentication.NONE) -> Endpoint:
    return Endpoint(Protocol.SMTP, LOOPBACK, port, Security.TLS, authentication=authentication)


@pytest.mark.parametrize("extensions", ["PIPELINING", "8BITMIME", "SIZE 1000000", "AUTH PLAIN"])
def test_an_endpoint_without_auth_works_where_nobody_logs_in(
    extensions: str, leaf: CertificateFiles, context: CheckContext
) -> None:
    with HostileServer(relay(extensions=extensions), leaf) as server:
        result = check_endpoint(endpoint_at(server.port), context)
    assert (result.code, result.endpoint.authentication) == (Code.OK, Authentication.NONE)


def test_with_a_login_wanted_it_does_not(leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(relay(), leaf) as server:
        result = check_endpoint(endpoint_at(server.port, Authentication.LOGIN), context)
    assert result.code is Code.AUTH_NOT_OFFERED


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        ("250 2.1.0 Ok", Code.OK),
        ("250-2.1.0 Sender ok\r\n250 go on", Code.OK),
        ("530 5.7.0 Authentication required", Code.SMTP_LOGIN_REQUIRED),
        ("530 SMTP authentication is required.", Code.SMTP_LOGIN_REQUIRED),
        ("550 5.7.1 Relaying denied", Code.SMTP_LOGIN_REQUIRED),
        ("554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied", Code.SMTP_LOGIN_REQUIRED),
        ("553 5.7.1 <ada@lab.example>: Sender address rejected: not logged in", Code.SMTP_LOGIN_REQUIRED),
        ("550 5.1.8 Sender address rejected: Domain not found", Code.SMTP_SENDER_REFUSED),
        ("553 5.1.7 this sender is not welcome", Code.SMTP_SENDER_REFUSED),
        ("451 4.7.1 Greylisted, try again later", Code.SERVER_UNAVAILABLE),
        ("450 4.1.8 Sender address rejected: Domain not found", Code.SERVER_UNAVAILABLE),
        ("421 4.7.0 Too many connections", Code.SERVER_TOO_MANY_CONNECTIONS),
        ("502 5.5.1 Not implemented", Code.PROTOCOL_ERROR),
        ("250", Code.OK),
        ("garbage", Code.PROTOCOL_ERROR),
    ],
)
def test_answers_to_mail(mail: str, code: Code, leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(relay(mail), leaf) as server:
        result = _log_in(server.port, context)
        assert (result.code, result.verdict) == (code, verdict_of(code))
        received = server.received
        assert b"MAIL FROM:<ada@lab.example>\r\nRSET\r\n" in received
        assert not any(word in received for word in (b"AUTH", b"RCPT", b"DATA", SECRET.encode()))


def test_without_pipelining_rset_waits_for_the_answer(leaf: CertificateFiles, context: CheckContext) -> None:
    early = []

    def behave(conversation: Conversation) -> None:
        send = conversation.send

        def watched(data: bytes | str) -> None:
            if "2.1.0" in str(data):
                early.append(b"RSET" in conversation.received)
            send(data)

        conversation.send = watched  # type: ignore[method-assign]
        relay(extensions="8BITMIME")(conversation)

    with HostileServer(behave, leaf) as server:
        assert _log_in(server.port, context).code is Code.OK
    assert server.received.endswith(b"MAIL FROM:<ada@lab.example>\r\nRSET\r\nQUIT\r\n")
    assert early == [False]


@pytest.mark.parametrize(
    ("address", "extensions", "code", "command"),
    [
        ("ädä@lab.example", "SMTPUTF8", Code.OK, "MAIL FROM:<ädä@lab.example> SMTPUTF8\r\n"),
        ("ädä@lab.example", "8BITMIME", Code.SMTP_SENDER_REFUSED, ""),
        ("a> SIZE=1@lab.example", "PIPELINING", Code.CREDENTIAL_UNREADABLE, ""),
        ("a\r\nRCPT TO:<b@lab.example>", "PIPELINING", Code.CREDENTIAL_UNREADABLE, ""),
    ],
)
def test_odd_addresses(
    address: str, extensions: str, code: Code, command: str, leaf: CertificateFiles, context: CheckContext
) -> None:
    with HostileServer(relay(extensions=extensions), leaf) as server:
        assert _log_in(server.port, context, address).code is code
        assert b"RCPT" not in server.received
        assert command.encode() in server.received if command else b"MAIL" not in server.received


def test_a_relay_that_closes_tells_nothing(leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(smtp_script(("^MAIL", None)), leaf) as server:
        assert _log_in(server.port, context).verdict is Verdict.INCONCLUSIVE


def _log_in(port: int, context: CheckContext, address: str = ADDRESS) -> LoginResult:
    route = route_to(port, context, Protocol.SMTP)
    route = replace(route, endpoint=endpoint_at(port), dialect=dialect_of(Protocol.SMTP, Authentication.NONE))
    return check_mailbox(route, Credential(USER, SECRET), context, address)
