"""A real Exim, asked by smtplib and by us: mechanisms, senders, and a relay that wants no login."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from checks.codes import Code
from checks.context import CheckContext
from checks.model import Authentication, Credential, Endpoint, Protocol, Security
from checks.protocols.login import open_route
from checks.runner import check_endpoint, check_mailbox
from tests.checks.helpers import LOOPBACK
from tests.servers.certificates import CertificateLab
from tests.servers.exim import EximServer
from tests.servers.process import ServerError

ADA, BOB = "ada@lab.example", "bob@lab.example"
USERS = {ADA: "Planted-secret-4711", BOB: "Planted-secret-4712"}


@pytest.fixture(scope="module")
def servers(server_folder: Path, certificates: CertificateLab) -> Iterator[dict[str, EximServer]]:
    """Three of them: as it comes, one that keeps no password in clear, and a relay."""
    leaf = certificates.issue()
    kinds = {"usual": {}, "hashed": {"hashed": True}, "relay": {"relay": True}}
    with ExitStack() as stack:
        try:
            yield {
                name: stack.enter_context(EximServer(server_folder / f"exim-{name}", leaf, USERS, **options))
                for name, options in kinds.items()
            }
        except ServerError as error:
            pytest.skip(str(error))


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
@pytest.mark.parametrize(
    ("kind", "user", "secret", "address", "code"),
    [
        ("usual", ADA, USERS[ADA], ADA, Code.OK),
        ("usual", ADA, "wrong", ADA, Code.AUTH_REJECTED),
        ("usual", ADA, USERS[ADA], BOB, Code.SMTP_SENDER_REFUSED),
        ("usual", ADA, "pässword", ADA, Code.AUTH_UNSENDABLE),
        ("hashed", ADA, USERS[ADA], ADA, Code.OK),
        ("hashed", ADA, "wrong", ADA, Code.AUTH_REJECTED),
        ("hashed", BOB, USERS[BOB], ADA, Code.SMTP_SENDER_REFUSED),
        ("relay", "", "", ADA, Code.OK),
        ("usual", "", "", ADA, Code.SMTP_LOGIN_REQUIRED),
    ],
)
def test_both_come_to_the_same(
    security: Security,
    kind: str,
    user: str,
    secret: str,
    address: str,
    code: Code,
    servers: dict[str, EximServer],
    context: CheckContext,
    certificates: CertificateLab,
) -> None:
    server = servers[kind]
    port = server.tls_port if security is Security.TLS else server.port
    authentication = Authentication.LOGIN if user else Authentication.NONE
    patient = replace(context, deadline_seconds=10.0, login_seconds=10.0, canaries=True)

    checked = check_endpoint(Endpoint(Protocol.SMTP, LOOPBACK, port, security, authentication=authentication), patient)
    assert checked.code is Code.OK, checked.seen
    found = check_mailbox(open_route(checked, patient), Credential(user, secret), patient, address)

    assert found.code is code, found.seen
    assert _smtplib_sends(port, security, user, secret, address, certificates) is (code is Code.OK)


def _smtplib_sends(
    port: int, security: Security, user: str, secret: str, address: str, certificates: CertificateLab
) -> bool:
    trust = ssl.create_default_context(cadata=certificates.ca_pem)
    try:
        plain = security is Security.STARTTLS
        with (
            smtplib.SMTP(LOOPBACK, port, "lab.example", timeout=10)
            if plain
            else smtplib.SMTP_SSL(LOOPBACK, port, "lab.example", timeout=10, context=trust)
        ) as client:
            if plain:
                client.starttls(context=trust)
            if user:
                client.login(user, secret)
            else:
                client.ehlo()
            return client.mail(address)[0] == 250
    except (smtplib.SMTPException, UnicodeEncodeError):
        return False


def test_the_log_has_no_lost_connection(servers: dict[str, EximServer], context: CheckContext) -> None:
    """Given good and bad logins, then each of ours has ended with QUIT."""
    server = servers["usual"]
    patient = replace(context, deadline_seconds=10.0, login_seconds=10.0)
    checked = check_endpoint(Endpoint(Protocol.SMTP, LOOPBACK, server.tls_port, Security.TLS), patient)
    before = len(server.log_lines())
    for secret in (USERS[ADA], "wrong"):
        check_mailbox(open_route(checked, patient), Credential(ADA, secret), patient, ADA)
    lines = server.log_lines()[before:]
    assert not [line for line in lines if "lost" in line or "unexpected" in line]
