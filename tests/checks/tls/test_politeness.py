"""How often a server is met, how long a hostile certificate takes, and where fetches do not go."""

import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from checks.codes import Code
from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.network.dial import Deadline
from checks.network.fetch import Unfetched, fetch
from checks.network.way_out import WayOut
from checks.runner import check_endpoint
from checks.tls import accepted_chain
from checks.tls.aia import fetch_issuer
from checks.trust import Trust
from checks.x509 import certificates, keys, refusal_causes
from checks.x509.certificate_faults import Cause
from checks.x509.issuer_rules import issuer_urls
from checks.x509.paths import build
from checks.x509.trust_store import store_of
from tests.checks.tls.test_conditions import LOOPBACK_ONLY
from tests.servers.pki.aia import AiaServer
from tests.servers.pki.chain import Chain, trust_pem
from tests.servers.pki.defects import Defect, forge
from tests.servers.pki.setups import SECOND_ADDRESS, Setup, honest, many_names, staged, wide_names
from tests.servers.process import LOOPBACK

pytestmark = pytest.mark.allow_hosts([LOOPBACK, SECOND_ADDRESS])


@pytest.fixture(scope="module")
def aia() -> Iterator[AiaServer]:
    with AiaServer() as server:
        yield server


def met(setup: Setup, **fields: object) -> tuple[EndpointResult, int]:
    """The result, and how many connections the check took."""
    context = CheckContext(Trust(setup.chain.ca_pem), LOOPBACK_ONLY, deadline_seconds=10.0)
    context = replace(context, **fields)  # type: ignore[arg-type]  # fields of a context
    with staged(setup, "imap", "tls") as server:
        endpoint = Endpoint(Protocol.IMAP, setup.chain.host, server.port, Security.TLS)
        result = check_endpoint(endpoint, context)
        return result, server.connections


def test_an_accepted_server_is_met_once() -> None:
    result, connections = met(Setup(forge()))
    assert (result.code, connections) == (Code.OK, 1)


@pytest.mark.parametrize("defect", list(Defect))
def test_a_refused_server_is_met_a_handful_of_times(defect: Defect, aia: AiaServer) -> None:
    aia.requests.clear()
    result, connections = met(Setup(forge({defect}, aia=honest()(aia))))
    assert connections <= (2 if result.code is Code.OK else 5), result
    assert len(aia.requests) <= 2


def test_a_name_with_many_addresses_is_met_at_each_but_no_more_than_that() -> None:
    good = forge()
    result, connections = met(Setup(good, elsewhere={f"127.0.0.{number}": good for number in range(2, 3)}))
    assert (result.code, result.warnings) == (Code.OK, ())
    assert connections <= 3  # two to connect, as ever, and a handshake with the other one


def test_nobody_is_asked_where_issuers_are_not_looked_for(aia: AiaServer) -> None:
    aia.requests.clear()
    setup = Setup(forge({Defect.SENT_WITHOUT_INTERMEDIATE}, aia=honest()(aia)))
    result, _ = met(setup, fetch_issuers=False)
    assert (result.code, aia.requests) == (Code.TLS_CHAIN_UNCLEAR, [])


# -- fetches


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/ca.der",
        "file:///etc/passwd",
        "ftp://127.0.0.1/ca.der",
        "http://user@127.0.0.1/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/a\r\nX: y",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "http://",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[fd00::1]/",
        "http://2130706433.invalid/",
        "http://127.0.0.1/" + "a" * 2000,
        "",
    ],
)
def test_a_strangers_url_leads_nowhere_it_should_not(url: str) -> None:
    with pytest.raises(Unfetched) as refusal:
        fetch(url, WayOut(), 1.0)
    assert len(str(refusal.value)) < 100


@pytest.mark.parametrize("path", ["/slow", "/endless", "/loop", "/garbage", "/empty", "/missing", "/to-file"])
def test_a_hostile_answer_ends_in_time(path: str, aia: AiaServer) -> None:
    lone = forge({Defect.SENT_WITHOUT_INTERMEDIATE}, aia=lambda _: (aia.url(path),)).leaf.certificate
    begun = time.monotonic()
    found = fetch_issuer(lone, WayOut(LOOPBACK_ONLY), Deadline(3.0))
    assert found.issuer is None
    assert found.reason
    assert time.monotonic() - begun < 2.5


def test_a_redirect_is_held_to_the_policy_again(aia: AiaServer) -> None:
    away = aia.redirecting(f"http://{SECOND_ADDRESS}:{aia.port}/missing")
    only_one = AddressPolicy(networks=(IPv4Network("127.0.0.1/32"),))
    with pytest.raises(Unfetched, match=r"address\.not_allowed"):
        fetch(away, WayOut(only_one), 1.0)


# -- hostile certificates: bounded in time


def judged(forged: Chain) -> list[Cause]:
    sent = tuple(item for issued in forged.sent if (item := certificates.load(issued.der)))
    now = refusal_causes.utc_now()
    path = build(sent[0], sent, store_of(trust_pem()), now)
    accepted_chain.warnings(sent, sent, forged.host, now)
    return refusal_causes.causes(refusal_causes.Evidence(sent, path, forged.host, now), 20)


def test_thousands_of_names_and_constraints_are_judged_at_once(aia: AiaServer) -> None:
    for build_setup in (many_names(3000), many_names(1000, excluded=wide_names(1500))):
        forged = build_setup(aia).chain
        judged(forged)  # loads the store
        begun = time.process_time()
        found = judged(forged)
        assert time.process_time() - begun < 1.0
        assert all(len(cause.facts.get("names", "")) < 3000 for cause in found)


def test_names_beyond_the_store_are_listed_in_part(aia: AiaServer) -> None:
    setup = many_names(300)(aia)
    result, _ = met(Setup(replace(setup.chain, host="elsewhere.lab.example")), allow_insecure_certificate=False)
    assert result.code is not Code.TLS_NAME_MISMATCH or len(result.facts["names"]) <= 300


@pytest.mark.parametrize("der", [b"", b"0", b"0\x84\xff\xff\xff\xff", bytes(300_000), b"\x30\x82\x01\x00" + bytes(256)])
def test_what_is_no_certificate_is_none(der: bytes) -> None:
    assert certificates.load(der) is None
    assert len(keys.key_sha256(der)) == 64


def test_urls_of_a_certificate_are_few() -> None:
    urls = tuple(f"http://127.0.0.1/{number}" for number in range(50))
    lone = forge({Defect.SENT_WITHOUT_INTERMEDIATE}, aia=lambda _: urls).leaf.certificate
    assert len(issuer_urls(lone)) == 4
