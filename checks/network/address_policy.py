"""Which addresses a check may connect to: anybody can point a host name at an address of ours."""

import functools
import ipaddress
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

parsed = functools.lru_cache(256)(ipaddress.ip_address)  # the same few are asked about again and again


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses a check may connect to: public ones, and those in `networks`; with `allow_all` every one."""

    allow_all: bool = False
    networks: tuple[Network, ...] = ()

    def admits(self, text: str) -> bool:
        """Whether a numeric address may be connected to. IPv4 hidden in IPv6 is judged as IPv4."""
        address = _unwrapped(parsed(text.partition("%")[0]))
        if self.allow_all or _in_any(address, self.networks):
            return True
        return address.is_global and not address.is_multicast and not _in_any(address, _NOT_PUBLIC)


# Local-use NAT64 (RFC 8215), site-local (RFC 3879) and documentation (RFC 9637): Python 3.11 calls them global.
_NOT_PUBLIC: tuple[Network, ...] = tuple(map(ipaddress.IPv6Network, ("64:ff9b:1::/48", "fec0::/10", "3fff::/20")))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_COMPATIBLE = ipaddress.IPv6Network("::/96")  # IPv4-compatible, RFC 4291, 2.5.5.1; :: and ::1 are no such


def _in_any(address: _Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _unwrapped(address: _Address) -> _Address:
    """The IPv4 address inside a mapped, compatible, 6to4, Teredo or NAT64 address, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
