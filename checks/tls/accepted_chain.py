"""What to know about a chain that was accepted. Pure: the certificates as sent, the path that OpenSSL built, a time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography import x509

from checks.codes import Code
from checks.model import Warn
from checks.tls.handshake import Handshake
from checks.x509 import certificates, issuer_rules
from checks.x509.certificates import subject

EXPIRES_SOON = 0.2  # of the leaf's lifetime left: lifetimes shrink, so a number of days would age


def warnings(
    sent: Sequence[x509.Certificate], path: Sequence[x509.Certificate], host: str, now: datetime
) -> tuple[Warn, ...]:
    """The warnings in their order. `path` is the verified one, from leaf to root; empty where it is not known."""
    if not sent:
        return ()
    return (*_expiry(path[:-1] if len(path) > 1 else sent, now), *_lasting(tuple(sent), tuple(path), host))


@lru_cache(certificates.KEPT)
def _lasting(sent: tuple[x509.Certificate, ...], path: tuple[x509.Certificate, ...], host: str) -> tuple[Warn, ...]:
    """What does not depend on the time."""
    found = [*_surplus(sent, path), *_root(sent, path)] if path else []
    if certificates.by_common_name(sent[0], host):
        found.append(Warn(Code.TLS_CN_ONLY, {"subject": subject(sent[0])}))
    return tuple(found)


def _expiry(path: Sequence[x509.Certificate], now: datetime) -> Iterator[Warn]:
    """The certificate that ends first, when the leaf would be due for renewal.

    Measured by the leaf's lifetime: a fifth of an intermediate's is years. One that has ended already is of no use to
    a chain that was accepted without it.
    """
    lifetime = path[0].not_valid_after_utc - path[0].not_valid_before_utc
    living = [item for item in path if item.not_valid_after_utc > now] or [path[0]]
    soonest = min(living, key=lambda item: item.not_valid_after_utc)
    left = soonest.not_valid_after_utc - now
    if left <= lifetime * EXPIRES_SOON:
        date = soonest.not_valid_after_utc.date().isoformat()
        yield Warn(Code.TLS_EXPIRES_SOON, {"subject": subject(soonest), "date": date, "days": str(left.days)})


def _surplus(sent: Sequence[x509.Certificate], path: Sequence[x509.Certificate]) -> Iterator[Warn]:
    """RFC 8446, 4.4.2: each certificate certifies the one before it; others are borne, and cost every client bytes."""
    needed = [item for number, item in enumerate(sent) if item in path and item not in sent[:number]]
    surplus = [item for number, item in enumerate(sent) if item not in path or item in sent[:number]]
    if surplus:
        names = ", ".join(map(subject, surplus[:5]))
        yield Warn(Code.TLS_UNNEEDED_CERTIFICATES, {"names": names, "count": str(len(surplus))})
    if needed != [item for item in path if item in needed]:
        yield Warn(Code.TLS_UNORDERED_CHAIN, {"names": ", ".join(map(subject, needed[1:]))})


def _root(sent: Sequence[x509.Certificate], path: Sequence[x509.Certificate]) -> Iterator[Warn]:
    if len(path) > 1 and path[-1] in sent and certificates.self_issued(path[-1]):
        yield Warn(Code.TLS_ROOT_SENT, {"subject": subject(path[-1])})


def differing(met: Handshake, elsewhere: Mapping[str, Handshake]) -> tuple[Warn, ...]:
    """Addresses of the same name that send another certificate, or are refused where the first is not, or not so."""
    other = [
        address
        for address, item in elsewhere.items()
        if item.key and (item.chain[:1] != met.chain[:1] or (item.refusal is None) != (met.refusal is None))
    ]
    return (Warn(Code.TLS_ADDRESSES_DIFFER, {"addresses": ", ".join(other)}),) if other else ()


def strict_suspect(path: Sequence[x509.Certificate]) -> bool:
    """Whether it is worth asking OpenSSL what Python 3.13 and later would say."""
    last = len(path) - 1
    return any(issuer_rules.strict_suspect(item, anchor=depth == last) for depth, item in enumerate(path))
