"""Name constraints (RFC 5280, 4.2.1.10): whether a CA may issue for the names of the certificates below it. Pure.

A chain of a stranger may hold thousands of names and thousands of constraints. Constraints are looked up, never gone
through name by name, and `LOOKUPS_MAX` bounds what a whole chain may cost.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography import x509

from checks.x509.certificates import UNREADABLE, common_names, extension, names

NAME_CHECK_MAX = 1 << 20
"""Pairs of names and constraints beyond which OpenSSL refuses to compare, and so do we."""
LOOKUPS_MAX = 50_000
"""Look-ups for a whole chain; whoever needs more is not looked into further. OpenSSL's verdict stands in any case."""

_SELF, _BELOW = ".self", ".below"  # marks within a tree of labels: no label holds a dot
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def violated(path: Sequence[x509.Certificate]) -> frozenset[int]:
    """The places in a path, from the leaf upwards, of the CAs that may not issue for a certificate below them.

    Told by DNS names, addresses and subjects.
    """
    found = set()
    bearers: list[_Names] = []
    left = LOOKUPS_MAX
    for depth, certificate in enumerate(path):
        limits = _limits(certificate) if depth else None
        if limits is not None:
            left -= sum(map(limits.cost, bearers))
            if left < 0:
                break
            if any(map(limits.forbid, bearers)):
                found.add(depth)
        bearers.append(_names_of(certificate))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Names:
    hosts: tuple[str, ...]
    addresses: tuple[_Address, ...]
    subject: tuple[x509.RelativeDistinguishedName, ...]


def _names_of(certificate: x509.Certificate) -> _Names:
    hosts: list[str] = []
    addresses: list[_Address] = []
    common = frozenset(common_names(certificate))
    for name in names(certificate):
        try:
            addresses.append(ipaddress.ip_address(name))
        except ValueError:
            # OpenSSL takes a common name for a host only where there are no alternative names
            if "." in name or name not in common:
                hosts.append(name.lower())
    try:
        subject = tuple(certificate.subject.rdns)
    except UNREADABLE:
        subject = ()
    return _Names(tuple(hosts), tuple(addresses), subject)


@dataclass(frozen=True, slots=True)
class _Limits:
    """The constraints of one CA."""

    permitted: "_Subtrees"
    excluded: "_Subtrees"

    def cost(self, bearer: _Names) -> int:
        """How many look-ups it takes to judge a certificate."""
        lengths = self.permitted.networks.lengths + self.excluded.networks.lengths
        labels = sum(host.count(".") + 1 for host in bearer.hosts)
        subjects = self.permitted.subjects.count + self.excluded.subjects.count
        return 1 + labels + len(bearer.addresses) * (1 + lengths) + subjects

    def forbid(self, bearer: _Names) -> bool:
        """Whether the CA may not issue for a certificate."""
        count = len(bearer.hosts) + len(bearer.addresses) + 1
        if count * (self.permitted.count + self.excluded.count) > NAME_CHECK_MAX:
            return True
        return (
            any(_refused(self.permitted.hosts, self.excluded.hosts, host) for host in bearer.hosts)
            or any(_refused(self.permitted.networks, self.excluded.networks, item) for item in bearer.addresses)
            or (bool(bearer.subject) and _refused(self.permitted.subjects, self.excluded.subjects, bearer.subject))
        )


def _refused(permitted: "_Kind", excluded: "_Kind", name: object) -> bool:
    return excluded.covers(name) or (permitted.count > 0 and not permitted.covers(name))


def _limits(authority: x509.Certificate) -> _Limits | None:
    constraints = extension(authority, x509.NameConstraints)
    if constraints is None:
        return None
    return _Limits(_Subtrees(constraints.permitted_subtrees or ()), _Subtrees(constraints.excluded_subtrees or ()))


class _Subtrees:
    """The permitted or the excluded ones, by kind. `count`: of all kinds, those that nobody here knows too."""

    def __init__(self, subtrees: Sequence[x509.GeneralName]) -> None:
        self.count = len(subtrees)
        self.hosts = _Hosts(item.value.lower() for item in subtrees if isinstance(item, x509.DNSName))
        self.networks = _Networks(item.value for item in subtrees if isinstance(item, x509.IPAddress))
        self.subjects = _Subjects(item.value for item in subtrees if isinstance(item, x509.DirectoryName))


class _Kind(Protocol):
    count: int

    def covers(self, name: object) -> bool:
        """Whether a name is within one of the subtrees."""


class _Hosts:
    """Domains by their labels from the right, so that a host is looked up in as many steps as it has labels.

    A constraint covers a host below it, or the domain itself; with a leading dot only what is below.
    """

    def __init__(self, constraints: Iterable[str]) -> None:
        self.count = 0
        self._tree: dict[str, Any] = {}
        for constraint in constraints:
            self.count += 1
            node: dict[str, Any] = self._tree
            below = constraint.startswith(".")
            for label in reversed((constraint[1:] if below else constraint).split(".")) if constraint else ():
                node = node.setdefault(label, {})
            node[_BELOW if below or not constraint else _SELF] = {}

    def covers(self, name: object) -> bool:
        node: dict[str, Any] | None = self._tree
        for label in reversed(str(name).split(".")):
            if node is None or _BELOW in node or _SELF in node:
                return node is not None
            node = node.get(label)
        return node is not None and _SELF in node


class _Networks:
    """Networks by the length of their prefix; `lengths` is how many lengths there are."""

    def __init__(self, networks: Iterable[object]) -> None:
        self.count = 0
        self._known: dict[tuple[int, int], set[int]] = defaultdict(set)
        for network in networks:
            self.count += 1
            if isinstance(network, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
                shift = network.max_prefixlen - network.prefixlen
                self._known[network.version, shift].add(int(network.network_address) >> shift)

    @property
    def lengths(self) -> int:
        return len(self._known)

    def covers(self, name: object) -> bool:
        if not isinstance(name, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
            return False
        return any(
            version == name.version and int(name) >> shift in known for (version, shift), known in self._known.items()
        )


class _Subjects:
    """Directory names: one covers every name that begins with it."""

    def __init__(self, constraints: Iterable[x509.Name]) -> None:
        self._known = list(_rdns(constraints))
        self.count = len(self._known)

    def covers(self, name: object) -> bool:
        return isinstance(name, tuple) and any(name[: len(item)] == item for item in self._known)


def _rdns(constraints: Iterable[x509.Name]) -> Iterator[tuple[x509.RelativeDistinguishedName, ...]]:
    for constraint in constraints:
        try:
            yield tuple(constraint.rdns)
        except UNREADABLE:
            continue
