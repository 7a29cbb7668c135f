"""Which addresses a check may connect to. Pure; the blocks are data, in `checks.network.special_addresses`."""

import functools
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace

from checks.network import special_addresses

MAIL_AND_HTTPS = frozenset({25, 143, 443, 465, 587, 993, 2525})
"""Submission, relay and IMAP (RFC 8314; 2525 is what many providers offer beside 587), and HTTPS for Exchange."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

parsed = functools.lru_cache(256)(ipaddress.ip_address)  # the same few are asked about again and again


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses a check may connect to: public ones, and those in `networks`; with `allow_all` every one.

    `ports` are those of public addresses that may be connected to, None: all. Who names a network means all of it.
    """

    allow_all: bool = False
    networks: tuple[Network, ...] = ()
    ports: frozenset[int] | None = None

    def admits(self, text: str) -> bool:
        """Whether a numeric address may be connected to. IPv4 that IPv6 leads to is judged as IPv4."""
        if self.allow_all:
            return True
        address = parsed(text.partition("%")[0])
        inner = _translated(address)
        if inner:
            return all(map(self._admits, inner))
        return self._admits(address)

    def admits_port(self, text: str, port: int) -> bool:
        """Whether that port of a numeric address that is admitted may be connected to."""
        if self.ports is None or self.allow_all or port in self.ports:
            return True
        address = parsed(text.partition("%")[0])
        return all(in_any(each, self.networks) for each in _translated(address) or (address,))

    def with_ports(self, *ports: int) -> "AddressPolicy":
        """The same, for these ports where any are limited."""
        return self if self.ports is None else replace(self, ports=frozenset(ports))

    def _admits(self, address: Address) -> bool:
        if in_any(address, self.networks):
            return True
        within = _isatap(address)
        return is_public(address) and (within is None or self._admits(within))


def in_any(address: Address, networks: Iterable[Network]) -> bool:
    """Whether an address is in one of the networks."""
    return any(address in network for network in networks if network.version == address.version)


@functools.lru_cache(256)
def is_public(address: Address) -> bool:
    """Whether an address may belong to a server on the Internet: in no special block, and for IPv6 in 2000::/3."""
    return not in_any(address, _SPECIAL) and (address.version == 4 or address in _GLOBAL)


_SPECIAL: tuple[Network, ...] = tuple(
    ipaddress.ip_network(block.network)
    for blocks in (
        special_addresses.IPV4,
        special_addresses.IPV6,
        special_addresses.MULTICAST,
        special_addresses.PLATFORM,
    )
    for block in blocks
)
_GLOBAL = ipaddress.IPv6Network(special_addresses.IPV6_GLOBAL)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # the upper half of an interface identifier


def _translated(address: Address) -> tuple[ipaddress.IPv4Address, ...]:
    """The IPv4 addresses that a mapped, NAT64 (RFC 6052), 6to4 (RFC 3056) or Teredo (RFC 4380) address leads to.

    IPv4-compatible addresses (RFC 4291, 2.5.5.1) lead nowhere any more: they are not public by themselves.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF),)
    one = address.ipv4_mapped or address.sixtofour
    return (one,) if one else address.teredo or ()


def _isatap(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address at the end of an ISATAP tunnel (RFC 5214, 6.1), which may be within any prefix."""
    if isinstance(address, ipaddress.IPv4Address) or (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP:
        return None
    return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
