"""The option made safe: whoever meets another key than the one that was let in sends no credential. The server's own
record is the proof."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Credential, Endpoint, EndpointResult, LoginResult, Option, Pin, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.runner import check_endpoint, check_mailbox, open_route
from checks.serialize import dump_endpoint_result, load_endpoint_result
from checks.trust import Trust
from tests.servers.pki.chain import PRIVATE_ROOT, Chain, issued_root, plan, trust_pem
from tests.servers.pki.defects import Defect, forge, planned
from tests.servers.pki.oracle import lab_names
from tests.servers.process import LOOPBACK
from tests.servers.tls_server import TlsServer

SECRET = "Planted-secret-4711"
ENCODED = base64.b64encode(f"\0somebody@lab.example\0{SECRET}".encode())
CREDENTIAL = Credential("somebody@lab.example", SECRET)
WAYS = [("imap", "tls"), ("imap", "starttls"), ("smtp", "tls"), ("smtp", "starttls"), ("https", "tls")]
SELF_SIGNED = frozenset({Defect.LEAF_SELF_SIGNED})


def insecure(chain: Chain, **fields: object) -> CheckContext:
    context = CheckContext(Trust(chain.ca_pem), AddressPolicy(allow_all=True), allow_insecure_certificate=True)
    return replace(context, deadline_seconds=5.0, login_seconds=5.0, **fields)  # type: ignore[arg-type]


def with_another_key(defects: frozenset[Defect] = SELF_SIGNED) -> Chain:
    draft = planned(defects)
    draft.leaf = replace(draft.leaf, key="another leaf")
    return draft.build()


@pytest.fixture(autouse=True)
def names() -> Iterator[None]:
    with lab_names({plan().host: (LOOPBACK,)}):
        yield


def endpoint_of(server: TlsServer, chain: Chain, protocol: str, security: str) -> Endpoint:
    return Endpoint(Protocol(protocol), chain.host, server.port, Security(security))


def run(
    server: TlsServer, chain: Chain, protocol: str, security: str, context: CheckContext, then: Chain | None = None
) -> tuple[EndpointResult, LoginResult]:
    """An endpoint check and a login, and between the two the server changes its chain to `then`."""
    checked = check_endpoint(endpoint_of(server, chain, protocol, security), context)
    route = open_route(load_endpoint_result(dump_endpoint_result(checked)), context)
    if then:
        server.swap(then)
    return checked, check_mailbox(route, CREDENTIAL, context)


@pytest.mark.parametrize(("protocol", "security"), WAYS)
def test_a_login_that_meets_another_key_sends_nothing(protocol: str, security: str) -> None:
    chain = forge(SELF_SIGNED)
    with TlsServer(chain, protocol, security) as server:
        checked, result = run(server, chain, protocol, security, insecure(chain), then=with_another_key())

    assert (checked.code, checked.insecure) == (Code.OK, True)
    assert (result.code, result.verdict) == (Code.TLS_PIN_CHANGED, Verdict.INCONCLUSIVE)
    assert server.logins == []
    assert not any(secret in server.received for secret in (SECRET.encode(), ENCODED))
    assert SECRET not in repr(result)


@pytest.mark.parametrize(("protocol", "security"), WAYS[:4])
def test_a_login_that_meets_the_same_key_goes_on(protocol: str, security: str) -> None:
    """Given the certificate renewed with the same key."""
    chain = forge(SELF_SIGNED)
    with TlsServer(chain, protocol, security) as server:
        _, result = run(server, chain, protocol, security, insecure(chain), then=forge({*SELF_SIGNED}))

    assert result.code is Code.OK
    assert len(server.logins) == 1


def test_a_resumed_session_is_held_to_the_pin_too() -> None:
    chain = forge(SELF_SIGNED)
    context = insecure(chain)
    with TlsServer(chain) as server:
        checked = check_endpoint(endpoint_of(server, chain, "imap", "tls"), context)
        route = open_route(checked, context)
        first, second = (check_mailbox(route, CREDENTIAL, context) for _ in range(2))
        other = replace(route, pin=Pin("0" * 64))  # type: ignore[type-var]  # a dataclass behind the protocol
        third = check_mailbox(other, CREDENTIAL, context)

    assert (first.code, second.code) == (Code.OK, Code.OK)
    assert third.code is Code.TLS_PIN_CHANGED
    assert len(server.logins) == 2


def test_a_later_check_with_the_pin_of_before_says_that_the_key_was_changed() -> None:
    chain = forge(SELF_SIGNED)
    with TlsServer(chain) as server:
        endpoint = endpoint_of(server, chain, "imap", "tls")
        first = check_endpoint(endpoint, insecure(chain))
        assert first.pin is not None
        pinned = insecure(chain, pins={str(endpoint): first.pin})
        again = check_endpoint(endpoint, pinned)
        server.swap(with_another_key())
        changed = check_endpoint(endpoint, pinned)

    assert again.code is Code.OK
    assert (changed.code, changed.verdict, changed.option) == (Code.TLS_PIN_CHANGED, Verdict.FAIL, Option.NEEDED)
    assert changed.pin is None
    assert not changed.insecure
    assert server.logins == []


def test_a_login_is_held_to_the_pin_that_the_admin_accepted() -> None:
    """Given a pin of long ago and a check that met another key: the login is held to the one that was accepted."""
    chain = forge(SELF_SIGNED)
    with TlsServer(chain) as server:
        endpoint = endpoint_of(server, chain, "imap", "tls")
        checked = check_endpoint(endpoint, insecure(chain))
        pinned = insecure(chain, pins={str(endpoint): Pin("0" * 64)})
        result = check_mailbox(open_route(checked, pinned), CREDENTIAL, pinned)

    assert result.code is Code.TLS_PIN_CHANGED
    assert server.logins == []


def test_a_private_authority_is_pinned_with_the_leaf() -> None:
    chain = forge({Defect.ROOT_PRIVATE, Defect.SENT_ROOT})
    with TlsServer(chain) as server:
        result = check_endpoint(endpoint_of(server, chain, "imap", "tls"), insecure(chain))

    assert result.pin is not None
    keys = {"leaf": chain.leaf.keys, "ca": issued_root(PRIVATE_ROOT).keys}
    assert result.pin == Pin(**{name: sha256(key.public_der) for name, key in keys.items()})


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_an_accepted_chain_is_not_pinned() -> None:
    chain = forge()
    with TlsServer(chain) as server:
        result = check_endpoint(endpoint_of(server, chain, "imap", "tls"), insecure(chain))
    assert (result.code, result.option, result.pin) == (Code.OK, Option.NOT_NEEDED, None)


def test_a_private_authority_can_be_trusted_for_one_domain_instead() -> None:
    chain = forge({Defect.ROOT_PRIVATE, Defect.SENT_ROOT})
    root = issued_root(PRIVATE_ROOT).pem
    with TlsServer(chain) as server:
        endpoint = endpoint_of(server, chain, "imap", "tls")
        policy = AddressPolicy(allow_all=True)
        ours, others = (
            check_endpoint(endpoint, CheckContext(Trust(pem), policy)) for pem in (trust_pem() + root, trust_pem())
        )
    assert (ours.code, ours.option) == (Code.OK, Option.NOT_NEEDED)
    assert others.code is Code.TLS_UNTRUSTED_ROOT
    assert others.fix is not None
    assert others.fix.kind == "trust_ca"
