"""An endpoint's check waits for a slot at its server: not for ever, and not at the cost of its own time."""

import threading
import time
from collections.abc import Iterator

import pytest

from checks.codes import Verdict
from checks.context import CheckContext
from checks.model import Endpoint, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.trust import Trust
from tests.servers.certificates import CertificateLab
from tests.servers.guarded import GuardedServer
from worker.pacing import endpoint_slot
from worker.pacing.endpoint_slot import check_in_turn
from worker.pacing.pacer import LocalPacer

AT = "127.0.0.1"


@pytest.fixture
def server(certificates: CertificateLab) -> Iterator[GuardedServer]:
    with GuardedServer(certificates.issue(), {}) as running:
        yield running


@pytest.fixture
def context(certificates: CertificateLab) -> CheckContext:
    return CheckContext(Trust(certificates.ca_pem), AddressPolicy(allow_all=True), deadline_seconds=1.0)


def endpoint(server: GuardedServer) -> Endpoint:
    return Endpoint(Protocol.IMAP, AT, server.imap_port, Security.TLS)


def test_waiting_takes_nothing_of_the_time_for_the_check(server: GuardedServer, context: CheckContext) -> None:
    """Given a login that has the only slot for longer than a check may take, then the check follows it, and is well."""
    pacer = LocalPacer(1)
    assert pacer.renew(AT, "login", 1) == 1
    ended: list[int] = []
    timer = threading.Timer(1.5, lambda: ended.append(pacer.renew(AT, "login", 0)))
    timer.start()

    result = check_in_turn(endpoint(server), context, pacer)

    timer.join()
    assert (result.verdict, ended) == (Verdict.OK, [0])
    assert pacer.renew(AT, "login", 1) == 1  # the slot was given back


def test_a_server_whose_logins_hang_is_checked_all_the_same(
    server: GuardedServer, context: CheckContext, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(endpoint_slot, "PATIENCE_SECONDS", 0.3)
    pacer = LocalPacer(1)
    assert pacer.renew(AT, "login", 1) == 1
    begun = time.monotonic()

    result = check_in_turn(endpoint(server), context, pacer)

    assert result.verdict is Verdict.OK
    assert time.monotonic() - begun >= 0.3
    assert "without one" in caplog.text
    assert AT not in caplog.text
    assert pacer.renew(AT, "login", 1, busy=1) == 1  # nothing is kept free for the check any more


def test_a_name_that_does_not_resolve_waits_for_nobody(server: GuardedServer, context: CheckContext) -> None:
    pacer = LocalPacer(1)
    assert pacer.renew("nowhere.invalid", "login", 1) == 1
    nowhere = Endpoint(Protocol.IMAP, "nowhere.invalid", server.imap_port, Security.TLS)
    assert check_in_turn(nowhere, context, pacer).code == "dns.not_found"
