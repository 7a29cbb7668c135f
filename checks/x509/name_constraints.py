"""Name constraints (RFC 5280, 4.2.1.10): whether a CA may issue for the names of a certificate below it. Pure."""

import ipaddress
from collections.abc import Callable, Iterable, Sequence

from cryptography import x509

from checks.x509.certificates import UNREADABLE, common_names, extension, names

NAME_CHECK_MAX = 1 << 20
"""Pairs of names and constraints beyond which OpenSSL refuses to compare, and so do we."""


def violated(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether the authority may not issue for a DNS name, an address or the subject of the certificate."""
    constraints = extension(authority, x509.NameConstraints)
    if constraints is None:
        return False
    permitted, excluded = constraints.permitted_subtrees or [], constraints.excluded_subtrees or []
    hosts, addresses = _names_of(certificate)
    if (len(hosts) + len(addresses) + 1) * (len(permitted) + len(excluded)) > NAME_CHECK_MAX:
        return True
    return (
        _outside(hosts, _dns(permitted), _dns(excluded), _within)
        or _outside(addresses, _networks(permitted), _networks(excluded), _inside)
        or _subject_outside(certificate, permitted, excluded)
    )


def _names_of(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    hosts: list[str] = []
    addresses: list[str] = []
    for name in names(certificate):
        (addresses if _is_address(name) else hosts).append(name)
    # OpenSSL takes a common name for a host only where there are no alternative names
    return [name for name in hosts if "." in name or name not in common_names(certificate)], addresses


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _dns(subtrees: Iterable[x509.GeneralName]) -> list[str]:
    return [item.value.lower() for item in subtrees if isinstance(item, x509.DNSName)]


def _networks(subtrees: Iterable[x509.GeneralName]) -> list[str]:
    return [str(item.value) for item in subtrees if isinstance(item, x509.IPAddress)]


def _outside(
    found: Sequence[str], permitted: Sequence[str], excluded: Sequence[str], fits: Callable[[str, str], bool]
) -> bool:
    for name in found:
        if any(fits(name, item) for item in excluded):
            return True
        if permitted and not any(fits(name, item) for item in permitted):
            return True
    return False


def _within(name: str, constraint: str) -> bool:
    """A host below a domain, or the domain itself; with a leading dot only what is below."""
    if constraint.startswith("."):
        return name.lower().endswith(constraint)
    return not constraint or name.lower() == constraint or name.lower().endswith(f".{constraint}")


def _inside(name: str, constraint: str) -> bool:
    try:
        return ipaddress.ip_address(name) in ipaddress.ip_network(constraint)
    except ValueError:
        return False


def _subject_outside(
    certificate: x509.Certificate, permitted: Sequence[x509.GeneralName], excluded: Sequence[x509.GeneralName]
) -> bool:
    try:
        own = certificate.subject.rdns
        allowed, denied = (
            [item.value.rdns for item in each if isinstance(item, x509.DirectoryName)] for each in (permitted, excluded)
        )
    except UNREADABLE:
        return False
    if not own:
        return False
    return any(own[: len(item)] == item for item in denied) or (
        bool(allowed) and not any(own[: len(item)] == item for item in allowed)
    )
