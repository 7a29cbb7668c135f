"""Contexts for a handshake that asks "what if": each is new, so the one that decides and logs in is never changed."""

import functools
import ssl
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from checks.trust import Trust, new_context
from checks.x509.trust_store import PEM

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME; `ssl` has no name for it


@dataclass(frozen=True, slots=True)
class Supposition:
    """What is supposed: these certificates are at hand (`known`, trusted where self-signed), time is no matter, the
    client is as strict as Python's are from 3.13 on."""

    known: tuple[x509.Certificate, ...] = ()
    ignore_time: bool = False
    strict: bool = False


def context_for(trust: Trust, supposed: Supposition) -> ssl.SSLContext:
    """The context that verifies with the same store and the supposition. About 20 ms."""
    strict = trust.x509_strict or supposed.strict
    context = new_context(x509_strict=strict, ciphers=trust.ciphers, minimum=trust.minimum, names=trust.names)
    if trust.ca_pem:
        context.load_verify_locations(cadata="\n".join(PEM.findall(trust.ca_pem)))
    if supposed.known:
        # With partial chains a known intermediate would be trusted by itself.
        context.verify_flags &= ~ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=_joined(supposed.known))
    if supposed.ignore_time:
        context.verify_flags |= _NO_CHECK_TIME
    return context


def _joined(found: Sequence[x509.Certificate]) -> bytes:
    return b"".join(item.public_bytes(Encoding.DER) for item in found)


@functools.lru_cache(maxsize=8)
def outdated(highest: ssl.TLSVersion) -> ssl.SSLContext:
    """A client of long ago: versions up to `highest`, every cipher, no verification. For looking only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # deprecated is what they are meant to be
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = highest
    return context
