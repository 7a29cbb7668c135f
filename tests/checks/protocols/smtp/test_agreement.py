"""Scripted servers asked by Python's smtplib itself and by a canary of ours: both come in, or neither does."""

import smtplib
import ssl
from dataclasses import replace

import pytest

from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import Authentication, Endpoint, LoginResult, Protocol, Security
from checks.protocols.login import open_route
from checks.runner import check_endpoint, check_mailbox
from tests.checks.clients import smtp_rows, token_rows
from tests.checks.clients.asking import token_response
from tests.checks.clients.smtp_rows import Row
from tests.checks.helpers import LOOPBACK
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.hostile import HostileServer

ROWS = (*smtp_rows.ROWS, *token_rows.SMTP)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_both_come_to_the_same(
    row: Row, leaf: CertificateFiles, context: CheckContext, certificates: CertificateLab
) -> None:
    with HostileServer(row.script, leaf) as hostile:
        theirs = _smtplib_sends(hostile.port, row, certificates)
        ours = a_canary_sends(hostile.port, row, context)
    assert (ours, theirs) == ((row.python, verdict_of(row.python)), row.python is Code.OK or row.believed)


def a_canary_sends(port: int, row: Row, context: CheckContext) -> tuple[Code, Verdict]:
    """What one login of ours comes to, and what is said of the mailbox; of the endpoint where that settles it."""
    wanted = Authentication.LOGIN if row.login else Authentication.NONE
    own = replace(context, canaries=True)
    checked = check_endpoint(Endpoint(Protocol.SMTP, LOOPBACK, port, Security.TLS, authentication=wanted), own)
    if checked.code is not Code.OK:
        return checked.code, checked.verdict
    found: LoginResult = check_mailbox(open_route(checked, own), row.credential, own, row.address)
    return found.code, found.verdict


def _smtplib_sends(port: int, row: Row, certificates: CertificateLab) -> bool:
    trust = ssl.create_default_context(cadata=certificates.ca_pem)
    try:
        with smtplib.SMTP_SSL(LOOPBACK, port, "lab.example", timeout=5, context=trust) as client:
            if row.token and not _by_token(client, row):
                return False
            if row.login and not row.token:
                client.login(row.user, row.secret)
            elif not row.token:
                client.ehlo()
            return client.mail(row.address)[0] == 250
    except (smtplib.SMTPException, UnicodeEncodeError):
        return False


def _by_token(client: smtplib.SMTP, row: Row) -> bool:
    """`SMTP.auth` as apps call it, with what is offered. Whether there is anything."""
    client.ehlo()
    offered = client.esmtp_features.get("auth", "").split()
    mechanism = next((name for name in ("XOAUTH2", "OAUTHBEARER") if name in offered), None)
    if mechanism is None:
        return False
    client.auth(mechanism, lambda _=None: token_response(mechanism, row.user, row.secret))
    return True
