"""One handshake: verdict and facts. What the facts mean is judged in `checks.chain`.

The strict context is the very one that logs in, so its verdict is the client's, not an imitation of it.
"""

import contextlib
import functools
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from checks.model import Certificate, Code, Fault, Invalid, TlsFacts
from checks.stream import Stream

MAX_CHAIN = 16  # certificates looked at; more than any honest server sends


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a check trusts: certifi's roots, and the CAs of `ca_pem` (PEM text) for one domain only."""

    ca_pem: str = ""

    def __post_init__(self) -> None:
        if self.ca_pem:
            _strict(self.ca_pem)  # raises Invalid while somebody is there to read it

    @property
    def strict(self) -> ssl.SSLContext:
        """The context that decides and that logs in."""
        return _strict(self.ca_pem)

    @property
    def insecure(self) -> ssl.SSLContext:
        """The context for a domain whose admin allows insecure certificates, and for what-ifs."""
        return _insecure()


_PEM = re.compile("-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----", re.ASCII)


# Loading the roots takes 30 ms, so contexts are kept: as many as domains with a CA of their own are likely to be busy.
@functools.lru_cache(maxsize=64)
def _strict(ca_pem: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    if ca_pem:
        # Only the certificates themselves: bundles have comments between them, in any language.
        certificates = "\n".join(_PEM.findall(ca_pem))
        try:
            context.load_verify_locations(cadata=certificates)
        except (ssl.SSLError, ValueError):
            raise Invalid("the CA file holds no certificate in PEM form", "ca_file") from None
    return context


@functools.lru_cache(maxsize=1)
def _insecure() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the strict context refused the chain: OpenSSL's first error, as a number (X509_V_ERR_*) and in its words."""

    code: int
    words: str


@dataclass(frozen=True, slots=True)
class Handshake:
    """What came of one handshake. `refusal` is None where the context accepted the chain (or did not look)."""

    facts: TlsFacts
    chain: tuple[x509.Certificate, ...]
    refusal: Refusal | None = None


def handshake(stream: Stream, context: ssl.SSLContext, host: str, *, session: ssl.SSLSession | None = None) -> None:
    """Turns `stream` into TLS for a login. Raises `OSError` (certificate errors and time-outs included)."""
    sock = _wrapped(stream, context, host, session)
    sock.do_handshake()


def look(stream: Stream, context: ssl.SSLContext, host: str) -> Handshake:
    """A handshake for its facts: the chain comes with it whether it was accepted or refused. Never resumes.

    Raises `Fault` for what is no matter of certificates.
    """
    try:
        sock = _wrapped(stream, context, host, None)
        return _looked_at(sock)
    except OSError as error:
        raise tls_fault(error) from None


def _looked_at(sock: ssl.SSLSocket) -> Handshake:
    refusal, version, cipher = None, None, None
    try:
        sock.do_handshake()
    except ssl.SSLCertVerificationError as error:
        refusal = Refusal(error.verify_code, error.verify_message)
    else:
        # Asked for at once: a closed socket does not know any more.
        version, cipher = sock.version(), (sock.cipher() or (None,))[0]
    chain = _presented(sock)
    return Handshake(TlsFacts(version, cipher, tuple(map(describe, chain))), chain, refusal)


def _wrapped(stream: Stream, context: ssl.SSLContext, host: str, session: ssl.SSLSession | None) -> ssl.SSLSocket:
    stream.sock.settimeout(stream.deadline.remaining())
    stream.sock.getpeername()  # raises where the server has gone; wrap_socket would too, but leave its socket open
    sock = context.wrap_socket(stream.sock, server_hostname=host, do_handshake_on_connect=False, session=session)
    stream.sock = sock  # the stream closes it, whatever happens next
    return sock


def _presented(sock: ssl.SSLSocket) -> tuple[x509.Certificate, ...]:
    """The chain as the server sent it. Public on the socket from Python 3.13; before, only on its inner object."""
    getter = getattr(sock, "get_unverified_chain", None) or getattr(
        getattr(sock, "_sslobj", None), "get_unverified_chain", None
    )
    raw: Sequence[object] = (getter() if getter else None) or ()
    certificates = []
    for item in raw[:MAX_CHAIN]:
        with contextlib.suppress(ValueError):  # a certificate that cannot be parsed is not described
            certificates.append(x509.load_der_x509_certificate(_der(item)))
    return tuple(certificates)


def _der(item: object) -> bytes:
    if isinstance(item, bytes):
        return item
    public_bytes = getattr(item, "public_bytes")  # noqa: B009 - the inner object's type is private before Python 3.13
    data = public_bytes(2)  # _ssl.ENCODING_DER
    return bytes(data)


def describe(certificate: x509.Certificate) -> Certificate:
    """A certificate in words. Names that cannot be decoded are shown as such."""
    return Certificate(
        subject=_name(certificate, "subject"),
        issuer=_name(certificate, "issuer"),
        not_before=certificate.not_valid_before_utc.isoformat(),
        not_after=certificate.not_valid_after_utc.isoformat(),
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
    )


def _name(certificate: x509.Certificate, which: str) -> str:
    try:
        name = certificate.subject if which == "subject" else certificate.issuer
        return name.rfc4514_string()[:500]
    except ValueError:
        return "(a name that cannot be decoded)"


# OpenSSL's reason for an alert or a failure -> what it means here. https://www.openssl.org/docs/man3.0/man3/SSL_get_error.html
_REASONS = {
    "WRONG_VERSION_NUMBER": Code.TLS_PLAINTEXT_PORT,
    "HTTP_REQUEST": Code.TLS_PLAINTEXT_PORT,
    "PACKET_LENGTH_TOO_LONG": Code.TLS_PLAINTEXT_PORT,
    "Closed before TLS handshake with data in recv buffer.": Code.CONNECT_CLOSED,  # Python's own
    "UNSUPPORTED_PROTOCOL": Code.TLS_VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": Code.TLS_VERSION,
    "VERSION_TOO_LOW": Code.TLS_VERSION,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": Code.TLS_NO_SHARED_CIPHER,
    "NO_SHARED_CIPHER": Code.TLS_NO_SHARED_CIPHER,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Code.TLS_CLIENT_CERTIFICATE,
    "CERTIFICATE_REQUIRED": Code.TLS_CLIENT_CERTIFICATE,
    "TLSV1_ALERT_UNKNOWN_CA": Code.TLS_CLIENT_CERTIFICATE,
}


def tls_fault(error: OSError) -> Fault:
    """Why a handshake failed, certificates apart."""
    if isinstance(error, TimeoutError):
        return Fault(Code.TLS_TIMEOUT, "no answer to the TLS handshake")
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        reason = error.reason or ""
        return Fault(_REASONS.get(reason, Code.TLS_HANDSHAKE), reason.lower().replace("_", " ") or "handshake failure")
    return Fault(Code.CONNECT_CLOSED, "connection closed during the TLS handshake")


def after_handshake(error: OSError) -> Fault | None:
    """TLS 1.3 reports "client certificate required" only on the first read; None for what is no matter of TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Fault(Code.TLS_BAD_CERTIFICATE, error.verify_message)
    return tls_fault(error) if isinstance(error, ssl.SSLError) else None
