"""From which of our addresses a server is reached, on loopback: 127.0.0.2 and on are addresses like any other."""

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Admission, Endpoint, EndpointResult, Outcome, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.network.static_addresses import StaticAddress
from checks.network.way_out import Source
from checks.protocols.exchange.url import endpoint_of
from checks.runner import check_endpoint
from checks.serialize import dump_endpoint_result, load_endpoint_result
from checks.trust import Trust
from tests.servers.certificates import CertificateLab
from tests.servers.exchange.server import ExchangeServer
from tests.servers.gate import Gate, Rule
from tests.servers.guarded import GuardedServer

FOUR = tuple(StaticAddress(f"127.0.0.{last}", f"127.0.0.{last}") for last in (4, 5, 6, 7))
SHARED = "127.0.0.2"
A, R = Outcome.ADMITTED, Outcome.REFUSED


@pytest.fixture(scope="module")
def server(certificates: CertificateLab) -> Iterator[GuardedServer]:
    """IMAP and SMTP with implicit TLS."""
    with GuardedServer(certificates.issue("localhost", "127.0.0.1"), {}) as found:
        yield found


def context(certificates: CertificateLab, static: tuple[StaticAddress, ...] = FOUR) -> CheckContext:
    return CheckContext(
        Trust(certificates.ca_pem),
        AddressPolicy(allow_all=True),
        source=Source.of(SHARED),
        static=static,
        shared_name=SHARED,
    )


def survey(gate: Gate, given: CheckContext, protocol: Protocol = Protocol.IMAP) -> EndpointResult:
    return check_endpoint(Endpoint(protocol, "localhost", gate.port, Security.TLS), given)


def outcomes(result: EndpointResult) -> dict[str, Outcome]:
    return {each.source: each.outcome for each in result.admissions}


@pytest.mark.parametrize("protocol", [Protocol.IMAP, Protocol.SMTP])
def test_where_all_are_admitted_nothing_leaves_from_elsewhere(
    server: GuardedServer, certificates: CertificateLab, protocol: Protocol
) -> None:
    port = server.imap_port if protocol is Protocol.IMAP else server.smtp_port
    with Gate(port, {}) as gate:
        result = survey(gate, context(certificates), protocol)
    assert (result.verdict, result.code) == (Verdict.OK, Code.OK)
    assert outcomes(result) == {each.public: A for each in FOUR} | {SHARED: A}
    assert gate.came.keys() == {each.public for each in FOUR} | {SHARED}
    assert gate.came[SHARED] == 1, "the shared address knocks, and the check is made from a static one"


@pytest.mark.parametrize(
    ("treatment", "outcome"),
    [("close", Outcome.CLOSED), ("reset", Outcome.CLOSED), ("silent", Outcome.SILENT), ("say", Outcome.BLOCKED)],
)
def test_one_of_four_is_kept_out_and_named(
    server: GuardedServer, certificates: CertificateLab, treatment: str, outcome: Outcome
) -> None:
    with Gate(server.smtp_port, {"127.0.0.7": Rule(treatment)}) as gate:  # type: ignore[arg-type] # one of them
        result = survey(gate, context(certificates), Protocol.SMTP)
    assert outcomes(result) == {"127.0.0.4": A, "127.0.0.5": A, "127.0.0.6": A, "127.0.0.7": outcome, SHARED: A}
    assert (result.verdict, result.code) == (Verdict.FAIL, Code.CONNECT_NOT_ADMITTED)
    assert result.facts["addresses"] == "127.0.0.7"
    assert result.facts["admitted"] == "127.0.0.4, 127.0.0.5, 127.0.0.6, 127.0.0.2"
    said = next(each.seen for each in result.admissions if each.source == "127.0.0.7")
    assert ("blocked by our policy" in said) is (outcome is Outcome.BLOCKED)


@pytest.mark.parametrize(("treatment", "outcome"), [("reset", Outcome.CLOSED), ("say", A)])
def test_exchange_is_knocked_at_by_http(
    server_folder: Path, certificates: CertificateLab, treatment: str, outcome: Outcome
) -> None:
    """What speaks to us in clear at a port for TLS has let us in; whether it is Exchange is another matter."""
    folder = server_folder / f"exchange-survey-{treatment}"
    with (
        ExchangeServer(folder, certificates.issue(), {}, ("Basic",)) as exchange,
        Gate(exchange.port, {"127.0.0.5": Rule(treatment)}) as gate,  # type: ignore[arg-type] # one of them
    ):
        url = f"https://localhost:{gate.port}/EWS/Exchange.asmx"
        result = check_endpoint(endpoint_of(url), context(certificates))
    kept_out = {"127.0.0.5": outcome} if outcome is not A else {}
    assert outcomes(result) == {each.public: A for each in FOUR} | {SHARED: A} | kept_out
    assert result.code is (Code.CONNECT_NOT_ADMITTED if kept_out else Code.OK)


