"""The trust store as certificates, to tell where a chain ends. OpenSSL has its own copy, and that one decides."""

import functools
import re
import ssl
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import certifi
from cryptography import x509

from checks.x509.certificates import UNREADABLE, load, self_issued

PEM = re.compile("-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----", re.ASCII)


@dataclass(frozen=True, slots=True)
class Store:
    """Certificates by their subject in DER form. `partial`: each is trusted by itself, not only the self-issued ones
    (VERIFY_X509_PARTIAL_CHAIN)."""

    by_subject: dict[bytes, list[x509.Certificate]] = field(repr=False)
    partial: bool = False

    def issuers(self, certificate: x509.Certificate) -> list[x509.Certificate]:
        """The certificates that may have issued this one, by name."""
        return self.by_subject.get(_name(certificate, "issuer"), [])

    def trusts(self, certificate: x509.Certificate) -> bool:
        """Whether a chain may end here."""
        known = self.by_subject.get(_name(certificate, "subject"), ())
        return certificate in known and (self.partial or self_issued(certificate))


@functools.lru_cache(maxsize=16)
def store_of(ca_pem: str, *, partial: bool = False) -> Store:
    """Certifi's roots and those of `ca_pem`. Certificates that cannot be read are left out."""
    found = defaultdict(list)
    for pem in (*PEM.findall(ca_pem), *_certifi()):
        certificate = load(ssl.PEM_cert_to_DER_cert(pem)) if isinstance(pem, str) else pem
        if certificate is not None:
            found[_name(certificate, "subject")].append(certificate)
    return Store(dict(found), partial)


@functools.lru_cache(maxsize=1)
def _certifi() -> tuple[x509.Certificate, ...]:
    ders = map(ssl.PEM_cert_to_DER_cert, PEM.findall(Path(certifi.where()).read_text("utf-8")))
    return tuple(certificate for der in ders if (certificate := load(der)) is not None)


def _name(certificate: x509.Certificate, which: str) -> bytes:
    try:
        return (certificate.subject if which == "subject" else certificate.issuer).public_bytes()
    except UNREADABLE:
        return b""
