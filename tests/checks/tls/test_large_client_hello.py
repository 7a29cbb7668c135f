"""A ClientHello of several packets, and boxes in between that cannot bear it.

OpenSSL sends one from 3.5 on. With an older one there is nothing to be asked, and nothing is claimed.
"""

import ssl

import pytest

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Option, Protocol, Security
from checks.runner import check_endpoint
from checks.tls import large_client_hello
from checks.trust import Trust
from tests.checks.tls.test_conditions import LOOPBACK_ONLY
from tests.servers.narrow import Does, NarrowProxy
from tests.servers.pki.chain import Chain, good_chain
from tests.servers.pki.defects import Defect, forge
from tests.servers.pki.setups import Setup, staged

HAS_LARGE = ssl.OPENSSL_VERSION_INFO >= (3, 5)
"""Whether the linked OpenSSL offers X25519MLKEM768 by default."""
needs_large = pytest.mark.skipif(not HAS_LARGE, reason="this OpenSSL sends no large ClientHello: needs 3.5 (Debian 13)")
SECONDS = 3.0


def check(setup: Chain, port: int, security: str = "tls", protocol: str = "imap") -> EndpointResult:
    url = f"https://{setup.host}:{port}/EWS/Exchange.asmx" if protocol == "https" else ""
    endpoint = Endpoint(Protocol(protocol), setup.host, port, Security(security), url)
    return check_endpoint(endpoint, CheckContext(Trust(setup.ca_pem), LOOPBACK_ONLY, deadline_seconds=SECONDS))


def test_what_is_sent_is_measured_and_not_guessed_from_a_version() -> None:
    assert large_client_hello.sends_large() is HAS_LARGE
    assert large_client_hello.hello_size() > (1_500 if HAS_LARGE else 200)


def test_a_client_of_classical_groups_sends_one_packet() -> None:
    assert large_client_hello._size_of(large_client_hello.classical(Trust())) < 600  # noqa: SLF001 - what a network sees


@pytest.mark.parametrize(("protocol", "security"), [("imap", "tls"), ("smtp", "starttls"), ("https", "tls")])
def test_an_open_way_is_said_to_work_where_it_was_tried(protocol: str, security: str) -> None:
    chain = good_chain()
    with staged(Setup(chain), protocol, security) as server:
        result = check(chain, server.port, security, protocol)

    assert result.code is Code.OK
    assert result.tls is not None
    assert result.tls.large_hello == ("works" if HAS_LARGE else "not_tested")


@pytest.mark.parametrize(("protocol", "security"), [("imap", "tls"), ("smtp", "starttls"), ("https", "tls")])
@pytest.mark.parametrize("does", Does)
def test_a_box_that_cannot_bear_it_is_named(does: Does, protocol: str, security: str) -> None:
    """Given a box that drops a first flight above 1,200 bytes, then it is its size: not a slow network."""
    chain = good_chain()
    with staged(Setup(chain), protocol, security) as server, NarrowProxy(server.port, does=does) as box:
        result = check(chain, box.port, security, protocol)

    if not HAS_LARGE:
        assert (result.code, box.large) == (Code.OK, 0)
        return
    assert (result.code, result.verdict, result.option) == (Code.TLS_LARGE_HELLO, Verdict.FAIL, Option.WOULD_NOT_HELP)
    assert result.tls is not None
    assert result.tls.large_hello == "blocked"
    assert (box.large, box.connections) == (2, 3)
    assert f"{large_client_hello.hello_size()} bytes" in result.seen


@needs_large
def test_a_certificate_that_is_refused_besides_does_not_hide_it() -> None:
    chain = forge([Defect.LEAF_EXPIRED])
    with staged(Setup(chain), "imap", "tls") as server, NarrowProxy(server.port) as box:
        result = check(chain, box.port)

    assert result.code is Code.TLS_LARGE_HELLO
    assert result.tls is not None
    assert result.tls.chain


@needs_large
def test_one_that_was_lost_by_chance_is_no_proof() -> None:
    """Given a network that lost the first one only, then the second one gets through, and nobody's box is blamed."""
    chain = good_chain()
    with staged(Setup(chain), "imap", "tls") as server, NarrowProxy(server.port, blocks=1) as box:
        result = check(chain, box.port)

    assert result.code is Code.TLS_TIMEOUT
    assert result.tls is None
    assert (box.large, box.connections) == (1, 3)


@pytest.mark.parametrize("does", Does)
def test_a_box_that_bears_no_tls_at_all_is_not_blamed_for_the_size(does: Does) -> None:
    chain = good_chain()
    with staged(Setup(chain), "imap", "tls") as server, NarrowProxy(server.port, limit=100, does=does) as box:
        result = check(chain, box.port)

    assert result.code is (Code.TLS_TIMEOUT if does is Does.DROP else Code.CONNECT_CLOSED)
    assert box.connections == (2 if HAS_LARGE else 1)
