"""The way from a leaf upwards, as far as certificates are at hand. Pure; OpenSSL has its own, which decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from checks.x509.certificates import same_name, self_issued, signed_by
from checks.x509.issuer_rules import identifiers_agree
from checks.x509.trust_store import Store

MAX_PATH = 32


class End(StrEnum):
    """Where a way upwards ends."""

    TRUSTED = "trusted"
    """In a certificate of the store."""
    SELF_SIGNED = "self_signed"
    """In a self-signed certificate that nobody trusts: a private root, or the leaf itself."""
    MISSING = "missing"
    """Below an issuer that is not at hand."""
    CUT = "cut"
    """Above what is looked at: the chain goes on."""


@dataclass(frozen=True, slots=True)
class Path:
    """Certificates from the leaf upwards. The last one is the store's where `end` is `TRUSTED`."""

    certificates: tuple[x509.Certificate, ...]
    end: End

    @property
    def leaf(self) -> x509.Certificate:
        return self.certificates[0]

    @property
    def top(self) -> x509.Certificate:
        return self.certificates[-1]

    @property
    def authorities(self) -> tuple[x509.Certificate, ...]:
        """Between the leaf and the store's certificate, or up to the end where there is none."""
        return self.certificates[1:-1] if self.end is End.TRUSTED else self.certificates[1:]

    @property
    def private_root(self) -> x509.Certificate | None:
        """The self-signed authority that it leads to, which nobody trusts."""
        return self.top if self.end is End.SELF_SIGNED and len(self.certificates) > 1 else None

    def lacking(self, sent: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
        """The intermediates of it that were not sent."""
        return tuple(item for item in self.authorities if item not in sent and not self_issued(item))


def build(leaf: x509.Certificate, at_hand: Sequence[x509.Certificate], store: Store, now: datetime) -> Path:
    """The most promising path. `at_hand` are the certificates that were sent, and those found elsewhere, in order."""
    path = [leaf]
    while len(path) < MAX_PATH:
        if store.trusts(path[-1]):
            return Path(tuple(path), End.TRUSTED)
        if self_issued(path[-1]):
            return Path(tuple(path), End.SELF_SIGNED)
        issuer = _issuer(path, [*store.issuers(path[-1]), *at_hand], now)
        if issuer is None:
            return Path(tuple(path), End.MISSING)
        path.append(issuer)
    return Path(tuple(path), End.CUT)


def _issuer(
    path: Sequence[x509.Certificate], candidates: Iterable[x509.Certificate], now: datetime
) -> x509.Certificate | None:
    """As OpenSSL, by name and key identifier, the store first; but one that really signed, and is valid, before others.

    What nobody signed is still explained best by the issuer that it names.
    """
    below = path[-1]
    fitting = [item for item in candidates if item not in path and fits(below, item)]
    return min(fitting, key=lambda item: (not signed_by(below, item), not current(item, now)), default=None)


def fits(certificate: x509.Certificate, candidate: x509.Certificate) -> bool:
    """Whether a candidate is the issuer by name and, where both have them, by key identifiers."""
    return same_name(certificate, candidate) and identifiers_agree(certificate, candidate)


def current(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether it is valid today."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
