"""Each shipped profile is proved: the same servers are asked by the real client and by us, and the answers agree."""

import ssl
from dataclasses import replace

import imapclient
import pytest

from checks.clients.node import NODE
from checks.clients.profile import ClientProfile
from checks.clients.python import PYTHON
from checks.codes import Code, verdict_of
from checks.context import CheckContext
from checks.model import Credential, Endpoint, LoginResult, Protocol
from checks.runner import check_endpoint, check_mailbox, open_route
from tests.checks.clients.imap_rows import ROWS, Row, serves
from tests.checks.helpers import LOOPBACK
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.hostile import HostileServer


def rows(name: str) -> list[object]:
    return [pytest.param(row, getattr(row, name), id=row.name) for row in ROWS]


def ask(row: Row, port: int, context: CheckContext, client: ClientProfile, logins: int = 3) -> list[LoginResult]:
    """What our logins come to: the endpoint is checked, then so many mailboxes log in on one route."""
    own = replace(context, client=client)
    result = check_endpoint(Endpoint(Protocol.IMAP, LOOPBACK, port), own)
    assert result.code is Code.OK
    route = open_route(result, own)
    return [check_mailbox(route, Credential(row.user, row.secret), own) for _ in range(logins)]


def imapclient_gets_in(row: Row, port: int, ca_pem: str) -> bool:
    """imapclient itself: `login`, or `plain_login` where the server forbids the command, then the inbox."""
    context = ssl.create_default_context(cadata=ca_pem)
    try:
        with imapclient.IMAPClient(LOOPBACK, port, ssl_context=context, timeout=3) as client:
            way = client.plain_login if client.has_capability("LOGINDISABLED") else client.login
            way(row.user, row.secret)
            client.select_folder("INBOX", readonly=True)
    except (imapclient.IMAPClient.Error, UnicodeEncodeError):
        return False
    return True


@pytest.mark.parametrize(("row", "code"), rows("python"))
def test_python_meets_what_imapclient_meets(
    row: Row, code: Code, leaf: CertificateFiles, context: CheckContext, certificates: CertificateLab
) -> None:
    with HostileServer(serves(row), leaf) as server:
        results = ask(row, server.port, context, PYTHON)
        got_in = imapclient_gets_in(row, server.port, certificates.ca_pem)
    assert [(result.code, result.verdict) for result in results] == [(code, verdict_of(code))] * 3
    assert got_in == (code is Code.OK)


@pytest.mark.parametrize(("row", "code"), rows("node"))
def test_node_comes_to_what_its_profile_says(
    row: Row, code: Code, leaf: CertificateFiles, context: CheckContext
) -> None:
    with HostileServer(serves(row), leaf) as server:
        results = ask(row, server.port, context, NODE)
    assert [(result.code, result.verdict) for result in results] == [(code, verdict_of(code))] * 3
