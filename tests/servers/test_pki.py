"""The PKI lab does what the tests of the verdict rely on. Python's own clients are asked, never our code."""

import contextlib
import http.client
import socket
import time
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509 import ocsp
from hypothesis import HealthCheck, given, settings

from tests.checks.tls.condition import Condition
from tests.checks.tls.conditions import CONDITIONS, ORDER
from tests.servers.pki.aia import AiaServer, Form
from tests.servers.pki.chain import HOST, OTHER_HOST, Chain, good_chain, trust_pem
from tests.servers.pki.defects import Defect, forge
from tests.servers.pki.oracle import Answer, client_context, memory_handshake, oracle
from tests.servers.pki.setups import SECOND_ADDRESS, Setup, repaired, staged
from tests.servers.pki.strategy import chains
from tests.servers.tls_server import TlsServer

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", SECOND_ADDRESS, "::1"])

FORMS: tuple[Form, ...] = ("der", "pem", "p7c")
PASSING = {"connect.closed", "tls.timeout", "greeting.timeout", "deadline.exceeded"}
CASES = [
    pytest.param(condition, protocol, security, id=f"{condition.name}-{protocol}-{security}")
    for condition in CONDITIONS
    for protocol, security in condition.endpoints
]


@pytest.fixture(scope="module")
def aia() -> Iterator[AiaServer]:
    with AiaServer() as server:
        yield server


def ask(
    setup: Setup, server: TlsServer, protocol: str, security: str, *, verify: bool = True, seconds: float = 5.0
) -> Answer:
    chain = setup.chain
    return oracle(protocol, security, chain.host, server.port, chain.ca_pem, verify=verify, seconds=seconds)


@pytest.mark.parametrize(("condition", "protocol", "security"), CASES)
def test_the_oracle_agrees_with_each_condition(
    condition: Condition, protocol: str, security: str, aia: AiaServer
) -> None:
    setup = condition.build(aia)

    with staged(setup, protocol, security) as server:
        verified = ask(setup, server, protocol, security, seconds=condition.seconds)
        unverified = ask(setup, server, protocol, security, verify=False, seconds=condition.seconds)

    assert verified.accepted is (condition.accepted or bool(condition.stricter)), verified
    if condition.verify_code is not None:
        assert verified.verify_code == condition.verify_code, verified
    if not condition.stricter:
        assert condition.option in proved_options(verified, unverified), (verified, unverified)


def proved_options(verified: Answer, unverified: Answer) -> tuple[str | None, ...]:
    """What the two answers say of the option. Whether an obstacle lasts is not theirs to say."""
    if verified.accepted:
        return ("not_needed",)
    return ("needed",) if unverified.accepted else ("would_not_help", None)


def test_conditions_are_told_apart_and_complete() -> None:
    names = [condition.name for condition in CONDITIONS]

    assert len(set(names)) == len(names)
    assert len(names) >= 80


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_what_a_condition_expects_holds_together(condition: Condition) -> None:
    if condition.others:
        causes = (condition.code, *condition.others)
        assert list(causes) == sorted(causes, key=ORDER.index)
    assert (condition.option is None) == (condition.code in PASSING or "closed after" in condition.name)
    assert not condition.accepted or condition.fix is None


@pytest.mark.parametrize("condition", [each for each in CONDITIONS if each.fix], ids=lambda each: each.name)
def test_the_oracle_accepts_once_the_fix_of_a_condition_is_applied(condition: Condition, aia: AiaServer) -> None:
    protocol, security = condition.endpoints[0]
    host = (condition.fix_names or (HOST,))[0]

    setup, security = repaired(condition.build(aia), security, str(condition.fix), host)

    with staged(setup, protocol, security) as server:
        answer = ask(setup, server, protocol, security)
    assert answer.accepted, answer


