"""EXAMINE sent ahead of the login's answer: only where it is understood, and never at the price of a wrong verdict."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from checks.clients.node import NODE
from checks.codes import Code, verdict_of
from checks.context import CheckContext
from checks.model import Credential
from checks.protocols.imap import wire
from checks.runner import check_mailbox
from tests.checks.helpers import SECRET, USER, route_to
from tests.servers.behaviours import imap_script
from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import Behaviour, Conversation, Script
from tests.servers.hostile import HostileServer


def first_then(usual: Script, later: Behaviour) -> Behaviour:
    """One client is served as usual, so that the route learns; the next ones are not."""
    served: list[Conversation] = []

    def behave(conversation: Conversation) -> None:
        served.append(conversation)
        (usual if len(served) == 1 else later)(conversation)

    return behave


def without(line_of: str) -> Callable[[Conversation], None]:
    """A proxy that throws away the first line that the word is found in."""

    def behave(conversation: Conversation) -> None:
        line = conversation.line
        dropped: list[str] = []

        def passing() -> str:
            text = line()
            if line_of in text and not dropped:
                dropped.append(text)
                text = line()
            return text

        conversation.line = passing  # type: ignore[method-assign]
        imap_script()(conversation)

    return behave


def logins(
    behaviour: Behaviour, leaf: CertificateFiles, context: CheckContext
) -> tuple[list[Code], bool | None, bytes]:
    """Two logins on one route: their codes, whether the route goes on sending ahead, and what the server heard."""
    with HostileServer(behaviour, leaf) as server:
        route = route_to(server.port, context)
        results = [check_mailbox(route, Credential(USER, SECRET), context) for _ in range(2)]
        assert all(result.verdict is verdict_of(result.code) for result in results)
    return [result.code for result in results], route.habits.ahead, server.received


def test_the_second_login_sends_it_ahead(leaf: CertificateFiles, context: CheckContext) -> None:
    codes, ahead, received = logins(imap_script(), leaf, context)
    assert (codes, ahead) == ([Code.OK, Code.OK], True)
    assert received.count(b" LOGIN ") == received.count(b"EXAMINE") == 2
    assert received.count(b"\r\nMP1 EXAMINE INBOX\r\nMP9 LOGOUT") == 1


@pytest.mark.parametrize(
    ("later", "code", "logins_made"),
    [
        (
            imap_script(("EXAMINE", "{tag} BAD not now"), login="{tag} NO [AUTHENTICATIONFAILED] no"),
            Code.AUTH_REJECTED,
            2,
        ),
        (imap_script(("EXAMINE", "{tag} BAD User is authenticated but not connected.")), Code.MAILBOX_NOT_CONNECTED, 2),
        (imap_script(("EXAMINE", "{tag} NO [NONEXISTENT] no such mailbox")), Code.MAILBOX_NO_INBOX, 2),
        (imap_script(("EXAMINE", None)), Code.CONNECT_CLOSED, 3),
    ],
)
def test_a_refusal_means_the_same(
    later: Script, code: Code, logins_made: int, leaf: CertificateFiles, context: CheckContext
) -> None:
    """Only where the password was judged by nobody, or found good, is a login made again without the shortcut."""
    codes, _, received = logins(first_then(imap_script(), later), leaf, context)
    assert codes == [Code.OK, code]
    assert received.count(b" LOGIN ") == logins_made


def test_a_server_that_reads_it_as_the_password_is_not_believed(leaf: CertificateFiles, context: CheckContext) -> None:
    """Given several servers behind one name, and one of them does not take an initial response."""
    refusals = ("EXAMINE", "MP0 NO [AUTHENTICATIONFAILED] Authentication failed."), ("^\\S+=$", "MP0 BAD Not now")
    other = imap_script(*refusals, login="+ ")
    codes, ahead, _ = logins(first_then(imap_script(), other), leaf, replace(context, client=NODE))
    assert (codes, ahead) == ([Code.OK, Code.PROTOCOL_ERROR], False)


def test_one_that_was_lost_on_the_way_is_sent_again(
    monkeypatch: pytest.MonkeyPatch, leaf: CertificateFiles, context: CheckContext
) -> None:
    monkeypatch.setattr(wire, "AHEAD_SECONDS", 0.2)
    codes, ahead, received = logins(first_then(imap_script(), without("EXAMINE")), leaf, context)
    assert (codes, ahead) == ([Code.OK, Code.OK], False)
    assert received.count(b"EXAMINE") == 3
