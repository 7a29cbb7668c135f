"""The profile `python` is proved: the same servers are asked by imapclient and by us, and the answers agree."""

import ssl
from collections.abc import Callable
from dataclasses import replace

import imapclient
import pytest

from checks.clients.profile import ClientProfile
from checks.clients.python import PYTHON
from checks.codes import Code, verdict_of
from checks.context import CheckContext
from checks.model import Endpoint, LoginResult, Protocol
from checks.runner import check_endpoint, check_mailbox, open_route
from tests.checks.clients import imap_rows, token_rows
from tests.checks.clients.imap_rows import Row, serves
from tests.checks.helpers import LOOPBACK
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.hostile import HostileServer

ROWS = (*imap_rows.ROWS, *token_rows.IMAP)


def ask(row: Row, port: int, context: CheckContext, client: ClientProfile, logins: int = 3) -> list[LoginResult]:
    """What our logins come to: the endpoint is checked, then so many mailboxes log in on one route."""
    own = replace(context, client=client)
    result = check_endpoint(Endpoint(Protocol.IMAP, LOOPBACK, port), own)
    assert result.code is Code.OK
    route = open_route(result, own)
    return [check_mailbox(route, row.credential, own) for _ in range(logins)]


def imapclient_gets_in(row: Row, port: int, ca_pem: str) -> bool:
    """imapclient itself, and the inbox.

    `login`, or `plain_login` where the server forbids the command; for tokens what is offered, `oauth2_login` before
    `oauthbearer_login`, as apps have it.
    """
    context = ssl.create_default_context(cadata=ca_pem)
    try:
        with imapclient.IMAPClient(LOOPBACK, port, ssl_context=context, timeout=3) as client:
            if (way := _way(row, client)) is None:
                return False
            way(row.user, row.secret)
            client.select_folder("INBOX", readonly=True)
    except (imapclient.IMAPClient.Error, UnicodeEncodeError):
        return False
    return True


def _way(row: Row, client: imapclient.IMAPClient) -> Callable[[str, str], object] | None:
    if not row.token:
        return client.plain_login if client.has_capability("LOGINDISABLED") else client.login  # type: ignore[no-any-return]
    if client.has_capability("AUTH=XOAUTH2"):
        return client.oauth2_login  # type: ignore[no-any-return]
    return client.oauthbearer_login if client.has_capability("AUTH=OAUTHBEARER") else None


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_python_meets_what_imapclient_meets(
    row: Row, leaf: CertificateFiles, context: CheckContext, certificates: CertificateLab
) -> None:
    with HostileServer(serves(row), leaf) as server:
        results = ask(row, server.port, context, PYTHON)
        got_in = imapclient_gets_in(row, server.port, certificates.ca_pem)
    assert [(result.code, result.verdict) for result in results] == [(row.python, verdict_of(row.python))] * 3
    assert got_in == (row.python is Code.OK)