@pytest.mark.parametrize("condition", [each for each in CONDITIONS if each.accepted], ids=lambda each: each.name)
def test_only_strict_conditions_differ_from_python_3_13(condition: Condition, aia: AiaServer) -> None:
    chain = condition.build(aia).chain

    answer = memory_handshake(chain, client_context(chain.ca_pem, strict=True), chain.host)

    assert answer.accepted is ("tls.strict_only" not in condition.warnings), answer


@given(chain=chains())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_chains_can_be_served(chain: Chain) -> None:
    answer = memory_handshake(chain, client_context(trust_pem()), chain.host)

    assert answer.accepted or answer.verify_code, answer


def test_chains_are_cheap() -> None:
    forge()
    begun = time.process_time()

    for _ in range(50):
        forge(depth=2)

    assert (time.process_time() - begun) / 150 < 0.002  # seconds a certificate


@pytest.mark.parametrize("protocol", ["imap", "smtp"])
def test_a_swapped_chain_is_served_and_logins_are_recorded(protocol: str) -> None:
    setup = Setup(good_chain())
    with staged(setup, protocol, "tls") as server:
        before = ask(setup, server, protocol, "tls")
        server.swap(forge({Defect.LEAF_OTHER_NAME}))
        after = ask(setup, server, protocol, "tls")

        connections = server.connections

    assert before.accepted
    assert after.verify_code == 62
    assert connections == 2
    assert server.logins == []


def test_what_a_client_sends_is_kept() -> None:
    setup = Setup(good_chain(OTHER_HOST))
    with staged(setup, "smtp", "starttls") as server:
        context = client_context(trust_pem())
        import smtplib

        with smtplib.SMTP(OTHER_HOST, server.port, "lab.example", timeout=3) as client:
            client.starttls(context=context)
            client.login("someone", "a secret")

    assert len(server.logins) == 1
    assert server.logins[0].startswith("AUTH PLAIN")
    assert b"STARTTLS" in server.received


@pytest.mark.parametrize("path", ["/slow", "/endless"])
def test_hostile_web_answers_end_with_the_server(path: str) -> None:
    with AiaServer() as server, socket.create_connection(("127.0.0.1", server.port), timeout=3) as client:
        client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.0 200"

    assert server.requests == [path]


def fetch(url: str, body: bytes | None = None) -> bytes:
    host, _, path = url.removeprefix("http://").partition("/")
    client = http.client.HTTPConnection(host, timeout=3)
    with contextlib.closing(client):
        client.request("GET" if body is None else "POST", f"/{path}", body)
        return client.getresponse().read()


def test_issuers_are_published_in_each_form(aia: AiaServer) -> None:
    issuer = good_chain().path[1]

    served = {form: fetch(aia.publish(issuer, form)[0]) for form in FORMS}

    assert x509.load_der_x509_certificate(served["der"]) == issuer.certificate
    assert x509.load_pem_x509_certificate(served["pem"]) == issuer.certificate
    assert pkcs7.load_der_pkcs7_certificates(served["p7c"]) == [issuer.certificate]


def test_revocation_is_published(aia: AiaServer) -> None:
    chain = good_chain()
    number = chain.leaf.certificate.serial_number

    listed = x509.load_der_x509_crl(fetch(aia.publish_crl(chain.path[1], number)))
    answer = ocsp.load_der_ocsp_response(fetch(aia.ocsp_responder(chain.leaf, chain.path[1], revoked=True), b"?"))

    issuer_key = chain.path[1].keys.private.public_key()
    assert listed.get_revoked_certificate_by_serial_number(number) is not None
    assert listed.is_signature_valid(issuer_key)
    assert answer.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert answer.serial_number == number


def test_the_key_stays_while_the_certificate_is_renewed() -> None:
    chain = forge({Defect.LEAF_EXPIRED})

    renewed = chain.repaired("renew")

    assert renewed.leaf.keys is chain.leaf.keys
    assert renewed.leaf.der != chain.leaf.der
