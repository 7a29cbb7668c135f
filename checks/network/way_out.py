"""How a connection leaves: from which of our addresses, and where it may go. No socket of a check is made elsewhere."""

import errno
import os
import socket
from dataclasses import dataclass, field

from checks.codes import Code
from checks.model import Fault
from checks.network.address_policy import AddressPolicy, parsed


@dataclass(frozen=True, slots=True)
class Source:
    """The addresses of this machine that connections leave from, one of each family; None: the system chooses.

    `only`: from these and no other, so what has an address of the other family alone cannot be reached.
    """

    ipv4: str | None = None
    ipv6: str | None = None
    only: bool = False

    @classmethod
    def of(cls, *addresses: str | None, only: bool = False) -> "Source":
        """The source of these numeric addresses, the first of each family. None and '' are no addresses."""
        given = [address for address in addresses if address]
        ipv4 = next((address for address in given if parsed(address).version == 4), None)
        ipv6 = next((address for address in given if parsed(address).version == 6), None)
        return cls(ipv4, ipv6, only)

    def __str__(self) -> str:
        """The addresses, '' where the system chooses."""
        return ", ".join(filter(None, (self.ipv4, self.ipv6)))

    def bind(self, sock: socket.socket) -> None:
        """Lets a new socket leave from here. Raises `OSError` where this machine has no such address."""
        ours = self.ipv6 if sock.family == socket.AF_INET6 else self.ipv4
        if ours:
            sock.bind((ours, 0))
        elif self.only:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))


@dataclass(frozen=True, slots=True)
class WayOut:
    """`policy` says where to, `source` from where."""

    policy: AddressPolicy = field(default_factory=AddressPolicy)
    source: Source = field(default_factory=Source)

    def socket_to(self, address: str, port: int) -> socket.socket:
        """A socket for the connection to a numeric address, bound to its source.

        The policy is asked here, at every connection, of the very address that is connected to: whatever a name says by
        now, and wherever the address was kept meanwhile. Raises `Fault` where it says no, and `OSError`.
        """
        require(self.policy, address, port)
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.source.bind(sock)
        except OSError:
            sock.close()
            raise
        return sock


def require(policy: AddressPolicy, address: str, port: int) -> None:
    """Raises `Fault` where the policy does not let us connect there. It tells no address: a name may lead inside."""
    if not policy.admits(address):
        raise Fault(Code.ADDRESS_NOT_ALLOWED)
    if not policy.admits_port(address, port):
        raise Fault(Code.ADDRESS_PORT, port=str(port))
