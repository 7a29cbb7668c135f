"""A real Dovecot that takes access tokens, and a Postfix that asks it: whoever of the clients gets in, so do we."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from checks.clients.profile import TokenMechanism
from checks.codes import Code
from checks.model import Protocol, Security
from tests.checks.clients.asking import Found, Login, ask_all
from tests.checks.clients.test_real_servers import NO_NODE
from tests.checks.helpers import trusting
from tests.servers.dovecot import DovecotOptions
from tests.servers.introspection import Introspection
from tests.servers.lab import MailLab, mail_lab
from tests.servers.process import ServerError, scratch_folder

ADA, BOB = "user000@lab.example", "user001@lab.example"
TOKENS = {"Planted-token-4711": ADA, "Planted-token-4712": BOB}
OF_ADA, OF_BOB = TOKENS
TLS, STARTTLS = Security.TLS, Security.STARTTLS


@dataclass(frozen=True, slots=True)
class Row:
    """A token, the mechanism that Python's libraries are told, and what it comes to, the same for all clients."""

    protocol: Protocol
    security: Security
    mechanism: TokenMechanism
    token: str = field(repr=False)
    code: Code


CASES: tuple[tuple[Security, TokenMechanism, str, Code], ...] = (
    (TLS, "XOAUTH2", OF_ADA, Code.OK),
    (STARTTLS, "OAUTHBEARER", OF_ADA, Code.OK),
    (TLS, "XOAUTH2", "Planted-token-expired", Code.AUTH_TOKEN_REJECTED),
    (TLS, "OAUTHBEARER", OF_BOB, Code.AUTH_TOKEN_REJECTED),
)
ROWS = tuple(Row(protocol, *case) for protocol in (Protocol.IMAP, Protocol.SMTP) for case in CASES)


@pytest.fixture(scope="module")
def lab() -> Iterator[MailLab]:
    try:
        with (
            scratch_folder() as folder,
            Introspection(TOKENS) as introspection,
            mail_lab(folder, users=2, options=DovecotOptions(introspection=introspection.url)) as lab,
        ):
            yield lab
    except ServerError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def found(lab: MailLab) -> list[Found]:
    """All rows, asked at once."""
    ports = {
        (Protocol.IMAP, TLS): lab.dovecot.imaps_port,
        (Protocol.IMAP, STARTTLS): lab.dovecot.imap_port,
        (Protocol.SMTP, TLS): lab.postfix.smtps_port,
        (Protocol.SMTP, STARTTLS): lab.postfix.submission_port,
    }
    logins = [
        Login(row.protocol, ports[row.protocol, row.security], row.security, ADA, row.token, ADA, row.mechanism)
        for row in ROWS
    ]
    return ask_all(logins, trusting(lab.certificates), lab.certificates)


def test_pythons_libraries_and_we_come_to_the_same(found: list[Found]) -> None:
    assert [item.python for item in found] == [row.code for row in ROWS]
    assert [item.libraries for item in found] == [row.code is Code.OK for row in ROWS]


def test_nodes_libraries_and_we_come_to_the_same(found: list[Found]) -> None:
    assert [item.node for item in found] == [row.code for row in ROWS]
    said = [item.of_node for item in found if item.of_node]
    if not said:
        pytest.skip(NO_NODE)
    assert [answer.works for answer in said] == [row.code is Code.OK for row in ROWS], said
