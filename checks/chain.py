"""Why a chain was refused. Pure: certificates, a host, a time and OpenSSL's first error in; causes out."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from checks.model import Code, Warn

# OpenSSL's verification errors (X509_V_ERR_*). Only the first one met is reported: 62 hides 10, 18 hides both.
_FIRST = {
    9: Code.TLS_NOT_YET_VALID,
    10: Code.TLS_EXPIRED,
    18: Code.TLS_SELF_SIGNED,
    19: Code.TLS_UNTRUSTED_ROOT,
    20: Code.TLS_UNTRUSTED_ROOT,
    21: Code.TLS_UNTRUSTED_ROOT,
    62: Code.TLS_NAME_MISMATCH,
    64: Code.TLS_NAME_MISMATCH,
}
EXPIRES_SOON = 0.2  # of the leaf's lifetime left: lifetimes shrink, so a number of days would age


def causes(chain: Sequence[x509.Certificate], host: str, now: datetime, verify_code: int) -> list[Warn]:
    """All causes that can be read from the presented chain, OpenSSL's own first. Never empty."""
    first = _FIRST.get(verify_code, Code.TLS_BAD_CERTIFICATE)
    if not chain:
        return [Warn(first)]
    found = {first: _facts_of(first, chain, host, now)}
    for code, holds in _readable(chain, host, now):
        if holds and code not in found:
            found[code] = _facts_of(code, chain, host, now)
    return [Warn(code, facts) for code, facts in found.items()]


def _readable(chain: Sequence[x509.Certificate], host: str, now: datetime) -> list[tuple[Code, bool]]:
    return [
        (Code.TLS_SELF_SIGNED, self_signed(chain[0])),
        (Code.TLS_EXPIRED, chain[0].not_valid_after_utc < now),
        (Code.TLS_NOT_YET_VALID, chain[0].not_valid_before_utc > now),
        (Code.TLS_NAME_MISMATCH, not covers(chain[0], host)),
    ]


def _facts_of(code: Code, chain: Sequence[x509.Certificate], host: str, now: datetime) -> dict[str, str]:
    leaf = chain[0]
    if code is Code.TLS_EXPIRED:
        late = next((item for item in chain if item.not_valid_after_utc < now), leaf)
        return _subject(late) | {"date": late.not_valid_after_utc.date().isoformat()}
    if code is Code.TLS_NOT_YET_VALID:
        early = next((item for item in chain if item.not_valid_before_utc > now), leaf)
        return _subject(early) | {"date": early.not_valid_before_utc.date().isoformat()}
    if code is Code.TLS_NAME_MISMATCH:
        return {"names": ", ".join(names(leaf)[:10]) or "-", "host": host}
    return _subject(leaf) | {"issuer": _issuer(chain[-1])}


# `subject` and `issuer` are decoded when they are asked for; a stranger's certificate may hold what cannot be.


def _subject(certificate: x509.Certificate) -> dict[str, str]:
    try:
        return {"subject": certificate.subject.rfc4514_string()[:200] or "-"}
    except ValueError:
        return {"subject": "-"}


def _issuer(certificate: x509.Certificate) -> str:
    try:
        return certificate.issuer.rfc4514_string()[:200] or "-"
    except ValueError:
        return "-"


def self_signed(certificate: x509.Certificate) -> bool:
    """Whether the certificate was signed with its own key."""
    try:
        certificate.verify_directly_issued_by(certificate)  # ValueError where issuer and subject differ
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def names(certificate: x509.Certificate) -> list[str]:
    """The host names and IP addresses that a certificate covers.

    From subjectAltName (RFC 9525, 2); without one the common name, because OpenSSL, which decides, still takes it.
    """
    hosts, addresses = _covered(certificate)
    return hosts + addresses


def _covered(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    try:
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return _common_names(certificate), []
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return [], []
    return san.get_values_for_type(x509.DNSName), list(map(str, san.get_values_for_type(x509.IPAddress)))


def _common_names(certificate: x509.Certificate) -> list[str]:
    try:
        return [str(item.value) for item in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except ValueError:
        return []


def covers(certificate: x509.Certificate, host: str) -> bool:
    """Whether a certificate covers a host (RFC 9525, 6.3: a wildcard stands for the whole left-most label)."""
    hosts, addresses = _covered(certificate)
    try:
        return str(ipaddress.ip_address(host)) in addresses
    except ValueError:
        return any(_matches(name.lower(), host.lower()) for name in hosts)


def _matches(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return pattern == host


def warnings(chain: Sequence[x509.Certificate], now: datetime) -> tuple[Warn, ...]:
    """What to know about an accepted chain: the certificate that ends first, when the leaf would be due for renewal.

    Measured by the leaf's lifetime: a fifth of an intermediate's is years. One that has ended already is of no use to
    a chain that was accepted without it.
    """
    if not chain:
        return ()
    lifetime = chain[0].not_valid_after_utc - chain[0].not_valid_before_utc
    current = [item for item in chain if item.not_valid_after_utc > now] or [chain[0]]
    soonest = min(current, key=lambda item: item.not_valid_after_utc)
    left = soonest.not_valid_after_utc - now
    if left > lifetime * EXPIRES_SOON:
        return ()
    facts = _subject(soonest) | {"date": soonest.not_valid_after_utc.date().isoformat(), "days": str(left.days)}
    return (Warn(Code.TLS_EXPIRES_SOON, facts),)


def utc_now() -> datetime:
    """The time that judgements are made at."""
    return datetime.now(UTC)
