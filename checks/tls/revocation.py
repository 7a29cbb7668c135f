"""Whether a certificate was revoked: OCSP (RFC 6960), else a CRL (RFC 5280, 5). One fetch each, off by default.

No mail client looks, so it is a warning at most; and no answer is no news. An answer is kept for an hour: health checks
meet the same certificate every few minutes.
"""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from checks.library_guard import ignore_warnings
from checks.network.dial import Deadline
from checks.network.fetch import Unfetched, fetch
from checks.network.way_out import WayOut
from checks.x509.certificates import UNREADABLE, extension, signed_by
from checks.x509.issuer_rules import crl_urls, ocsp_urls

SECONDS = 2.0
KEPT = timedelta(hours=1)
_MOST_KEPT = 10_000  # answers, of some 100 bytes each
_MOST = 4  # certificates of one answer that are looked at; honest responders send one
ignore_warnings(__name__)  # cryptography's


class Answers:
    """What authorities have said of certificates, by both certificates' fingerprints. Shared by threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[datetime, datetime | None]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: bytes, now: datetime) -> tuple[datetime | None] | None:
        """The answer in a tuple; None where there is none of the last hour."""
        with self._lock:
            asked, revoked = self._kept.get(key, (None, None))
        return (revoked,) if asked is not None and asked <= now < asked + KEPT else None

    def keep(self, key: bytes, now: datetime, revoked: datetime | None) -> None:
        """Keeps an answer, and forgets the oldest where there are too many."""
        with self._lock:
            self._kept[key] = (now, revoked)
            self._kept.move_to_end(key)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)


_kept = Answers()


def revoked_on(
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    way_out: WayOut,
    deadline: Deadline,
    now: datetime,
) -> datetime | None:
    """When the certificate was revoked; None where it was not, or where nobody says."""
    key = leaf.fingerprint(hashes.SHA256()) + issuer.fingerprint(hashes.SHA256())
    if known := _kept.get(key, now):
        return known[0]
    for urls, ask in ((ocsp_urls(leaf), _ocsp), (crl_urls(leaf), _crl)):
        try:
            if urls:
                revoked = ask(urls[0], leaf, issuer, way_out, min(SECONDS, deadline.remaining()), now)
                _kept.keep(key, now, revoked)
                return revoked
        except (Unfetched, TimeoutError, *UNREADABLE):
            continue
    return None


def _ocsp(
    url: str,
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    way_out: WayOut,
    seconds: float,
    now: datetime,
) -> datetime | None:
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        leaf,
        issuer,
        hashes.SHA1(),  # noqa: S303 - it only names the issuer, and responders know no other (RFC 5019, 2.1.1)
    )
    body = fetch(url, way_out, seconds, builder.build().public_bytes(Encoding.DER), "application/ocsp-request")
    answer = ocsp.load_der_ocsp_response(body)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL or not _answers(answer, leaf, issuer, now):
        raise Unfetched("no answer to the question")
    return answer.revocation_time_utc if answer.certificate_status is ocsp.OCSPCertStatus.REVOKED else None


def _answers(answer: ocsp.OCSPResponse, leaf: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    """About this certificate, of today, and signed by the issuer or by whom it has appointed (RFC 6960, 4.2.2.2)."""
    fresh = answer.this_update_utc <= now and (answer.next_update_utc is None or now <= answer.next_update_utc)
    if answer.serial_number != leaf.serial_number or not fresh:
        return False
    signer = next((item for item in answer.certificates[:_MOST] if _appointed(item, issuer)), issuer)
    return _signed(answer.signature, answer.tbs_response_bytes, answer.signature_hash_algorithm, signer)


def _appointed(candidate: x509.Certificate, issuer: x509.Certificate) -> bool:
    purposes = extension(candidate, x509.ExtendedKeyUsage) or ()
    return ExtendedKeyUsageOID.OCSP_SIGNING in purposes and signed_by(candidate, issuer, unsure=False)


def _signed(signature: bytes, data: bytes, digest: hashes.HashAlgorithm | None, signer: x509.Certificate) -> bool:
    key = signer.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey) and digest:
            key.verify(signature, data, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and digest:
            key.verify(signature, data, ec.ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _crl(
    url: str,
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    way_out: WayOut,
    seconds: float,
    now: datetime,
) -> datetime | None:
    listed = x509.load_der_x509_crl(fetch(url, way_out, seconds))
    fresh = listed.last_update_utc <= now and (listed.next_update_utc is None or now <= listed.next_update_utc)
    key = issuer.public_key()
    if not fresh or listed.issuer != issuer.subject or not listed.is_signature_valid(key):  # type: ignore[arg-type]
        raise Unfetched("no list of this issuer of today")
    entry = listed.get_revoked_certificate_by_serial_number(leaf.serial_number)
    return entry.revocation_date_utc if entry else None
