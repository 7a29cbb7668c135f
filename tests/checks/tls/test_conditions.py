"""Every condition of the lab: our verdict beside that of Python's own clients, in the same test.

Each id names the condition and where it was met; the drawing of its chain (`root -> intermediate -> leaf`) is in the
condition and comes with every failure.
"""

import ssl
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

import pytest

from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.protocols.connections import MAX_CONNECTIONS
from checks.runner import check_endpoint
from checks.trust import Trust
from tests.checks.tls.condition import Condition
from tests.checks.tls.conditions import CONDITIONS
from tests.servers.pki.aia import AiaServer
from tests.servers.pki.oracle import oracle
from tests.servers.pki.setups import SECOND_ADDRESS, Setup, staged
from tests.servers.tls_server import TlsServer

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", SECOND_ADDRESS, "::1"])

LOOPBACK_ONLY = AddressPolicy(networks=(IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")))
"""Other private addresses are off limits, as in a service that is shared: certificates point at them."""
CASES = [
    pytest.param(condition, protocol, security, id=f"{condition.name}-{protocol}-{security}")
    for condition in CONDITIONS
    for protocol, security in condition.endpoints
]


@pytest.fixture(scope="module")
def aia() -> Iterator[AiaServer]:
    with AiaServer() as server:
        yield server


def context_of(setup: Setup, condition: Condition, *, insecure: bool = False, strict: bool = False) -> CheckContext:
    return CheckContext(
        trust=Trust(setup.chain.ca_pem, strict),
        policy=LOOPBACK_ONLY,
        deadline_seconds=condition.seconds,
        allow_insecure_certificate=insecure,
        revocation=condition.revocation,
        thorough=True,
    )


def check(setup: Setup, server: TlsServer, protocol: str, security: str, context: CheckContext) -> EndpointResult:
    endpoint = Endpoint(Protocol(protocol), setup.chain.host, server.port, Security(security))
    return check_endpoint(endpoint, context)


@pytest.mark.parametrize(("condition", "protocol", "security"), CASES)
def test_a_condition_has_its_code_option_fix_and_warnings(
    condition: Condition, protocol: str, security: str, aia: AiaServer
) -> None:
    """Given the chain in `condition.drawing`, then our verdict is the oracle's, and the rest is as the RFCs have it."""
    setup = condition.build(aia)
    with staged(setup, protocol, security) as server:
        result = check(setup, server, protocol, security, context_of(setup, condition))
        visits = server.connections
        answer = oracle(
            protocol, security, setup.chain.host, server.port, setup.chain.ca_pem, seconds=condition.seconds
        )

    assert (result.code == "ok") is (answer.accepted and not condition.stricter), condition.drawing
    assert result.code == condition.code, condition.drawing
    assert [warn.code for warn in result.warnings] == [*condition.others, *condition.warnings], condition.drawing
    assert result.option == condition.option, condition.drawing
    assert (result.fix.kind if result.fix else None) == condition.fix, condition.drawing
    if result.fix:
        assert all(name in result.fix.detail for name in condition.fix_names), result.fix.detail
    assert visits <= MAX_CONNECTIONS


@pytest.mark.parametrize(
    "condition", [pytest.param(each, id=each.name) for each in CONDITIONS if each.strict_code is not None]
)
def test_a_strict_app_is_refused_where_the_others_were_warned(condition: Condition, aia: AiaServer) -> None:
    """Given an app that is as strict as Python from 3.13 on, then its refusal is our verdict, on every Python."""
    setup = condition.build(aia)
    ca_pem = setup.chain.ca_pem
    with staged(setup, "imap", "tls") as server:
        result = check(setup, server, "imap", "tls", context_of(setup, condition, strict=True))
        answer = oracle("imap", "tls", setup.chain.host, server.port, ca_pem, strict=True)

    assert answer.verify_code == condition.strict_code
    assert (result.code, result.option, result.seen) == ("tls.strict_only", "needed", answer.detail)
    assert result.fix is not None
    assert result.fix.kind == "replace_certificate"
    assert result.tls is not None
    assert result.tls.x509_strict


@pytest.mark.parametrize("strict", [False, True])
def test_a_sound_chain_is_read_alike_by_both_and_says_who_judged(aia: AiaServer, *, strict: bool) -> None:
    condition = next(each for each in CONDITIONS if each.accepted and not each.warnings)
    setup = condition.build(aia)
    with staged(setup, "imap", "tls") as server:
        result = check(setup, server, "imap", "tls", context_of(setup, condition, strict=strict))

    assert (result.code, result.warnings) == ("ok", ())
    assert result.tls is not None
    assert (result.tls.openssl, result.tls.x509_strict) == (ssl.OPENSSL_VERSION, strict)
