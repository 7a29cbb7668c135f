"""Whether a certificate was revoked is asked where that is wanted, and not again within the hour."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.runner import check_endpoint
from checks.tls.revocation import KEPT, Answers
from checks.trust import Trust
from tests.servers.pki.aia import AiaServer
from tests.servers.pki.setups import Setup, answered_by_ocsp, revoked_by_crl, staged
from tests.servers.tls_server import TlsServer

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
BUILDS = {"ocsp": answered_by_ocsp(revoked=True), "crl": revoked_by_crl}


@pytest.fixture
def authority() -> Iterator[AiaServer]:
    with AiaServer() as server:
        yield server


def check(setup: Setup, server: TlsServer, *, revocation: bool) -> EndpointResult:
    trust, policy = Trust(setup.chain.ca_pem), AddressPolicy(allow_all=True)
    endpoint = Endpoint(Protocol.IMAP, setup.chain.host, server.port, Security.TLS)
    return check_endpoint(endpoint, CheckContext(trust, policy, revocation=revocation))


@pytest.mark.parametrize("how", BUILDS)
def test_the_authority_is_asked_once_an_hour(how: str, authority: AiaServer) -> None:
    setup = BUILDS[how](authority)
    with staged(setup, "imap", "tls") as server:
        unasked = check(setup, server, revocation=False)
        assert (unasked.warnings, authority.requests) == ((), [])
        for _ in range(3):
            found = check(setup, server, revocation=True)
            assert found.verdict is Verdict.OK  # no mail client looks
            assert [warning.code for warning in found.warnings] == [Code.TLS_REVOKED]
    assert len(authority.requests) == 1


def test_an_authority_that_does_not_answer_is_asked_again(authority: AiaServer) -> None:
    setup = answered_by_ocsp(revoked=True)(authority)
    with staged(setup, "imap", "tls") as server:
        authority.stop()
        assert check(setup, server, revocation=True).warnings == ()
        authority.start()
        assert [warning.code for warning in check(setup, server, revocation=True).warnings] == [Code.TLS_REVOKED]


def test_an_answer_holds_for_an_hour_and_not_before_it_was_given() -> None:
    answers = Answers()
    answers.keep(b"one", NOON, None)

    assert answers.get(b"one", NOON) == (None,)
    assert answers.get(b"one", NOON + KEPT - timedelta(seconds=1)) == (None,)
    assert answers.get(b"one", NOON + KEPT) is None
    assert answers.get(b"one", NOON - timedelta(seconds=1)) is None  # a clock that was put back
    assert answers.get(b"another", NOON) is None


def test_as_many_answers_are_kept_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.tls.revocation._MOST_KEPT", 2)
    answers = Answers()
    for name in (b"one", b"two", b"one", b"three"):
        answers.keep(name, NOON, NOON)

    assert [answers.get(name, NOON) is not None for name in (b"one", b"two", b"three")] == [True, False, True]
