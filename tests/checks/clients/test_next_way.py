"""When a client goes on to its next way to log in, as an operator's own profile may say."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from checks.clients.node import NODE
from checks.clients.profile import ClientProfile, NextWay
from checks.codes import Code
from checks.context import CheckContext
from checks.model import Credential, Endpoint, Protocol
from checks.protocols.login import open_route
from checks.runner import check_endpoint, check_mailbox
from tests.checks.helpers import LOOPBACK, SECRET, USER
from tests.servers.behaviours import imap_script, smtp_script
from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import Behaviour
from tests.servers.hostile import HostileServer

NEVER, MECHANISM, REFUSAL = NextWay.NEVER, NextWay.MECHANISM, NextWay.REFUSAL
MAILBOXES = 3


def own(when: NextWay) -> ClientProfile:
    """PLAIN first, then LOGIN, in both protocols."""
    imap = replace(NODE.imap, ways=("AUTH=PLAIN", "LOGIN"), next_way=when, sasl_ir=True)
    return replace(NODE, name="own", imap=imap, smtp=replace(NODE.smtp, next_mechanism=when))


def imap(plain: str) -> Behaviour:
    return imap_script(("^\\S+ AUTHENTICATE", "{tag} " + plain))


def smtp(plain: str) -> Behaviour:
    return smtp_script(
        ("^AUTH PLAIN", plain),
        ("^AUTH LOGIN$", "334 VXNlcm5hbWU6"),
        ("^c29tZWJvZHl", "334 UGFzc3dvcmQ6"),
        ("^UGxhbnRlZC1z", "235 2.7.0 Accepted"),
        ("^MAIL", "250 Ok"),
        ("^RSET", "250 Ok"),
    )


REFUSED = {"imap": "NO [CANNOT] Unsupported authentication mechanism", "smtp": "504 5.5.4 Unrecognized authentication"}
REJECTED = {"imap": "NO [AUTHENTICATIONFAILED] no", "smtp": "535 5.7.8 Error: authentication failed"}
SERVERS: dict[str, Callable[[str], Behaviour]] = {"imap": imap, "smtp": smtp}


@pytest.mark.parametrize("protocol", [Protocol.IMAP, Protocol.SMTP])
@pytest.mark.parametrize(
    ("answers", "when", "canaries", "codes", "by_plain"),
    [
        # the server does not know the mechanism: learned from the first login, by who goes on
        (REFUSED, NEVER, True, [Code.AUTH_NO_MECHANISM] * MAILBOXES, MAILBOXES),
        (REFUSED, MECHANISM, True, [Code.OK] * MAILBOXES, 1),
        (REFUSED, REFUSAL, True, [Code.OK] * MAILBOXES, 1),
        (REFUSED, MECHANISM, False, [Code.OK] * MAILBOXES, 1),
        # the server rejects the password: one canary tries the other way, for all
        (REJECTED, NEVER, True, [Code.AUTH_REJECTED] * MAILBOXES, MAILBOXES),
        (REJECTED, MECHANISM, True, [Code.AUTH_REJECTED] * MAILBOXES, MAILBOXES),
        (REJECTED, REFUSAL, True, [Code.OK] * MAILBOXES, 1),
    ],
)
def test_when_the_next_way_is_tried(
    protocol: Protocol,
    answers: dict[str, str],
    when: NextWay,
    canaries: bool,
    codes: list[Code],
    by_plain: int,
    leaf: CertificateFiles,
    context: CheckContext,
) -> None:
    asked = replace(context, client=own(when), canaries=canaries)
    with HostileServer(SERVERS[protocol](answers[protocol]), leaf) as server:
        route = open_route(check_endpoint(Endpoint(protocol, LOOPBACK, server.port), asked), asked)
        found = [check_mailbox(route, Credential(USER, SECRET), asked).code for _ in range(MAILBOXES)]
    assert found == codes
    assert server.received.count(b"AUTHENTICATE PLAIN" if protocol is Protocol.IMAP else b"AUTH PLAIN") == by_plain
