"""The operator's ranges of addresses that connections leave from, and the single addresses in them."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from checks.model import Invalid
from checks.network.address_policy import Network
from checks.network.way_out import Source

MOST = 16
"""Static addresses of one egress: each of them knocks at a customer's server when their firewall is tested."""


@dataclass(frozen=True, slots=True)
class StaticAddress:
    """One address. `public` is what a mail server sees, `local` what this machine binds: another one behind a NAT."""

    public: str
    local: str

    @property
    def source(self) -> Source:
        """From this address and no other."""
        return Source.of(self.local, only=True)


@dataclass(frozen=True, slots=True)
class AddressRange:
    """A range as mail servers see it. `local`: the one that machines bind for it; `egress`: whose workers have it."""

    network: Network
    egress: str = ""
    local: Network | None = None

    def __str__(self) -> str:
        single = self.network.prefixlen == self.network.max_prefixlen
        return str(self.network.network_address) if single else str(self.network)

    @property
    def addresses(self) -> tuple[StaticAddress, ...]:
        """Every address of the range, the first and the last too: none of them is a network's own."""
        bound = self.local or self.network
        return tuple(StaticAddress(str(one), str(two)) for one, two in zip(self.network, bound, strict=True))


def parse_ranges(text: str) -> tuple[AddressRange, ...]:
    """Ranges separated by blanks or commas, each `[EGRESS=]RANGE[@LOCAL]`. Raises `Invalid`, in one line.

    RANGE is an address or a network of IPv4 or IPv6; LOCAL is one as large, of the same family, for machines behind a
    NAT.
    """
    ranges = tuple(map(_range, text.replace(",", " ").split()))
    for egress in egresses(ranges):
        count = sum(each.network.num_addresses for each in ranges if each.egress == egress)
        if count > MOST:
            raise Invalid(f"{count} addresses are too many, each is tested at every server; give {MOST} at most")
    return ranges


def _range(item: str) -> AddressRange:
    egress, named, rest = item.rpartition("=")
    if named and not (egress.isascii() and egress.isalnum() and egress.islower()):
        raise Invalid(
            f"{egress!r} is no name of an egress; give lower-case letters and digits, as in tokyo=203.0.113.8/30"
        )
    outside, apart, inside = rest.partition("@")
    network = _network(outside)
    if network.num_addresses > MOST:
        raise Invalid(f"{outside} has too many addresses, each is tested at every server; give {MOST} at most")
    local = _network(inside) if apart else None
    if local is not None and (local.version, local.num_addresses) != (network.version, network.num_addresses):
        raise Invalid(f"{item!r}: the local range after @ must have the same family and size")
    return AddressRange(network, egress, local)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Addresses or networks separated by blanks or commas. Raises `Invalid`, in one line."""
    return tuple(_network(item) for item in text.replace(",", " ").split())


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise Invalid(f"{text!r} is no address and no range, such as 203.0.113.8/30 or 2001:db8::8/126") from None


def egresses(ranges: Iterable[AddressRange]) -> tuple[str, ...]:
    """The names of those that have ranges, '' where a range has no name, in one order for everybody."""
    return tuple(sorted({each.egress for each in ranges}))


def addresses_of(ranges: Iterable[AddressRange], egress: str) -> tuple[StaticAddress, ...]:
    """The addresses of one egress."""
    return tuple(address for each in ranges if each.egress == egress for address in each.addresses)


def first_source(addresses: Sequence[StaticAddress]) -> Source:
    """The first address of each family, and no other."""
    return Source.of(*(each.local for each in addresses), only=True)
