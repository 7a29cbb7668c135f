"""Random chains: our verdict is the oracle's, always; and a fix that we claim, applied to the server, helps.

150 chains as a rule; with MAIL_PREFLIGHT_LONG=1 in the environment 2,000.
"""

import os
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from checks.codes import Code
from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Option, Protocol, Security
from checks.protocols.connections import MAX_CONNECTIONS
from checks.runner import check_endpoint
from checks.trust import Trust
from checks.x509.refusal_causes import ORDER
from tests.checks.tls.test_conditions import LOOPBACK_ONLY
from tests.servers.pki.aia import AiaServer
from tests.servers.pki.chain import OTHER_HOST, Chain, good_chain, trust_pem
from tests.servers.pki.oracle import client_context, lab_names, memory_handshake
from tests.servers.pki.recipe import Issued
from tests.servers.pki.setups import Setup, repaired
from tests.servers.pki.strategy import chains
from tests.servers.process import LOOPBACK
from tests.servers.tls_server import TlsServer

EXAMPLES = 2000 if os.environ.get("MAIL_PREFLIGHT_LONG") else 150
AIA = AiaServer()


def published(issuer: Issued) -> Sequence[str]:
    return AIA.publish(issuer)


@pytest.fixture(scope="module")
def server() -> Iterator[TlsServer]:
    host = good_chain().host
    with AIA, TlsServer(good_chain()) as server, lab_names(dict.fromkeys((host, OTHER_HOST), (LOOPBACK,))):
        yield server


def verdict(chain: Chain, server: TlsServer) -> EndpointResult:
    context = CheckContext(Trust(trust_pem()), LOOPBACK_ONLY, deadline_seconds=20)
    server.swap(chain)
    return check_endpoint(Endpoint(Protocol.IMAP, chain.host, server.port, Security.TLS), context)


def accepts(chain: Chain, *, strict: bool = False) -> bool:
    return memory_handshake(chain, client_context(chain.ca_pem, strict=strict), chain.host).accepted


@given(chain=st.one_of(chains(), chains(aia=published)))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=EXAMPLES < 2000)
@pytest.mark.timeout(3600)
def test_our_verdict_is_the_oracles_and_our_fixes_help(server: TlsServer, chain: Chain) -> None:
    before = server.connections
    result = verdict(chain, server)
    visits = server.connections - before
    event(result.code)

    assert (result.code is Code.OK) is accepts(chain), (str(chain), result)
    assert visits <= MAX_CONNECTIONS
    warned = [warn.code for warn in result.warnings]
    if result.code is Code.OK:
        assert result.option is Option.NOT_NEEDED
        assert (Code.TLS_STRICT_ONLY in warned) is not accepts(chain, strict=True), (str(chain), result)
        return
    causes = [result.code, *warned]
    assert causes == sorted(set(causes), key=ORDER.index)
    assert result.option is Option.NEEDED
    if result.fix:
        event(result.fix.kind)
        after, _ = repaired(Setup(chain), "tls", result.fix.kind, result.fix.facts.get("name", ""))
        assert accepts(after.chain), (str(chain), result.code, warned, result.fix)
