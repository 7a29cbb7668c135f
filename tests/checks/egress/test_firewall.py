"""A real firewall, in a network of its own: who is kept out, and how, is told exactly."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.checks.egress.firewall_rules import ADDRESSES, RULES, SHARED
from tests.servers.namespaces import namespace
from tests.servers.process import ServerError, scratch_folder

FOUR = tuple(f"10.9.0.{last}" for last in (4, 5, 6, 7))
ALL_ADMITTED = dict.fromkeys((*FOUR, SHARED), "admitted")


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, Any]]:
    """Case -> what was found; all cases are surveyed in one go."""
    try:
        with namespace(ADDRESSES, RULES) as network, scratch_folder() as folder:
            yield json.loads(network.python("tests.checks.egress.firewall_program", str(folder)))
    except ServerError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("case", "address", "outcome"),
    [
        ("dropped", "10.9.0.7", "dropped"),
        ("rejected", "10.9.0.6", "refused"),
        ("reset", "10.9.0.5", "refused"),
        ("prohibited", "10.9.0.4", "refused"),
    ],
)
def test_one_of_four_is_kept_out(found: dict[str, Any], case: str, address: str, outcome: str) -> None:
    met = found[case]
    assert met["outcomes"] == ALL_ADMITTED | {address: outcome}
    assert (met["verdict"], met["code"], met["blocked"]) == ("fail", "connect.not_admitted", address)


def test_who_is_admitted_everywhere_works(found: dict[str, Any]) -> None:
    met = found["admitted"]
    assert (met["verdict"], met["code"], met["warnings"], met["outcomes"]) == ("ok", "ok", [], ALL_ADMITTED)


def test_where_only_the_shared_address_is_known(found: dict[str, Any]) -> None:
    met = found["only_shared"]
    assert met["outcomes"] == dict.fromkeys(FOUR, "dropped") | {SHARED: "admitted"}
    assert (met["verdict"], met["blocked"]) == ("fail", ", ".join(FOUR))


def test_a_port_that_is_closed_to_all_is_no_matter_of_addresses(found: dict[str, Any]) -> None:
    met = found["nobody"]
    assert set(met["outcomes"].values()) == {"dropped"}
    assert (met["verdict"], met["code"]) == ("inconclusive", "connect.timeout")


def test_who_is_banned_after_some_connections_is_told_from_who_never_got_in(found: dict[str, Any]) -> None:
    assert found["banned"]["outcomes"] == ALL_ADMITTED | {"10.9.0.6": "banned"}


def test_a_server_that_admits_ipv6_alone(found: dict[str, Any]) -> None:
    met = found["ipv6_only"]
    static_6 = dict.fromkeys(("2001:db8:9::4", "2001:db8:9::5"), "admitted")
    assert met["outcomes"] == dict.fromkeys((*FOUR, SHARED), "dropped") | static_6
    assert (met["verdict"], met["warnings"]) == ("ok", ["connect.not_admitted"])
