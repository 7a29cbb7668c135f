"""The address policy against every row of the registries, however an address is wrapped."""

import ipaddress
import os
import subprocess
import sys

import pytest

from checks.network import special_addresses
from checks.network.address_policy import AddressPolicy, is_public
from checks.network.special_addresses import Block

PUBLIC = AddressPolicy()
REGISTRIES = special_addresses.IPV4 + special_addresses.IPV6
OTHERS = special_addresses.MULTICAST + special_addresses.PLATFORM
# Judged by the IPv4 address within, so a public one behind them is admitted.
WRAPPERS = {"::ffff:0:0/96", "64:ff9b::/96", "2001::/32", "2002::/16", "2001::/23"}
PRIVATE = ("10.0.0.1", "127.0.0.1", "169.254.169.254", "168.63.129.16", "100.64.0.1", "0.0.0.0")  # noqa: S104 - to be refused


def wrapped(inner: str) -> dict[str, str]:
    """An IPv4 address in every form of IPv6 that leads to it."""
    number = int(ipaddress.IPv4Address(inner))
    forms = {
        "mapped": 0xFFFF << 32 | number,
        "nat64": 0x0064_FF9B << 96 | number,
        "6to4": 0x2002 << 112 | number << 80 | 1,
        "teredo": 0x2001_0000 << 96 | int(ipaddress.IPv4Address("8.8.8.8")) << 64 | number ^ 0xFFFF_FFFF,
        "isatap": 0x2606_4700 << 96 | 0x0000_5EFE << 32 | number,
        "isatap, global": 0x2606_4700 << 96 | 0x0200_5EFE << 32 | number,
    }
    return {name: str(ipaddress.IPv6Address(value)) for name, value in forms.items()}


def ends(block: Block) -> list[str]:
    network = ipaddress.ip_network(block.network)
    middle = network.network_address + network.num_addresses // 2
    return list({str(network.network_address), str(middle), str(network.broadcast_address)})


@pytest.mark.parametrize("block", REGISTRIES + OTHERS, ids=lambda block: block.network)
def test_no_row_is_admitted(block: Block) -> None:
    assert block.name
    assert block.source
    for address in ends(block):
        assert not is_public(ipaddress.ip_address(address))
        if block.network not in WRAPPERS:
            assert not PUBLIC.admits(address)
        assert AddressPolicy(allow_all=True).admits(address)


@pytest.mark.parametrize("block", special_addresses.IPV4 + OTHERS, ids=lambda block: block.network)
def test_no_row_is_admitted_in_another_form(block: Block) -> None:
    if ":" in block.network:
        return
    for address in ends(block):
        assert not any(map(PUBLIC.admits, wrapped(address).values()))


@pytest.mark.parametrize("block", REGISTRIES + OTHERS, ids=lambda block: block.network)
def test_each_row_is_admitted_where_it_is_allowed_by_name(block: Block) -> None:
    network = ipaddress.ip_network(block.network)
    named = AddressPolicy(networks=(network,))
    if block.network not in WRAPPERS:
        assert named.admits(str(network.network_address))


@pytest.mark.parametrize("inner", PRIVATE)
def test_what_leads_to_a_private_address_is_refused(inner: str) -> None:
    assert not [name for name, address in wrapped(inner).items() if PUBLIC.admits(address)]


def test_what_leads_to_a_public_address_is_admitted() -> None:
    refused = [name for name, address in wrapped("9.9.9.9").items() if not PUBLIC.admits(address)]
    assert refused == []


@pytest.mark.parametrize("server", ["10.0.0.1", "127.0.0.1"])
def test_a_teredo_server_is_judged_as_well(server: str) -> None:
    value = 0x2001_0000 << 96 | int(ipaddress.IPv4Address(server)) << 64 | 0x0808_0808 ^ 0xFFFF_FFFF
    assert not PUBLIC.admits(str(ipaddress.IPv6Address(value)))


@pytest.mark.parametrize(
    "address",
    ["::8.8.8.8", "1::1", "4000::1", "64:ff9b:1::808:808", "200::1", "1000::1", "8000::1", "c000::1", "fe00::1"],
)
def test_outside_of_global_unicast_nothing_is_public(address: str) -> None:
    assert not PUBLIC.admits(address)
    assert AddressPolicy(networks=(ipaddress.ip_network("::/0"),)).admits(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "193.0.0.1", "168.63.129.17", "2606:4700::1111", "2a00::1"])
def test_the_rest_is_public(address: str) -> None:
    assert PUBLIC.admits(address)


def test_a_name_for_ipv4_lets_in_what_leads_there() -> None:
    named = AddressPolicy(networks=(ipaddress.ip_network("10.0.0.0/8"),))
    assert all(map(named.admits, wrapped("10.1.2.3").values()))
    assert not any(map(named.admits, wrapped("192.168.0.1").values()))


@pytest.mark.parametrize(("value", "status"), [(None, 1), ("", 1), ("127.0.0.0/8", 1)])
def test_networks_that_are_set_but_empty_allow_none_to_check_either(value: str | None, status: int) -> None:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MAIL_PREFLIGHT_")}
    own = kept if value is None else kept | {"MAIL_PREFLIGHT_ALLOW_NETWORKS": value}
    command = [
        sys.executable,
        "-c",
        "from cli.main import main; main()",
        "check",
        "127.0.0.1:1",
        "--protocol",
        "imap",
        "--json",
    ]
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert ("address.not_allowed" in done.stdout) is (value == "")
