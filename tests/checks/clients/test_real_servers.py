"""Real Cyrus and Courier: imapclient, imapflow and we as either of them, asked at once; whoever gets in, all do."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import imapclient
import pytest

from checks.clients.selection import SHIPPED
from checks.codes import Code
from checks.context import CheckContext
from checks.model import Credential, Endpoint, LoginResult, Protocol, Security
from checks.protocols.login import open_route
from checks.runner import check_endpoint, check_mailbox
from tests.checks.clients.node_clients import Answer, Question, ask
from tests.checks.helpers import LOOPBACK
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.courier import CourierServer
from tests.servers.cyrus import CyrusServer
from tests.servers.process import ServerError

ADA, EVE, TOM, LOST = (f"{name}@lab.example" for name in ("ada", "eve", "tom", "lost"))
USERS = {ADA: "Planted-secret-4711", EVE: "pässword", TOM: "right", LOST: "right"}
ImapServer = CourierServer | CyrusServer
STARTS: Mapping[str, Callable[[Path, CertificateFiles], ImapServer]] = {
    "courier": lambda folder, leaf: CourierServer(folder, leaf, USERS, homeless={LOST}),
    "cyrus": lambda folder, leaf: CyrusServer(folder, leaf, USERS),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A login, and what it comes to as `python` and as `node`."""

    user: str
    secret: str = field(repr=False)
    security: Security
    python: Code
    node: Code


ROWS = (
    Row(ADA, USERS[ADA], Security.TLS, Code.OK, Code.OK),
    Row(ADA, USERS[ADA], Security.STARTTLS, Code.OK, Code.OK),
    Row(EVE, USERS[EVE], Security.TLS, Code.AUTH_UNSENDABLE, Code.OK),
    Row(TOM, "wrong", Security.TLS, Code.AUTH_REJECTED, Code.AUTH_REJECTED),
    Row(TOM, "wrong", Security.STARTTLS, Code.AUTH_REJECTED, Code.AUTH_REJECTED),
    Row("nobody@lab.example", "wrong", Security.TLS, Code.AUTH_REJECTED, Code.AUTH_REJECTED),
    Row(LOST, USERS[LOST], Security.TLS, Code.MAILBOX_BROKEN, Code.MAILBOX_BROKEN),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a row came to: ours by the profile's name, and the libraries'. `imapflow` is None where it cannot be had."""

    ours: Mapping[str, LoginResult]
    imapclient: bool
    imapflow: Answer | None


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
    """All rows of one server, asked at once: it takes seconds to reject a password."""
    rows = [row for row in ROWS if isinstance(server, CourierServer) or row.user != LOST]
    return _ask_all(rows, server, replace(context, login_seconds=20.0, deadline_seconds=20.0), certificates)


def _ask_all(
    rows: list[Row], server: ImapServer, context: CheckContext, certificates: CertificateLab
) -> Mapping[Row, Found]:
    with ThreadPoolExecutor(20) as pool:
        flow = pool.submit(_imapflow, rows, server, certificates)
        theirs = {row: pool.submit(_imapclient, row, server, certificates) for row in rows}
        ours: dict[Row, dict[str, Future[LoginResult]]] = {
            row: {
                name: pool.submit(_ours, row, server, replace(context, client=client))
                for name, client in SHIPPED.items()
            }
            for row in rows
        }
        return {
            row: Found({name: job.result() for name, job in ours[row].items()}, theirs[row].result(), answer)
            for row, answer in zip(rows, flow.result(), strict=True)
        }


def _port(row: Row, server: ImapServer) -> int:
    return server.tls_port if row.security is Security.TLS else server.port


def _ours(row: Row, server: ImapServer, context: CheckContext) -> LoginResult:
    checked = check_endpoint(Endpoint(Protocol.IMAP, LOOPBACK, _port(row, server), row.security), context)
    assert checked.code is Code.OK, checked.seen
    return check_mailbox(open_route(checked, context), Credential(row.user, row.secret), context)


def _imapclient(row: Row, server: ImapServer, certificates: CertificateLab) -> bool:
    trust = ssl.create_default_context(cadata=certificates.ca_pem)
    implicit = row.security is Security.TLS
    try:
        with imapclient.IMAPClient(
            LOOPBACK, _port(row, server), ssl=implicit, ssl_context=trust if implicit else None, timeout=20
        ) as client:
            if not implicit:
                client.starttls(trust)
            client.login(row.user, row.secret)
            client.select_folder("INBOX", readonly=True)
    except (imapclient.IMAPClient.Error, UnicodeEncodeError):
        return False
    return True


def _imapflow(rows: list[Row], server: ImapServer, certificates: CertificateLab) -> list[Answer | None]:
    questions = [
        Question("imap", _port(row, server), row.user, row.secret, tls=row.security is Security.TLS) for row in rows
    ]
    try:
        return list(ask(questions, certificates.ca_file))
    except ServerError:
        return [None] * len(rows)


def test_imapclient_and_we_come_to_the_same(found: Mapping[Row, Found]) -> None:
    assert {row: item.ours["python"].code for row, item in found.items()} == {row: row.python for row in found}
    assert {row: item.imapclient for row, item in found.items()} == {row: row.python is Code.OK for row in found}


def test_imapflow_and_we_come_to_the_same(found: Mapping[Row, Found]) -> None:
    assert {row: item.ours["node"].code for row, item in found.items()} == {row: row.node for row in found}
    said = {row: item.imapflow for row, item in found.items() if item.imapflow}
    if not said:
        pytest.skip("Node's mail clients are not installed: run make node-clients")
    assert {row: answer.works for row, answer in said.items()} == {row: row.node is Code.OK for row in found}, said


@pytest.mark.parametrize("server", ["cyrus"], indirect=True)
def test_a_login_at_cyrus_creates_the_mailbox(server: CyrusServer, found: Mapping[Row, Found]) -> None:
    """Given Debian's settings and users without mailboxes, then those who got in have one, and nobody else."""
    got_in = {row.user for row, item in found.items() if item.ours["node"].code is Code.OK}
    assert got_in == {ADA, EVE}
    assert server.mailboxes() == len(got_in)
