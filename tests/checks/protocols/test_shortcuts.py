"""Shortcuts have a way back: whatever a server makes of them, each mailbox gets its answer, and soon."""

import itertools
import ssl
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from checks.clients.node import NODE
from checks.codes import Code
from checks.context import CheckContext
from checks.model import Credential, Protocol
from checks.runner import check_mailbox
from tests.checks.helpers import SECRET, USER, briefly, route_to
from tests.servers.behaviours import imap_script, smtp_script
from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import Behaviour, Conversation, server_context
from tests.servers.hostile import HostileServer
from tests.servers.resumption import REFUSALS, RefusesResumption

MAILBOXES = 12


def codes(behaviour: Behaviour, leaf: CertificateFiles, context: CheckContext, protocol: Protocol) -> list[Code]:
    with HostileServer(behaviour, leaf) as server:
        route = route_to(server.port, context, protocol)
        return [check_mailbox(route, Credential(USER, SECRET), context).code for _ in range(MAILBOXES)]


def cyrus(answer: str | None) -> Callable[[Conversation], None]:
    """Takes what comes in one piece with AUTHENTICATE for a part of it (Cyrus IMAP 3.6), and answers or closes."""

    def behave(conversation: Conversation) -> None:
        conversation.start_tls()
        conversation.send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n")
        while True:
            tag, _, rest = conversation.line().partition(" ")
            if rest.startswith("AUTHENTICATE") and b"EXAMINE" in conversation.waiting:
                conversation.line()
                if answer is None:
                    return
                conversation.send(answer.replace("{tag}", tag))
            else:
                conversation.send(f"{tag} OK done\r\n")

    return behave


def test_examine_that_is_swallowed_with_the_next_line(leaf: CertificateFiles, context: CheckContext) -> None:
    """Given a server that takes the login, and the next two lines for a part of it, as Cyrus IMAP does."""

    def behave(conversation: Conversation) -> None:
        conversation.start_tls()
        conversation.send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n")
        while True:
            tag, _, rest = conversation.line().partition(" ")
            conversation.send(f"{tag} OK done\r\n")
            if rest.startswith("AUTHENTICATE") and conversation.waiting:
                conversation.line(), conversation.line()
                conversation.send(f"{tag} BAD Unexpected extra arguments to Authenticate\r\n")

    found = codes(behave, leaf, replace(context, client=NODE), Protocol.IMAP)
    assert found == [Code.OK] * MAILBOXES


@pytest.mark.parametrize(
    "answer", ["{tag} BAD Unexpected extra arguments to Authenticate\r\n", "{tag} NO unsupported mechanism\r\n", None]
)
def test_examine_that_is_read_as_a_part_of_the_login(
    answer: str | None, leaf: CertificateFiles, context: CheckContext
) -> None:
    node = replace(context, client=NODE)
    assert codes(cyrus(answer), leaf, node, Protocol.IMAP) == [Code.OK] * MAILBOXES


@pytest.mark.parametrize("protocol", [Protocol.SMTP, Protocol.IMAP])
def test_refused_resumption(protocol: Protocol, leaf: CertificateFiles, context: CheckContext) -> None:
    """Given a server that ends whatever resumes its session, in the handshake's place of the greeting."""
    script = smtp_script() if protocol is Protocol.SMTP else imap_script()
    shared = server_context(leaf)  # one context for all: else nothing resumes
    shared.maximum_version = ssl.TLSVersion.TLSv1_2
    resumed = itertools.count()

    def behave(conversation: Conversation) -> None:
        conversation.start_tls(context=shared)
        if conversation.resumed:
            next(resumed)
            return
        replace(script, tls=None)(conversation)

    assert codes(behave, leaf, context, protocol) == [Code.OK] * MAILBOXES
    assert next(resumed) == 1, "it was tried, once"


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("protocol", [Protocol.SMTP, Protocol.IMAP])
def test_resumption_refused_in_the_handshake(
    refusal: str, protocol: Protocol, leaf: CertificateFiles, context: CheckContext
) -> None:
    """Given a server that takes no ticket back, then it was tried, once, and each mailbox got its answer."""
    behave = RefusesResumption(smtp_script() if protocol is Protocol.SMTP else imap_script(), leaf, refusal)
    assert codes(behave, leaf, context, protocol) == [Code.OK] * MAILBOXES
    assert behave.refused == 1


@pytest.mark.parametrize("when", ["inline", "ahead"])
def test_silence_after_a_shortcut(when: str, leaf: CertificateFiles, context: CheckContext) -> None:
    """Given a server that is struck dumb by a shortcut, then one mailbox waits, within its deadline, and no other."""
    begun = time.monotonic()
    found = codes(dumbfounded(when), leaf, replace(briefly(context), client=NODE), Protocol.IMAP)
    assert found == [Code.OK] * MAILBOXES
    assert time.monotonic() - begun < 3.0


def dumbfounded(when: str) -> Behaviour:
    """Says nothing more after the first response in the line of AUTHENTICATE, or after an EXAMINE sent along."""

    def behave(conversation: Conversation) -> None:
        conversation.start_tls()
        conversation.send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n")
        tag = ""
        while True:
            first, _, rest = conversation.line().partition(" ")
            tag = first if rest else tag  # what answers "+" has none of its own
            if rest.startswith("AUTHENTICATE PLAIN ") and (when == "inline" or conversation.waiting):
                conversation.hang()
            conversation.send("+ \r\n" if rest == "AUTHENTICATE PLAIN" else f"{tag} OK done\r\n")

    return behave


@pytest.mark.parametrize("protocol", [Protocol.SMTP, Protocol.IMAP])
def test_clear_text_where_tls_was_before(protocol: Protocol, leaf: CertificateFiles, context: CheckContext) -> None:
    """Given a server that has had enough of us after three logins and says so in clear text, then that is what is told.

    One connection more finds it out, and none of the others.
    """
    script = smtp_script() if protocol is Protocol.SMTP else imap_script()
    words = {Protocol.SMTP: "421 4.7.0 Too many connections\r\n", Protocol.IMAP: "* BYE Too many connections\r\n"}
    come = itertools.count(1)

    def behave(conversation: Conversation) -> None:
        if next(come) > 3:
            conversation.send(words[protocol])
        else:
            script(conversation)

    found = codes(behave, leaf, context, protocol)
    assert found == [Code.OK] * 3 + [Code.SERVER_TOO_MANY_CONNECTIONS] * (MAILBOXES - 3)
    assert next(come) - 1 <= MAILBOXES + 2, "the session is given up, and the haste"


def test_a_session_that_is_never_resumed(leaf: CertificateFiles, context: CheckContext) -> None:
    """Given a server that makes a session for each connection and takes none back, as Dovecot does."""
    with HostileServer(imap_script(), leaf) as server:  # a context, and with it the keys of its tickets, for each
        route = route_to(server.port, context, Protocol.IMAP)
        found = [check_mailbox(route, Credential(USER, SECRET), context).code for _ in range(MAILBOXES)]
        assert found == [Code.OK] * MAILBOXES
        assert (server.connections, route.in_vain, route.habits.resume) == (MAILBOXES, 3, False)
