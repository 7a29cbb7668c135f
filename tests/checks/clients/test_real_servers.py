"""Real Cyrus, Courier, Dovecot and Postfix: whoever of the clients gets in, so do we as that one."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from checks.clients.node import NODE
from checks.clients.profile import ClientProfile
from checks.clients.python import PYTHON
from checks.codes import Code
from checks.context import CheckContext
from checks.model import Credential, Endpoint, Protocol, Security
from checks.protocols.login import open_route
from checks.runner import check_endpoint, check_mailbox
from tests.checks.clients.asking import Found, Login, ask_all
from tests.checks.helpers import LOOPBACK, route_to, trusting
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.courier import CourierServer
from tests.servers.cyrus import CyrusServer
from tests.servers.lab import MailLab
from tests.servers.process import ServerError
from tests.servers.receivers import wait_until

ADA, EVE, TOM, LOST = (f"{name}@lab.example" for name in ("ada", "eve", "tom", "lost"))
USERS = {ADA: "Planted-secret-4711", EVE: "pässword", TOM: "right", LOST: "right"}
ImapServer = CourierServer | CyrusServer
STARTS: Mapping[str, Callable[[Path, CertificateFiles], ImapServer]] = {
    "courier": lambda folder, leaf: CourierServer(folder, leaf, USERS, homeless={LOST}),
    "cyrus": lambda folder, leaf: CyrusServer(folder, leaf, USERS),
}
TLS, STARTTLS = Security.TLS, Security.STARTTLS
NO_NODE = "Node's mail clients are not installed: run make node-clients"


@dataclass(frozen=True, slots=True)
class Row:
    """A login, and what it comes to as `python` and as `node`."""

    user: str
    secret: str = field(repr=False)
    security: Security
    python: Code
    node: Code


ROWS = (
    Row(ADA, USERS[ADA], TLS, Code.OK, Code.OK),
    Row(ADA, USERS[ADA], STARTTLS, Code.OK, Code.OK),
    Row(EVE, USERS[EVE], TLS, Code.AUTH_UNSENDABLE, Code.OK),
    Row(TOM, "wrong", TLS, Code.AUTH_REJECTED, Code.AUTH_REJECTED),
    Row(TOM, "wrong", STARTTLS, Code.AUTH_REJECTED, Code.AUTH_REJECTED),
    Row("nobody@lab.example", "wrong", TLS, Code.AUTH_REJECTED, Code.AUTH_REJECTED),
    Row(LOST, USERS[LOST], TLS, Code.MAILBOX_BROKEN, Code.MAILBOX_BROKEN),
)


@pytest.fixture(scope="module", params=tuple(STARTS))
def server(request: pytest.FixtureRequest, server_folder: Path, certificates: CertificateLab) -> Iterator[ImapServer]:
    try:
        server = STARTS[request.param](server_folder / request.param, certificates.issue())
    except ServerError as error:
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture(scope="module")
def found(server: ImapServer, certificates: CertificateLab, context: CheckContext) -> Mapping[Row, Found]:
    """All rows of one server, asked at once."""
    rows = [row for row in ROWS if isinstance(server, CourierServer) or row.user != LOST]
    logins = [
        Login(
            Protocol.IMAP, server.tls_port if row.security is TLS else server.port, row.security, row.user, row.secret
        )
        for row in rows
    ]
    return dict(zip(rows, ask_all(logins, context, certificates), strict=True))


def test_imapclient_and_we_come_to_the_same(found: Mapping[Row, Found]) -> None:
    assert {row: item.python for row, item in found.items()} == {row: row.python for row in found}
    assert {row: item.libraries for row, item in found.items()} == {row: row.python is Code.OK for row in found}


def test_imapflow_and_we_come_to_the_same(found: Mapping[Row, Found]) -> None:
    assert {row: item.node for row, item in found.items()} == {row: row.node for row in found}
    said = {row: item.of_node for row, item in found.items() if item.of_node}
    if not said:
        pytest.skip(NO_NODE)
    assert {row: answer.works for row, answer in said.items()} == {row: row.node is Code.OK for row in found}, said


@pytest.mark.parametrize("server", ["cyrus"], indirect=True)
def test_a_login_at_cyrus_creates_the_mailbox(server: CyrusServer, found: Mapping[Row, Found]) -> None:
    """Given Debian's settings and users without mailboxes, then those who got in have one, and nobody else."""
    got_in = {row.user for row, item in found.items() if item.node is Code.OK}
    assert got_in == {ADA, EVE}
    assert server.mailboxes() == len(got_in)


