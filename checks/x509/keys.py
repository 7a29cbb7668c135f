"""The keys and signatures of certificates: how strong they are, and what a key is pinned by."""

import hashlib
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from checks.x509.certificates import UNREADABLE


def weak_key(certificate: x509.Certificate) -> bool:
    """Below 112 bits of security (OpenSSL's level 2, which Python sets): RSA and DSA under 2048, curves under 224."""
    try:
        key = certificate.public_key()
    except UNREADABLE:
        return False
    if isinstance(key, (rsa.RSAPublicKey, dsa.DSAPublicKey)):
        return key.key_size < 2048
    return isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < 224


def weak_signature(certificate: x509.Certificate) -> bool:
    """Signed over a digest of less than 112 bits of security: MD5, SHA-1."""
    try:
        digest = certificate.signature_hash_algorithm
    except UNREADABLE:
        return False
    return digest is not None and digest.digest_size < 28


def key_sha256(der: bytes) -> str:
    """SHA-256 of a certificate's SubjectPublicKeyInfo, in lower hex; of the whole where it has none.

    Cut out of the DER form (RFC 5280, 4.1), so that a key which `cryptography` does not know is pinned as well.
    """
    try:
        _, body, _ = _element(der, 0)
        _, place, _ = _element(der, body)
        fields = list(_fields(der, place))
        start, end = fields[6 if der[fields[0][0]] == 0xA0 else 5]
    except IndexError:
        start, end = 0, len(der)
    return hashlib.sha256(der[start:end]).hexdigest()


def _fields(der: bytes, place: int) -> Iterator[tuple[int, int]]:
    """Where the first seven elements from `place` on begin and end."""
    for _ in range(7):
        begin = place
        _, _, place = _element(der, begin)
        yield begin, place


def _element(der: bytes, place: int) -> tuple[int, int, int]:
    """The tag of the element at `place`, where its content begins and where it ends. Raises `IndexError`."""
    tag, length, content = der[place], der[place + 1], place + 2
    if length & 0x80:
        octets = length & 0x7F
        length = int.from_bytes(der[content : content + octets], "big")
        content += octets
    if content + length > len(der):
        raise IndexError(place)
    return tag, content, content + length
