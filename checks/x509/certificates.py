"""Reading one certificate of a stranger: bounded, and never failing. What cannot be read is absent.

Nothing here decides whether a chain is accepted: OpenSSL's handshake does. These are the facts that say why.
"""

import ipaddress
import re
import warnings
from functools import lru_cache
from typing import Literal, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from checks.model import Certificate

MAX_DER = 262_144  # bytes; OpenSSL takes no certificate message above 100 KB, but a fetched certificate comes otherwise
KEPT = 128  # certificates and what was read from them: 1 MB as a rule, 13 MB of hostile ones
_WILD = re.compile("[a-z0-9-]+")
Names = Literal["openssl", "node", "requests"]
"""Whose rule says which hosts a name in a certificate stands for: OpenSSL's, as Python asks for it, Node's, or that of
requests, which is OpenSSL's without the common name."""
_SMALL = 4_096
_RSA_LARGEST = 8_192  # bits
_EXPONENT_LARGEST = 64  # bits; as OpenSSL bounds it for the larger keys (OPENSSL_RSA_MAX_PUBEXP_BITS)
MAX_NAME = 200  # characters of a name that are shown
UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RuntimeError,
    MemoryError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.AttributeNotFound,
    Warning,  # where warnings are errors: cryptography warns of what it will refuse one day
)
"""What `cryptography` raises for a certificate that is not as it should be."""
# A root of certifi has the serial number 0, and strangers have worse: that is no news for whoever runs us.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module=__name__)
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


def load(der: bytes) -> x509.Certificate | None:
    """A certificate, or None where it cannot be read. Small ones are kept: servers share them, and are met again."""
    return _kept(der) if len(der) <= _SMALL else _loaded(der)


def _loaded(der: bytes) -> x509.Certificate | None:
    if len(der) > MAX_DER:
        return None
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.not_valid_after_utc, certificate.not_valid_before_utc  # noqa: B018 - read lazily, and may fail
    except UNREADABLE:
        return None
    return certificate


_kept = lru_cache(KEPT)(_loaded)


