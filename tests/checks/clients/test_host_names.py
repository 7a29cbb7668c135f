"""Which hosts a wildcard covers is the client's rule: Python and Node differ, and the verdict follows the profile."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest

from checks.clients.node import NODE
from checks.clients.python import PYTHON
from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.messages import wording
from checks.model import Credential, Endpoint, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.protocols.login import open_route
from checks.runner import check_endpoint
from checks.trust import Trust
from tests.servers.behaviours import imap_script, smtp_script
from tests.servers.certificates import CertificateLab
from tests.servers.hostile import HostileServer
from tests.servers.pki.oracle import lab_names

UNDERSCORE, PIECE, PLAIN, OTHER = "mail_1.lab.example", "mail1.lab.example", "mail.lab.example", "mail.other.example"
CLIENTS = {"python": PYTHON, "node": NODE}
SECRET = "Sesame-4711-open"


@pytest.fixture(autouse=True)
def names() -> Iterator[None]:
    with lab_names(dict.fromkeys((UNDERSCORE, PIECE, PLAIN, OTHER), ("127.0.0.1",))):
        yield


def context_of(client: str, authority: CertificateLab, *, allowed: bool = False) -> CheckContext:
    profile = CLIENTS[client]
    trust = Trust(authority.ca_pem, names=profile.tls.names)
    policy = AddressPolicy(allow_all=True)
    return CheckContext(trust, policy, client=profile, allow_insecure_certificate=allowed)


@pytest.mark.parametrize("protocol", [Protocol.IMAP, Protocol.SMTP])
@pytest.mark.parametrize(
    ("name", "host", "python", "because"),
    [
        ("*.lab.example", UNDERSCORE, Code.TLS_NAME_MISMATCH, "an underscore"),
        ("mail*.lab.example", PIECE, Code.TLS_NAME_MISMATCH, "a piece of it"),
        ("*.lab.example", PLAIN, Code.OK, ""),
        (UNDERSCORE, UNDERSCORE, Code.OK, ""),
    ],
)
def test_python_and_node(
    name: str, host: str, python: Code, because: str, protocol: Protocol, certificates: CertificateLab
) -> None:
    script = imap_script() if protocol is Protocol.IMAP else smtp_script()
    with HostileServer(script, certificates.issue(name)) as server:
        endpoint = Endpoint(protocol, host, server.port, Security.TLS)
        found = {client: check_endpoint(endpoint, context_of(client, certificates)) for client in CLIENTS}
        assert accepted_by_ssl(host, server.port, certificates) is (python is Code.OK)

    assert {client: result.code for client, result in found.items()} == {"python": python, "node": Code.OK}
    if python is not Code.OK:
        assert because in wording(python, found["python"].facts).sentence


@pytest.mark.parametrize("client", CLIENTS)
def test_another_name_is_refused_by_both(client: str, certificates: CertificateLab) -> None:
    with HostileServer("imap", certificates.issue("*.lab.example")) as server:
        endpoint = Endpoint(Protocol.IMAP, OTHER, server.port, Security.TLS)
        found = check_endpoint(endpoint, context_of(client, certificates))
        allowed = check_endpoint(endpoint, context_of(client, certificates, allowed=True))
    assert (found.verdict, found.code) == (Verdict.FAIL, Code.TLS_NAME_MISMATCH)
    assert "because" not in found.facts
    assert (allowed.verdict, allowed.insecure) == (Verdict.OK, True)


@pytest.mark.parametrize("client", CLIENTS)
def test_no_password_goes_to_a_server_that_has_another_name_by_now(client: str, certificates: CertificateLab) -> None:
    context = context_of(client, certificates)
    with HostileServer("imap", certificates.issue(PLAIN)) as right:
        passed = check_endpoint(Endpoint(Protocol.IMAP, PLAIN, right.port, Security.TLS), context)
    with HostileServer("imap", certificates.issue(OTHER)) as server:
        endpoint = Endpoint(Protocol.IMAP, PLAIN, server.port, Security.TLS)
        met = open_route(replace(passed, endpoint=endpoint), context).log_in(Credential("ada", SECRET), context)
        received = server.received
    assert met.verdict is Verdict.INCONCLUSIVE
    assert met.code.startswith("tls.")
    assert b"LOGIN" not in received
    assert SECRET.encode() not in received


@pytest.mark.parametrize("client", CLIENTS)
def test_who_passed_the_check_logs_in(client: str, certificates: CertificateLab) -> None:
    context = context_of(client, certificates)
    with HostileServer("imap", certificates.issue("*.lab.example")) as server:
        passed = check_endpoint(Endpoint(Protocol.IMAP, PLAIN, server.port, Security.TLS), context)
        route = open_route(passed, context)
        met = [route.log_in(Credential("ada", SECRET), context).code for _ in range(2)]  # the second resumes
    assert met == [Code.OK, Code.OK]


def accepted_by_ssl(host: str, port: int, authority: CertificateLab) -> bool:
    """What Python itself says, with the context that imaplib and smtplib are given."""
    context = ssl.create_default_context(cadata=authority.ca_pem)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # on by default from Python 3.13 on, and no matter of names
    with socket.create_connection(("127.0.0.1", port), 5) as sock:
        try:
            context.wrap_socket(sock, server_hostname=host).close()
        except ssl.SSLCertVerificationError as error:
            assert error.verify_code == 62
            return False
    return True
