"""Certificates written byte by byte (RFC 5280, 4.1), for what no library signs: MD5, doubled extensions, ..."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_SEQUENCE, _BOOLEAN, _INTEGER, _BITS, _OCTETS, _NULL, _OID = 0x30, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
_UTC_TIME, _TIME = 0x17, 0x18
_VERSION, _EXTENSIONS = 0xA0, 0xA3  # the context tags of a TBSCertificate
_FIRST_GENERALIZED_YEAR = 2050  # RFC 5280, 4.1.2.5

# (kind of key, digest) -> the algorithm's identifier (RFC 3279, 4055 and 5758)
_ALGORITHMS = {
    ("rsa", "md5"): "1.2.840.113549.1.1.4",
    ("rsa", "sha1"): "1.2.840.113549.1.1.5",
    ("rsa", "sha256"): "1.2.840.113549.1.1.11",
    ("ec", "sha1"): "1.2.840.10045.4.1",
    ("ec", "sha256"): "1.2.840.10045.4.3.2",
}
_DIGESTS: dict[str, type[hashes.HashAlgorithm]] = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha256": hashes.SHA256}


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension: its identifier in dotted form, and its value in DER."""

    oid: str
    value: bytes
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """What is signed. Names and the public key (SubjectPublicKeyInfo) are given in DER."""

    serial: int
    issuer: bytes
    subject: bytes
    not_before: datetime
    not_after: datetime
    public_key: bytes
    extensions: Sequence[Extension]


def sign(body: Body, key: PrivateKey, digest: str = "sha256") -> bytes:
    """A certificate in DER, signed with `key`. `digest` is "sha256", "sha1" or (RSA only) "md5"."""
    algorithm = _algorithm(key, digest)
    signed = _tbs(body, algorithm)
    return tlv(_SEQUENCE, signed, algorithm, tlv(_BITS, b"\0", _signature(signed, key, _DIGESTS[digest]())))


def _signature(data: bytes, key: PrivateKey, digest: hashes.HashAlgorithm) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), digest)
    return key.sign(data, ec.ECDSA(digest))


def _tbs(body: Body, algorithm: bytes) -> bytes:
    return tlv(
        _SEQUENCE,
        tlv(_VERSION, integer(2)),  # v3
        integer(body.serial),
        algorithm,
        body.issuer,
        tlv(_SEQUENCE, _time(body.not_before), _time(body.not_after)),
        body.subject,
        body.public_key,
        tlv(_EXTENSIONS, tlv(_SEQUENCE, *map(_extension, body.extensions))),
    )


def _extension(extension: Extension) -> bytes:
    critical = tlv(_BOOLEAN, b"\xff") if extension.critical else b""
    return tlv(_SEQUENCE, oid(extension.oid), critical, tlv(_OCTETS, extension.value))


def _algorithm(key: PrivateKey, digest: str) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return tlv(_SEQUENCE, oid(_ALGORITHMS["rsa", digest]), tlv(_NULL))
    return tlv(_SEQUENCE, oid(_ALGORITHMS["ec", digest]))


def _time(moment: datetime) -> bytes:
    moment = moment.astimezone(UTC)
    if moment.year < _FIRST_GENERALIZED_YEAR:
        return tlv(_UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())


def tlv(tag: int, *parts: bytes) -> bytes:
    """Tag, length and value (X.690, 8.1)."""
    value = b"".join(parts)
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + value


def integer(value: int) -> bytes:
    """An INTEGER, negative ones too (X.690, 8.3)."""
    return tlv(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, signed=True))


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER (X.690, 8.19)."""
    first, second, *rest = map(int, dotted.split("."))
    return tlv(_OID, b"".join(map(_base128, (first * 40 + second, *rest))))


def _base128(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


def flipped(der: bytes) -> bytes:
    """The certificate with one bit of its signature turned over: still well-formed, no longer signed."""
    return der[:-1] + bytes((der[-1] ^ 1,))