def test_a_firewall_that_knows_the_shared_address_only(server: GuardedServer, certificates: CertificateLab) -> None:
    rules: Mapping[str, Rule] = {each.public: Rule("reset") for each in FOUR}
    with Gate(server.imap_port, rules) as gate:
        result = survey(gate, context(certificates))
    assert (result.verdict, result.code) == (Verdict.FAIL, Code.CONNECT_NOT_ADMITTED)
    assert result.facts["addresses"].count("127.0.0.") == 4
    assert result.facts["admitted"] == SHARED


def test_where_nobody_gets_in_it_is_no_matter_of_addresses(server: GuardedServer, certificates: CertificateLab) -> None:
    rules = {address: Rule("close") for address in (SHARED, *(each.public for each in FOUR))}
    with Gate(server.imap_port, rules) as gate:
        result = survey(gate, context(certificates))
    assert result.code is Code.CONNECT_CLOSED
    assert set(outcomes(result).values()) == {Outcome.CLOSED}


def test_a_static_address_of_the_other_family_has_nothing_to_try(
    server: GuardedServer, certificates: CertificateLab
) -> None:
    both = (StaticAddress("127.0.0.4", "127.0.0.4"), StaticAddress("::1", "::1"))
    with Gate(server.imap_port, {}) as gate:
        result = check_endpoint(
            Endpoint(Protocol.IMAP, "127.0.0.1", gate.port, Security.TLS), context(certificates, both)
        )
    assert outcomes(result) == {"127.0.0.4": A, "::1": Outcome.NO_FAMILY, SHARED: A}


def test_ipv6_alone_is_enough_for_who_has_both_and_a_warning(
    server: GuardedServer, certificates: CertificateLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolver is the one thing that is not real here: no name of this machine has two addresses for sure."""
    rows = [(family, socket.SOCK_STREAM, 6, "", (at, 0)) for family, at in ((10, "::1"), (2, "127.0.0.1"))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
    both = (StaticAddress("127.0.0.4", "127.0.0.4"), StaticAddress("2001:db8::4", "::1"))
    with Gate(server.imap_port, {"127.0.0.4": Rule("reset")}, listens=("127.0.0.1", "::1")) as gate:
        result = survey(gate, context(certificates, both))
    assert outcomes(result) == {"127.0.0.4": Outcome.CLOSED, "2001:db8::4": A, SHARED: A}
    assert result.verdict is Verdict.OK
    (warning,) = (each for each in result.warnings if each.code is Code.CONNECT_NOT_ADMITTED)
    assert warning.facts["addresses"] == "127.0.0.4"
    assert gate.came.keys() == {"127.0.0.4", "::1", SHARED}


def test_addresses_that_this_machine_lacks_are_our_matter(server: GuardedServer, certificates: CertificateLab) -> None:
    elsewhere = (StaticAddress("192.0.2.7", "192.0.2.7"),)
    with Gate(server.imap_port, {}) as gate:
        lacking = survey(gate, context(certificates, elsewhere))
        partly = survey(gate, context(certificates, (*elsewhere, FOUR[0])))
        none = survey(gate, context(certificates, ()))
    assert (lacking.verdict, lacking.code) == (Verdict.INCONCLUSIVE, Code.ADDRESS_SOURCE_MISSING)
    assert none.code is Code.ADDRESS_SOURCE_MISSING
    assert outcomes(partly) == {"192.0.2.7": Outcome.NOT_HERE, "127.0.0.4": A, SHARED: A}
    assert partly.code is Code.OK
    assert gate.came.keys() == {"127.0.0.4", SHARED}, "nothing leaves from where it should not"


def test_behind_a_nat_the_outer_address_is_told_and_the_inner_one_is_bound(
    server: GuardedServer, certificates: CertificateLab
) -> None:
    with Gate(server.imap_port, {"127.0.0.5": Rule("close")}) as gate:
        outer = (StaticAddress("203.0.113.8", "127.0.0.4"), StaticAddress("203.0.113.9", "127.0.0.5"))
        result = survey(gate, context(certificates, outer))
    assert outcomes(result) == {"203.0.113.8": A, "203.0.113.9": Outcome.CLOSED, SHARED: A}
    assert "127.0.0.5" not in repr(result.facts)


def test_admissions_survive_the_store() -> None:
    met = (Admission("203.0.113.7", Outcome.DROPPED), Admission("", A, shared=True, seen="hello"))
    kept = EndpointResult(Endpoint(Protocol.IMAP, "x.example", 993), Verdict.OK, Code.OK, admissions=met)
    assert load_endpoint_result(dump_endpoint_result(kept)) == kept
