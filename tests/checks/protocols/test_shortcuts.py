"""Shortcuts have a way back: whatever a server makes of them, each mailbox gets its answer, and soon."""

import itertools
import ssl
from collections.abc import Callable
from dataclasses import replace

import pytest

from checks.clients.node import NODE
from checks.codes import Code
from checks.context import CheckContext
from checks.model import Credential, Protocol
from checks.runner import check_mailbox
from tests.checks.helpers import SECRET, USER, route_to
from tests.servers.behaviours import imap_script, smtp_script
from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import Behaviour, Conversation, server_context
from tests.servers.hostile import HostileServer

MAILBOXES = 6


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
            if rest.startswith("AUTHENTICATE") and b"EXAMINE" in conversation._buffer:  # noqa: SLF001 - what lies there
                conversation.line()
                if answer is None:
                    return
                conversation.send(answer.replace("{tag}", tag))
            else:
                conversation.send(f"{tag} OK done\r\n")

    return behave


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
    shared = server_context(leaf)
    shared.maximum_version = ssl.TLSVersion.TLSv1_2
    resumed = itertools.count()

    def behave(conversation: Conversation) -> None:
        conversation._socket = shared.wrap_socket(conversation._socket, server_side=True)  # noqa: SLF001 - one context for all: else nothing resumes
        assert isinstance(conversation._socket, ssl.SSLSocket)  # noqa: SLF001 - as above
        if conversation._socket.session_reused:  # noqa: SLF001 - as above
            next(resumed)
            return
        replace(script, tls=None)(conversation)

    assert codes(behave, leaf, context, protocol) == [Code.OK] * MAILBOXES
    assert next(resumed) == 1, "it was tried, once"
