"""What is known of Exchange Online without asking it."""

from collections.abc import Iterator
from datetime import date
from ipaddress import IPv4Network

import pytest

from checks.codes import Code
from checks.context import CheckContext
from checks.model import Endpoint, Protocol
from checks.network.address_policy import AddressPolicy
from checks.protocols.exchange_online import LEGACY_ENDS, instead_of, is_legacy
from checks.runner import check_endpoint
from tests.servers.pki.oracle import lab_names
from tests.servers.process import free_port

LOOPBACK = AddressPolicy(networks=(IPv4Network("127.0.0.0/8"),))


@pytest.fixture(params=["imap-legacy.office365.com", "imap-legacy.partner.outlook.cn"])
def legacy(request: pytest.FixtureRequest) -> Iterator[str]:
    """A host for old programs, as a name of this machine on which nobody listens."""
    with lab_names({request.param: ("127.0.0.1",)}):
        yield request.param


def test_a_host_for_old_programs_is_warned_of_with_the_host_to_enter(legacy: str) -> None:
    """Given one that is gone already, then the warning stands beside the failure."""
    result = check_endpoint(Endpoint(Protocol.IMAP, legacy, free_port()), CheckContext(policy=LOOPBACK))

    assert result.code is Code.CONNECT_REFUSED
    (warning,) = result.warnings
    assert (warning.code, warning.facts["date"]) == (Code.EXCHANGE_LEGACY_ENDPOINT, "2026-12-31")
    assert warning.facts["target"] == instead_of(legacy)
    assert not is_legacy(instead_of(legacy))


def test_the_hosts_that_stay() -> None:
    assert not any(map(is_legacy, ("outlook.office365.com", "partner.outlook.cn", "smtp-legacy.office365.com")))
    assert date(2026, 12, 31) == LEGACY_ENDS
