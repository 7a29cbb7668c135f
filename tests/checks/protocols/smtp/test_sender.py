"""Sending is part of it: who has logged in may be refused the address as a sender, and a server may leave after 235."""

from dataclasses import replace

import pytest

from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import Credential, LoginResult, Protocol
from checks.protocols.dialect import Habits
from checks.protocols.login import Route
from checks.runner import check_mailbox
from tests.checks.helpers import SECRET, route_to
from tests.servers.behaviours import smtp_script
from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import Behaviour, Conversation
from tests.servers.hostile import HostileServer

ADDRESS, SERVICE = "ada@lab.example", "svc-ada@other.example"
ACCEPTED = "250 2.1.0 Ok"


def judge(mail: str | None, *, extensions: str = "PIPELINING\r\n250-AUTH PLAIN LOGIN") -> Behaviour:
    """A server that takes every login and answers so to MAIL."""
    last = extensions.rpartition("250-")
    ehlo = f"250-mail.lab.example\r\n250-{last[0]}250 {last[2]}"
    return smtp_script(("^EHLO", ehlo), ("^MAIL FROM:", mail), ("^RSET", "250 2.0.0 Ok"))


def log_in(route: Route, context: CheckContext, *, user: str = SERVICE, address: str = ADDRESS) -> LoginResult:
    return check_mailbox(route, Credential(user, SECRET), context, address)


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        (ACCEPTED, Code.OK),
        ("553 5.7.1 Sender address rejected: not owned by auth user.", Code.SMTP_SENDER_REFUSED),
        ("553 5.7.1 <ada@lab.example>: Sender address rejected: not owned by user svc", Code.SMTP_SENDER_REFUSED),
        ("501 mail from address must be same as authorization user", Code.SMTP_SENDER_REFUSED),
        ("553 Mail from must equal authorized user", Code.SMTP_SENDER_REFUSED),
        ("550 5.7.60 SMTP; Client does not have permissions to send as this sender", Code.SMTP_SENDER_REFUSED),
        ("550 5.7.1 Client does not have permissions to send as this sender", Code.SMTP_SENDER_REFUSED),
        ("552 the from address and the authenticated user must be the same email. #ERR", Code.SMTP_SENDER_REFUSED),
        ("530 5.7.0 sender address must match the user", Code.SMTP_SENDER_REFUSED),
        ("500 the from address ada@lab.example is not authorised", Code.SMTP_SENDER_REFUSED),
        ("550-Requested action not taken: mailbox unavailable\r\n550 Sender address is not allowed.",
         Code.SMTP_SENDER_REFUSED),
        ("554 5.7.1 denied", Code.SMTP_SENDER_REFUSED),
        ("451 4.3.0 Temporary lookup failure", Code.SERVER_UNAVAILABLE),
        ("436 MAIL FROM does not conform with authentication", Code.SERVER_UNAVAILABLE),
        ("450 4.7.1 rate limit exceeded", Code.SERVER_THROTTLED),
        ("553 4.3.0 Temporary lookup failure", Code.SERVER_UNAVAILABLE),
        ("421 4.4.0 Failed to connect to relay server", Code.SERVER_UNAVAILABLE),
        ("502 5.5.1 Not implemented", Code.PROTOCOL_ERROR),
        ("503 5.5.1 Nested MAIL command", Code.PROTOCOL_ERROR),
        ("554 5.7.1 client host [192.0.2.1] blocked using a list", Code.SERVER_BLOCKS_ADDRESS),
        (None, Code.CONNECT_CLOSED),
    ],
)  # fmt: skip
def test_another_user_name(mail: str | None, code: Code, leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(judge(mail), leaf) as server:
        result = log_in(route_to(server.port, context, Protocol.SMTP), context)
    verdict = Verdict.INCONCLUSIVE if code is Code.SERVER_BLOCKS_ADDRESS else verdict_of(code)
    assert (result.code, result.verdict) == (code, verdict)
    assert b"MAIL FROM:<ada@lab.example>\r\nRSET\r\n" in server.received, "in one piece, for it may be pipelined"
    assert not any(word in server.received for word in (b"RCPT", b"DATA"))


def test_a_refusal_names_both(leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(judge("553 5.7.1 Sender address rejected: not owned by auth user."), leaf) as server:
        result = log_in(route_to(server.port, context, Protocol.SMTP), context)
    assert ADDRESS in result.seen
    assert SERVICE in result.seen
    assert "not owned by auth user" in result.seen


@pytest.mark.parametrize("user", [ADDRESS, "Ada@Lab.Example"])
def test_the_address_itself_is_not_asked_for(user: str, leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(judge(ACCEPTED), leaf) as server:
        assert log_in(route_to(server.port, context, Protocol.SMTP), context, user=user).code is Code.OK
    assert b"MAIL" not in server.received


def as_canaries(port: int, context: CheckContext) -> Route:
    return replace(route_to(port, context, Protocol.SMTP), habits=Habits.begin({}, canaries=True))


def test_a_canary_shows_that_senders_are_judged(leaf: CertificateFiles, context: CheckContext) -> None:
    """Given a server that refuses senders, when a canary has met it, then all mailboxes are asked, elsewhere too."""
    with HostileServer(judge("553 5.7.1 Sender address rejected: not owned by auth user."), leaf) as server:
        route = as_canaries(server.port, context)
        codes = {log_in(route, context, user=user, address=user).code for user in (ADDRESS, "bob@lab.example")}
        elsewhere = replace(
            route_to(server.port, context, Protocol.SMTP), habits=Habits.begin(route.learned, canaries=False)
        )
        codes.add(log_in(elsewhere, context, user="eve@lab.example", address="eve@lab.example").code)
    assert codes == {Code.SMTP_SENDER_REFUSED}
    assert server.received.count(b"MAIL FROM:") == 3


@pytest.mark.parametrize("mail", [ACCEPTED, "502 5.5.1 Not implemented", "500 what?", None])
def test_a_canary_that_is_not_judged_is_the_only_one_asked(
    mail: str | None, leaf: CertificateFiles, context: CheckContext
) -> None:
    with HostileServer(judge(mail), leaf) as server:
        route = as_canaries(server.port, context)
        found = [log_in(route, context, user=user, address=user).code for user in (ADDRESS, "bob@lab.example")]
    assert found == [Code.OK, Code.OK]
    assert server.received.count(b"MAIL FROM:") == 1


@pytest.mark.parametrize("pause", [0.0, 0.03])
@pytest.mark.parametrize(
    ("parting", "code"),
    [
        ("421 4.4.0 mail.lab.example Failed to connect to relay server", Code.SERVER_UNAVAILABLE),
        ("421 4.3.2 Service shutting down", Code.SERVER_UNAVAILABLE),
        ("421-4.7.0 Too many connections\r\n421 4.7.0 bye", Code.SERVER_TOO_MANY_CONNECTIONS),
        ("451 4.3.0 relay is down", Code.SERVER_UNAVAILABLE),
    ],
)
def test_what_is_said_after_the_success_counts(
    pause: float, parting: str, code: Code, leaf: CertificateFiles, context: CheckContext
) -> None:
    def behave(conversation: Conversation) -> None:
        line = conversation.line

        def leave() -> str:
            if (text := line()).startswith("AUTH"):
                conversation.send("235 2.7.0 Logged in.\r\n")
                conversation.pause(pause)
                conversation.send(parting + "\r\n")
                raise ConnectionError
            return text

        conversation.line = leave  # type: ignore[method-assign]
        smtp_script()(conversation)

    with HostileServer(behave, leaf) as server:
        route = route_to(server.port, context, Protocol.SMTP)
        for _ in range(2):
            result = log_in(route, context, user=ADDRESS)
            assert (result.code, result.verdict) == (code, Verdict.INCONCLUSIVE)


def test_a_word_of_welcome_is_no_refusal(leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(smtp_script(login="235 2.7.0 Accepted\r\n250 have a nice day"), leaf) as server:
        assert log_in(route_to(server.port, context, Protocol.SMTP), context, user=ADDRESS).code is Code.OK


@pytest.mark.parametrize(
    "script",
    [
        smtp_script(login="535 5.7.8 Error: authentication failed"),
        smtp_script(login="454 4.7.0 Temporary authentication failure"),
        smtp_script(("^EHLO", "250-mail.lab.example\r\n250 8BITMIME")),
        smtp_script(("^EHLO", "550 5.7.1 go away")),
        replace(smtp_script(), greeting="554 5.7.1 no service here"),
        judge("553 5.7.1 Sender address rejected: not owned by auth user."),
    ],
)
def test_every_connection_ends_with_quit(script: Behaviour, leaf: CertificateFiles, context: CheckContext) -> None:
    with HostileServer(script, leaf) as server:
        assert log_in(route_to(server.port, context, Protocol.SMTP), context).verdict is not Verdict.OK
    assert server.received.endswith(b"\r\nQUIT\r\n") or server.received.endswith(b"QUIT\r\n")
    assert server.received.count(b"QUIT") == 1