@pytest.mark.parametrize("server", ["cyrus"], indirect=True)
def test_the_log_of_cyrus(server: CyrusServer, context: CheckContext) -> None:
    """Given a login, then it is one, it reads the inbox, and it ends with LOGOUT."""

    def commands() -> Counter[str]:
        text = "".join(server.sessions(ADA))
        return Counter({command: len(re.findall(rf"MP\d+ {command}", text)) for command in ("EXAMINE", "LOGOUT")})

    before = commands()
    assert _log_in(server, ADA, USERS[ADA], context) is Code.OK
    wait_until(lambda: commands()["LOGOUT"] > before["LOGOUT"])  # it is sent and not waited for
    assert commands() - before == {"EXAMINE": 1, "LOGOUT": 1}


@pytest.mark.parametrize("server", ["courier"], indirect=True)
def test_the_log_of_courier(server: CourierServer, context: CheckContext) -> None:
    """Given a right and a wrong password, then each was sent once, and who was rejected has left with LOGOUT."""
    before = len(server.log_lines())
    found = [_log_in(server, user, secret, context) for user, secret in ((ADA, USERS[ADA]), (TOM, "wrong"))]
    assert found == [Code.OK, Code.AUTH_REJECTED]
    logged_in, rejected = (server.clients(event, before) for event in ("LOGIN", "LOGIN FAILED"))
    assert (len(logged_in), len(rejected)) == (1, 1)
    wait_until(lambda: set(rejected) <= set(server.clients("LOGOUT", before)))


def _log_in(server: ImapServer, user: str, secret: str, context: CheckContext) -> Code:
    """Without a check of the endpoint before it, which would be in the log too."""
    patient = replace(context, login_seconds=20.0)
    return check_mailbox(route_to(server.tls_port, context), Credential(user, secret), patient).code


@pytest.mark.parametrize("server", ["cyrus"], indirect=True)
@pytest.mark.parametrize("client", [PYTHON, NODE], ids=["python", "node"])
def test_shortcuts_at_cyrus(client: ClientProfile, server: CyrusServer, context: CheckContext) -> None:
    """Given a server that takes an EXAMINE sent along for a part of the login, then no mailbox waits for it."""
    own = replace(context, client=client, login_seconds=20.0, deadline_seconds=20.0)
    route = open_route(check_endpoint(Endpoint(Protocol.IMAP, LOOPBACK, server.tls_port), own), own)
    results = [check_mailbox(route, Credential(ADA, USERS[ADA]), own) for _ in range(6)]
    assert [result.code for result in results] == [Code.OK] * 6
    assert max(result.ms for result in results) < 4_000


def test_dovecot_and_postfix(lab: MailLab) -> None:
    """Given right and wrong passwords over TLS and STARTTLS, then all four clients agree."""
    user, password = next(iter(lab.users.items()))
    ports = {
        (Protocol.IMAP, TLS): lab.dovecot.imaps_port,
        (Protocol.IMAP, STARTTLS): lab.dovecot.imap_port,
        (Protocol.SMTP, TLS): lab.postfix.smtps_port,
        (Protocol.SMTP, STARTTLS): lab.postfix.submission_port,
    }
    secrets = {password: (Code.OK, Code.OK), "wrong": (Code.AUTH_REJECTED, Code.AUTH_REJECTED)}
    secrets["pässword"] = (Code.AUTH_UNSENDABLE, Code.AUTH_REJECTED)
    logins = [
        Login(protocol, port, security, user, secret, user)
        for (protocol, security), port in ports.items()
        for secret in secrets
    ]
    results = ask_all(logins, trusting(lab.certificates), lab.certificates)
    wanted = [secrets[login.secret] for login in logins]
    assert [(found.python, found.node) for found in results] == wanted
    assert [found.libraries for found in results] == [python is Code.OK for python, _ in wanted]
    if results[0].of_node is None:
        pytest.skip(NO_NODE)
    assert [found.of_node and found.of_node.works for found in results] == [node is Code.OK for _, node in wanted]
