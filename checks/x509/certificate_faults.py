"""What is wrong with the certificates of a path, each for itself: time, name, strength, fitness, damage. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from checks.codes import Code
from checks.model import Facts
from checks.x509 import certificates, issuer_rules, keys, name_constraints
from checks.x509.certificates import Names, subject
from checks.x509.paths import End, Path


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause. `about` is the certificate that it is about, where there is one."""

    code: Code
    facts: Facts = field(default_factory=dict)
    about: x509.Certificate | None = None


def flaws(path: Path, host: str, now: datetime, names: Names = "openssl") -> Iterator[Cause]:
    """What is wrong with each certificate, from the leaf upwards; whom the path leads to is not asked here."""
    yield from _of_leaf(path.leaf, host, names)
    violated = name_constraints.violated(path.certificates)
    for depth, item in enumerate(path.certificates):
        anchor = path.end is End.TRUSTED and depth == len(path.certificates) - 1
        yield from _of_time(item, now, intermediate=depth > 0 and not certificates.self_issued(item))
        yield from _of_strength(item, anchor=anchor)
        if depth:
            yield from _of_authority(path.certificates, depth, constrained=depth in violated)
        elif issuer_rules.unknown_critical(item):
            yield Cause(Code.TLS_CRITICAL_EXTENSION, _facts(item), item)


def _of_leaf(leaf: x509.Certificate, host: str, names: Names) -> Iterator[Cause]:
    if not certificates.covers(leaf, host, names):
        covered = certificates.names(leaf, names)
        facts = {"names": ", ".join(covered[:10]) or "-", "host": host, "count": str(len(covered))}
        yield Cause(Code.TLS_NAME_MISMATCH, facts | _near_miss(leaf, host, names), leaf)
    if not issuer_rules.for_servers(leaf) or not issuer_rules.key_may_serve(leaf):
        yield Cause(Code.TLS_WRONG_PURPOSE, _facts(leaf), leaf)


def _near_miss(leaf: x509.Certificate, host: str, names: Names) -> dict[str, str]:
    """Why a name that looks right is none for this host: OpenSSL would take it, or Node."""
    if names == "requests" and certificates.by_common_name(leaf, host):
        return {"because": "common_name"}
    if not certificates.covers(leaf, host, "node"):
        return {}
    return {"because": "wildcard_underscore" if "_" in host.partition(".")[0] else "wildcard_part"}


def _of_time(item: x509.Certificate, now: datetime, *, intermediate: bool) -> Iterator[Cause]:
    if item.not_valid_after_utc < now:
        code = Code.TLS_INTERMEDIATE_EXPIRED if intermediate else Code.TLS_EXPIRED
        yield Cause(code, _facts(item) | {"date": item.not_valid_after_utc.date().isoformat()}, item)
    if item.not_valid_before_utc > now:
        facts = _facts(item) | {"date": item.not_valid_before_utc.date().isoformat()}
        yield Cause(Code.TLS_NOT_YET_VALID, facts, item)


def _of_strength(item: x509.Certificate, *, anchor: bool) -> Iterator[Cause]:
    if keys.weak_key(item):
        yield Cause(Code.TLS_WEAK_KEY, _facts(item), item)
    # Nobody looks at the signature of what is trusted by itself, or that nobody else made.
    if not anchor and not certificates.self_issued(item) and keys.weak_signature(item):
        yield Cause(Code.TLS_WEAK_SIGNATURE, _facts(item), item)


def _of_authority(path: Sequence[x509.Certificate], depth: int, *, constrained: bool) -> Iterator[Cause]:
    item, below = path[depth], path[:depth]
    checks = (
        (Code.TLS_WRONG_PURPOSE, not issuer_rules.for_servers(item)),
        (Code.TLS_BAD_CERTIFICATE, not certificates.readable(item)),
        (Code.TLS_NOT_A_CA, certificates.readable(item) and not issuer_rules.is_ca(item)),
        (Code.TLS_PATH_LENGTH, _too_long(item, below)),
        (Code.TLS_NAME_CONSTRAINTS, constrained),
        (Code.TLS_CRITICAL_EXTENSION, issuer_rules.unknown_critical(item)),
    )
    for code, holds in checks:
        if holds:
            yield Cause(code, _facts(item), item)
    if not certificates.signed_by(below[-1], item):
        yield Cause(Code.TLS_BAD_SIGNATURE, _facts(below[-1]), below[-1])


def _too_long(item: x509.Certificate, below: Sequence[x509.Certificate]) -> bool:
    """RFC 5280, 4.2.1.9: intermediates below it, without those that are self-issued."""
    allowed = issuer_rules.path_length(item)
    between = sum(not certificates.self_issued(each) for each in below[1:])
    return allowed is not None and between > allowed


def _facts(certificate: x509.Certificate) -> dict[str, str]:
    return {"subject": subject(certificate)}