def describe(certificate: x509.Certificate) -> Certificate:
    """A certificate in words. Names that cannot be decoded are shown as such."""
    return Certificate(
        subject=subject(certificate, 500),
        issuer=issuer(certificate, 500),
        not_before=certificate.not_valid_before_utc.isoformat(),
        not_after=certificate.not_valid_after_utc.isoformat(),
        sha256=fingerprint(certificate),
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER form, in lower hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def subject(certificate: x509.Certificate, limit: int = MAX_NAME) -> str:
    """Whom it was issued to, as RFC 4514 writes names."""
    try:
        return certificate.subject.rfc4514_string()[:limit] or "-"
    except UNREADABLE:
        return "(a name that cannot be decoded)"


def issuer(certificate: x509.Certificate, limit: int = MAX_NAME) -> str:
    """Who issued it, as RFC 4514 writes names."""
    try:
        return certificate.issuer.rfc4514_string()[:limit] or "-"
    except UNREADABLE:
        return "(a name that cannot be decoded)"


def organisation(name: str) -> str:
    """The organisation in a name as RFC 4514 writes it; the whole name where it has none, or cannot be read.

    An authority signs with several intermediates in turn, which have this in common.
    """
    try:
        found = x509.Name.from_rfc4514_string(name).get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    except UNREADABLE:
        return name
    return str(found[0].value) if found else name


def same_name(certificate: x509.Certificate, candidate: x509.Certificate) -> bool:
    """Whether the candidate's subject is the certificate's issuer."""
    try:
        return certificate.issuer == candidate.subject
    except UNREADABLE:
        return False


def self_issued(certificate: x509.Certificate) -> bool:
    """Whether subject and issuer are the same."""
    return same_name(certificate, certificate)


def signed_by(certificate: x509.Certificate, candidate: x509.Certificate, *, unsure: bool = True) -> bool:
    """Whether the candidate's key made the signature. `unsure`: the answer for methods of old (SHA-1, MD5), which
    cannot be checked here."""
    if not same_name(certificate, candidate):
        return False
    try:
        if _costly(candidate.public_key()):
            return unsure
        certificate.verify_directly_issued_by(candidate)
    except InvalidSignature:
        return False
    except UNREADABLE:
        return unsure
    return True


def _costly(key: object) -> bool:
    """Whether a signature of this key takes far longer to verify than those of honest ones: 3,072 bits with an exponent
    as long take 20 ms, and a chain may ask for hundreds."""
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    return key.key_size > _RSA_LARGEST or key.public_numbers().e.bit_length() > _EXPONENT_LARGEST


def self_signed(certificate: x509.Certificate) -> bool:
    """Whether the certificate was signed with its own key."""
    return signed_by(certificate, certificate)


def extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    """An extension's value; None where there is none, or where it cannot be read."""
    found = entry(certificate, kind)
    return None if found is None else found.value


def entry(certificate: x509.Certificate, kind: type[_Extension]) -> x509.Extension[_Extension] | None:
    """An extension with its critical flag; None where there is none, or where it cannot be read."""
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None


def readable(certificate: x509.Certificate) -> bool:
    """Whether all extensions can be read."""
    try:
        certificate.extensions  # noqa: B018 - parsed when it is asked for
    except UNREADABLE:
        return False
    return True


# -- names


def names(certificate: x509.Certificate, rule: Names = "openssl") -> list[str]:
    """The host names and IP addresses that a certificate covers.

    From subjectAltName (RFC 9525, 2); without a host there the common name, because OpenSSL still takes it.
    """
    hosts, addresses = _covered(certificate, rule)
    return hosts + addresses


def by_common_name(certificate: x509.Certificate, host: str) -> bool:
    """Whether it covers a host by its common name alone, where RFC 9525 wants none. False where that cannot be read."""
    return covers(certificate, host) and not covers(certificate, host, "requests")


def _covered(certificate: x509.Certificate, rule: Names) -> tuple[list[str], list[str]]:
    san = extension(certificate, x509.SubjectAlternativeName)
    if san is None and not readable(certificate):
        return [], []
    hosts = san.get_values_for_type(x509.DNSName) if san else []
    addresses = list(map(str, san.get_values_for_type(x509.IPAddress))) if san else []
    # A certificate may have names of other kinds only: then the common name still counts as a host.
    return hosts or (common_names(certificate) if rule != "requests" else []), addresses


def common_names(certificate: x509.Certificate) -> list[str]:
    """What the subject calls itself."""
    try:
        return [str(item.value) for item in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except UNREADABLE:
        return []


def covers(certificate: x509.Certificate, host: str, names: Names = "openssl") -> bool:
    """Whether a certificate covers a host, by the rule of whoever will connect.

    For OpenSSL a wildcard stands for the whole left-most label (RFC 9525, 6.3) where that has letters, digits and
    hyphens only: `mail_1.example.com` is covered by none. For Node (`tls.checkServerIdentity`) it stands for
    whatever there is, and for a part of the label too. For both, two labels follow it. Neither looks at the common
    name where there is a host among the alternative names; requests never does.
    """
    matches = _matches_as_node if names == "node" else _matches
    hosts, addresses = _covered(certificate, names)
    try:
        return str(ipaddress.ip_address(host)) in addresses
    except ValueError:
        return any(matches(name.lower(), host.lower()) for name in hosts)


def _matches(pattern: str, host: str) -> bool:
    label, _, rest = host.partition(".")
    if pattern.startswith("*."):
        return rest == pattern[2:] and "." in rest and _WILD.fullmatch(label) is not None
    return pattern == host


def _matches_as_node(pattern: str, host: str) -> bool:
    label, *rest = host.removesuffix(".").split(".")
    wild, *fixed = pattern.removesuffix(".").split(".")
    if fixed != rest or not all((wild, *fixed)):
        return False
    before, star, after = wild.partition("*")
    if not star or "xn--" in wild:
        return wild == label
    fits = label.startswith(before) and label.endswith(after) and len(before) + len(after) <= len(label)
    return fits and "*" not in after and len(fixed) > 1
