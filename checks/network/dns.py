"""What the DNS says, beyond addresses: MX, SRV and TXT records, and whether a validating resolver vouches for them."""

import contextlib
import ipaddress
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import dns.exception
import dns.flags
import dns.name
import dns.rdata
import dns.rdatatype
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.TXT
import dns.rdtypes.IN.SRV
import dns.resolver

from checks.codes import Code
from checks.model import Fault
from checks.network.dial import Deadline

Kind = Literal["MX", "SRV", "TXT"]
MOST_RECORDS = 20
_LOOK_UP_SECONDS = 5.0
_ONE_SERVER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Record:
    """One record. MX has `priority` and `target`, SRV all but `text`, TXT only `text`.

    `target` is a host name in lower case without the final dot; '' is the root, by which a service is declined.
    """

    priority: int = 0
    weight: int = 0
    port: int = 0
    target: str = ""
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """The records of a name, at most `MOST_RECORDS`; none where there is no such name.

    `authenticated`: a resolver on this machine says that DNSSEC vouches for them (RFC 4035, 3.2.3).
    """

    records: tuple[Record, ...] = ()
    authenticated: bool = False


class Dns(typing.Protocol):
    """Whoever answers questions to the DNS."""

    def ask(self, name: str, kind: Kind, deadline: Deadline) -> Answer:
        """The records of a name. Raises `Fault(dns.temporary)` where nobody answers in time."""


class SystemDns:
    """The resolvers that this machine is set to use, or those that are given."""

    def __init__(self, resolver: dns.resolver.Resolver | None = None) -> None:
        self._given = resolver

    def ask(self, name: str, kind: Kind, deadline: Deadline) -> Answer:
        """See `Dns`. A name that cannot be one has no records."""
        try:
            resolver = self._resolver
            seconds = min(_LOOK_UP_SECONDS, deadline.remaining())
            found = resolver.resolve(name + ".", kind, lifetime=seconds, search=False, raise_on_no_answer=False)
        except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
            return Answer()
        except dns.exception.DNSException as error:
            raise Fault(Code.DNS_TEMPORARY, _words(error)) from None
        records = tuple(_record(data) for data in list(found.rrset or ())[:MOST_RECORDS])
        authenticated = bool(found.response.flags & dns.flags.AD) and _on_this_machine(found.nameserver)
        return Answer(records, authenticated and (self._given is not None or _says_that_it_validates()))

    @property
    def _resolver(self) -> dns.resolver.Resolver:
        """Read anew each time: resolv.conf may have changed. Raises `DNSException` where there is none."""
        resolver = self._given or dns.resolver.Resolver()
        resolver.timeout = _ONE_SERVER_SECONDS
        # Asking with AD, without DO: "say whether it is authenticated, I need no signatures" (RFC 6840, 5.7).
        resolver.flags = dns.flags.RD | dns.flags.AD
        resolver.use_edns(0)
        return resolver


def _record(data: dns.rdata.Rdata) -> Record:
    if isinstance(data, dns.rdtypes.ANY.MX.MX):
        return Record(priority=data.preference, target=_host(data.exchange))
    if isinstance(data, dns.rdtypes.IN.SRV.SRV):
        return Record(data.priority, data.weight, data.port, _host(data.target))
    if isinstance(data, dns.rdtypes.ANY.TXT.TXT):
        return Record(text=b"".join(data.strings))  # pieces of one text (RFC 7208, 3.3)
    return Record()


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""


def _on_this_machine(nameserver: object) -> bool:
    """An answer that came over the network could have been given its AD flag by anybody on the way."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(str(nameserver)).is_loopback
    return False


def _says_that_it_validates(path: Path = Path("/etc/resolv.conf")) -> bool:
    """Whether this machine says that its resolver's AD flag is to be believed: `options trust-ad` (resolv.conf(5)).

    A forwarder on this machine, such as a container's, may pass on the flag of whoever is on the way.
    """
    with contextlib.suppress(OSError):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return any("trust-ad" in words for line in lines if (words := line.split())[:1] == ["options"])
    return False


def _words(error: dns.exception.DNSException) -> str:
    if isinstance(error, dns.exception.Timeout):
        return "the resolver did not answer in time"
    if isinstance(error, dns.resolver.NoNameservers):
        return "no resolver could answer"
    return f"the resolver failed: {type(error).__name__}"
