"""An issuer that a server did not send, fetched from where the certificate says it is (AIA, RFC 5280, 4.2.2.1).

URL and answer are a stranger's: see `checks.network.fetch`. What comes is never trusted, only tried.
"""

import re
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from checks.library_guard import ignore_warnings
from checks.network.dial import Deadline
from checks.network.fetch import Unfetched, fetch
from checks.network.way_out import WayOut
from checks.x509.certificates import UNREADABLE, load, signed_by
from checks.x509.issuer_rules import issuer_urls

SECONDS = 2.0
_SHARE = 0.3  # of what is left of the check, at most
_MOST = 8  # certificates of one answer that are looked at
ignore_warnings(__name__)  # cryptography's, of a bundle that is BER and not DER
_PEM = re.compile(b"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class Found:
    """The issuer, or why there is none."""

    issuer: x509.Certificate | None
    reason: str = ""


def fetch_issuer(certificate: x509.Certificate, way_out: WayOut, deadline: Deadline) -> Found:
    """Looks for the certificate's issuer at the first URL that it names. One fetch."""
    urls = issuer_urls(certificate)
    if not urls:
        return Found(None, "the certificate names no place to fetch it from")
    url = next((each for each in urls if each.lower().startswith("http:")), urls[0])
    try:
        body = fetch(url, way_out, min(SECONDS, deadline.remaining() * _SHARE))
    except (Unfetched, TimeoutError) as error:
        return Found(None, f"{url[:200]}: {error}")
    issuer = next((item for item in _certificates(body) if signed_by(certificate, item)), None)
    return Found(issuer, "" if issuer else f"{url[:200]}: no certificate that has issued it")


def _certificates(body: bytes) -> list[x509.Certificate]:
    """DER, a certs-only CMS message, or PEM, which is met all the same."""
    return [item for item in (load(body), *_bundle(body), *_text(body)) if item is not None]


def _bundle(body: bytes) -> list[x509.Certificate]:
    if not body.startswith(b"0"):
        return []
    try:
        found = pkcs7.load_der_pkcs7_certificates(body)[:_MOST]
        return [item for each in found if (item := load(each.public_bytes(Encoding.DER))) is not None]
    except UNREADABLE:
        return []


def _text(body: bytes) -> list[x509.Certificate | None]:
    found = _PEM.findall(body)[:_MOST]
    return [load(ssl.PEM_cert_to_DER_cert(text.decode("ascii"))) for text in found if _is_base64(text)]


def _is_base64(text: bytes) -> bool:
    try:
        ssl.PEM_cert_to_DER_cert(text.decode("ascii").strip())
    except ValueError:
        return False
    return True
