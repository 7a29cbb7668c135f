"""A real Exim, asked by smtplib, nodemailer and us as either: mechanisms, senders, and a relay that wants no login."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from checks.clients.profile import TokenMechanism
from checks.codes import Code
from checks.context import CheckContext
from checks.model import Credential, Endpoint, Protocol, Security
from checks.protocols.login import open_route
from checks.runner import check_endpoint, check_mailbox
from tests.checks.clients.asking import Found, Login, ask_all
from tests.checks.helpers import LOOPBACK
from tests.servers.certificates import CertificateLab
from tests.servers.exim import EximServer
from tests.servers.process import ServerError

ADA, BOB = "ada@lab.example", "bob@lab.example"
TOKENS = {"Planted-token-4711": ADA, "Planted-token-4712": BOB}
OF_ADA, OF_BOB = TOKENS
USERS = {ADA: "Planted-secret-4711", BOB: "Planted-secret-4712"}


@pytest.fixture(scope="module")
def servers(server_folder: Path, certificates: CertificateLab) -> Iterator[dict[str, EximServer]]:
    """One that takes access tokens too, one that keeps no password in clear, a relay, and one that forbids AUTH."""
    leaf = certificates.issue()
    kinds: dict[str, dict[str, Any]] = {
        "usual": {"tokens": TOKENS},
        "hashed": {"hashed": True},
        "relay": {"relay": True},
        "forbids": {"forbids": "no logins from here"},
    }
    try:
        made = {
            name: EximServer(server_folder / f"exim-{name}", leaf, USERS, **options) for name, options in kinds.items()
        }
    except ServerError as error:
        pytest.skip(str(error))
    with ExitStack() as stack:
        yield {name: stack.enter_context(server) for name, server in made.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of server, a login there, and what it comes to as `python` and as `node`.

    `token`: the secret is one, and which mechanism smtplib is told to use; nodemailer always sends XOAUTH2.
    """

    kind: str
    user: str
    secret: str = field(repr=False)
    address: str
    python: Code
    node: Code
    token: TokenMechanism | None = None


REFUSED, REJECTED, NO_TOKEN = Code.SMTP_SENDER_REFUSED, Code.AUTH_REJECTED, Code.AUTH_TOKEN_REJECTED
ROWS = (
    Row("usual", ADA, USERS[ADA], ADA, Code.OK, Code.OK),
    Row("usual", ADA, "wrong", ADA, REJECTED, REJECTED),
    Row("usual", ADA, USERS[ADA], BOB, REFUSED, REFUSED),
    Row("usual", ADA, "pässword", ADA, Code.AUTH_UNSENDABLE, REJECTED),
    Row("hashed", ADA, USERS[ADA], ADA, Code.OK, Code.OK),
    Row("hashed", ADA, "wrong", ADA, REJECTED, REJECTED),
    Row("hashed", BOB, USERS[BOB], ADA, REFUSED, REFUSED),
    Row("relay", "", "", ADA, Code.OK, Code.OK),
    Row("usual", ADA, OF_ADA, ADA, Code.OK, Code.OK, "XOAUTH2"),
    Row("usual", ADA, OF_BOB, ADA, NO_TOKEN, NO_TOKEN, "XOAUTH2"),
    Row("usual", ADA, "Planted-token-expired", ADA, NO_TOKEN, NO_TOKEN, "OAUTHBEARER"),
    Row("usual", BOB, OF_BOB, ADA, REFUSED, REFUSED, "OAUTHBEARER"),
    Row("forbids", ADA, USERS[ADA], ADA, Code.AUTH_NOT_OFFERED, Code.PROTOCOL_ERROR),
    Row("usual", "", "", ADA, Code.SMTP_LOGIN_REQUIRED, Code.SMTP_LOGIN_REQUIRED),
)


@pytest.fixture(scope="module", params=[Security.TLS, Security.STARTTLS])
def found(
    request: pytest.FixtureRequest,
    servers: dict[str, EximServer],
    context: CheckContext,
    certificates: CertificateLab,
) -> list[Found]:
    """All rows, asked at once."""
    security: Security = request.param
    logins = [
        Login(Protocol.SMTP, _port(servers[row.kind], security), security, row.user, row.secret, row.address, row.token)
        for row in ROWS
    ]
    return ask_all(logins, replace(context, canaries=True), certificates)


def _port(server: EximServer, security: Security) -> int:
    return server.tls_port if security is Security.TLS else server.port


def test_smtplib_and_we_come_to_the_same(found: list[Found]) -> None:
    assert [item.python for item in found] == [row.python for row in ROWS]
    assert [item.libraries for item in found] == [row.python is Code.OK for row in ROWS]


def test_nodemailer_and_we_come_to_the_same(found: list[Found]) -> None:
    assert [item.node for item in found] == [row.node for row in ROWS]
    said = [item.of_node for item in found if item.of_node]
    if not said:
        pytest.skip("Node's mail clients are not installed: run make node-clients")
    assert [answer.works for answer in said] == [row.node is Code.OK for row in ROWS], said


def test_the_log_has_no_lost_connection(servers: dict[str, EximServer], context: CheckContext) -> None:
    """Given good and bad logins, then each of ours has sent one AUTH, and ended with QUIT."""
    server = servers["usual"]
    patient = replace(context, deadline_seconds=10.0, login_seconds=10.0)
    checked = check_endpoint(Endpoint(Protocol.SMTP, LOOPBACK, server.tls_port, Security.TLS), patient)
    before = len(server.log_lines())
    for secret in (USERS[ADA], "wrong"):
        check_mailbox(open_route(checked, patient), Credential(ADA, secret), patient, ADA)
    lines = server.log_lines()[before:]
    assert not [line for line in lines if "lost" in line or "unexpected" in line]
    assert sum("closed by QUIT" in line for line in lines) == 2
    assert sum("C=EHLO,AUTH,QUIT" in line for line in lines) == 2
    assert sum("authenticator failed" in line for line in lines) == 1
