"""Whom a check trusts: the TLS contexts that decide and that log in. One is kept for each set of authorities."""

import functools
import ssl
from dataclasses import dataclass

import certifi

from checks.clients.profile import Ciphers, TlsVersion
from checks.model import Invalid
from checks.x509.certificates import Names
from checks.x509.trust_store import PEM

_READING = ssl.VerifyFlags.VERIFY_X509_TRUSTED_FIRST
_MINIMUM: dict[TlsVersion, ssl.TLSVersion] = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
_CIPHERS: dict[Ciphers, str] = {
    # What CPython has asked OpenSSL for since 3.10 (bpo-43998), where its distributor has not said otherwise.
    "python": "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM",
    "openssl": "DEFAULT:@SECLEVEL=2",
}
STRICT_READING = ssl.VerifyFlags.VERIFY_X509_STRICT | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a check trusts: certifi's roots, and the CAs of `ca_pem` (PEM text) for one domain only.

    `x509_strict`, `ciphers`, `minimum`, `names`: how the client that will connect reads certificates, and what it
    offers; see `new_context`.
    """

    ca_pem: str = ""
    x509_strict: bool = False
    ciphers: Ciphers = "python"
    minimum: TlsVersion = "TLSv1.2"
    names: Names = "openssl"

    def __post_init__(self) -> None:
        if self.ca_pem:
            self.strict  # noqa: B018 - raises Invalid while somebody is there to read it

    @property
    def strict(self) -> ssl.SSLContext:
        """The context that decides and that logs in."""
        return _strict(self)

    @property
    def insecure(self) -> ssl.SSLContext:
        """The context for a domain whose admin allows insecure certificates, and for what-ifs."""
        return insecure_context(self.ciphers, self.minimum)


class NamesAsNode(ssl.SSLContext):
    """A context that verifies chains and leaves the host's name to `checks.tls.handshake`, as Node does after the
    handshake (`tls.checkServerIdentity`): OpenSSL knows no such rule."""


def new_context(
    *,
    x509_strict: bool = False,
    ciphers: Ciphers = "python",
    minimum: TlsVersion = "TLSv1.2",
    names: Names = "openssl",
) -> ssl.SSLContext:
    """A context that verifies, with the public roots; the same one on every Python, whoever built it.

    `x509_strict` adds what Python's default contexts have from 3.13 on: the rules of RFC 5280 that OpenSSL leaves out
    otherwise, and trust in whatever the store holds. https://docs.python.org/3/library/ssl.html#ssl.create_default_context
    `names`: by whose rule a certificate covers a host.
    """
    if names == "node":
        context: ssl.SSLContext = NamesAsNode(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(certifi.where())
    else:
        context = ssl.create_default_context(cafile=certifi.where())
        context.hostname_checks_common_name = names != "requests"  # urllib3, below requests, looks at none since 2.0
    context.verify_flags = _READING | (STRICT_READING if x509_strict else ssl.VerifyFlags.VERIFY_DEFAULT)
    # Debian's Python leaves the oldest version to the system's settings.
    context.minimum_version = _MINIMUM[minimum]
    context.set_ciphers(_CIPHERS[ciphers])
    return context


# Loading the roots takes 30 ms, so contexts are kept: as many as domains with a CA of their own are likely to be busy.
@functools.lru_cache(maxsize=64)
def _strict(trust: Trust) -> ssl.SSLContext:
    context = new_context(
        x509_strict=trust.x509_strict, ciphers=trust.ciphers, minimum=trust.minimum, names=trust.names
    )
    if trust.ca_pem:
        # Only the certificates themselves: bundles have comments between them, in any language.
        certificates = "\n".join(PEM.findall(trust.ca_pem))
        try:
            context.load_verify_locations(cadata=certificates)
        except (ssl.SSLError, ValueError):
            raise Invalid("the CA file holds no certificate in PEM form", "ca_file") from None
    return context


@functools.lru_cache(maxsize=4)
def insecure_context(ciphers: Ciphers, minimum: TlsVersion = "TLSv1.2") -> ssl.SSLContext:
    """A context that verifies nothing."""
    context = new_context(ciphers=ciphers, minimum=minimum)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
