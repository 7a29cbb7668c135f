"""What an issuer may do, as RFC 5280 has it and OpenSSL checks it: purpose, CA, path length, critical extensions.

Pure, on one certificate each. Where OpenSSL and RFC 5280 differ, OpenSSL's rule is the one here: it decides.
"""

from collections.abc import Iterator
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ExtensionOID

from checks.x509.certificates import KEPT, UNREADABLE, entry, extension, self_issued

_SERVER = frozenset({ExtendedKeyUsageOID.SERVER_AUTH, x509.ObjectIdentifier("2.16.840.1.113730.4.1")})  # with SGC
# X509_supported_extension of OpenSSL's crypto/x509/v3_purp.c
_KNOWN = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        x509.ObjectIdentifier("2.16.840.1.113730.1.1"),  # Netscape certificate type
        x509.ObjectIdentifier("1.3.6.1.5.5.7.1.7"),  # IP address blocks, RFC 3779
        x509.ObjectIdentifier("1.3.6.1.5.5.7.1.8"),  # AS identifiers, RFC 3779
        x509.ObjectIdentifier("1.3.6.1.5.5.7.1.14"),  # proxy certificates, RFC 3820
    }
)
MAX_URLS = 4


def for_servers(certificate: x509.Certificate) -> bool:
    """Whether extKeyUsage, where there is one, names TLS servers (RFC 5280, 4.2.1.12); "any purpose" is not enough."""
    purposes = extension(certificate, x509.ExtendedKeyUsage)
    return purposes is None or any(purpose in _SERVER for purpose in purposes)


def key_may_serve(certificate: x509.Certificate) -> bool:
    """Whether keyUsage, where there is one, allows a handshake (RFC 5280, 4.2.1.3)."""
    usage = extension(certificate, x509.KeyUsage)
    return usage is None or usage.digital_signature or usage.key_encipherment or usage.key_agreement


def key_may_sign(certificate: x509.Certificate) -> bool:
    """Whether keyUsage, where there is one, allows to sign certificates."""
    usage = extension(certificate, x509.KeyUsage)
    return usage is None or usage.key_cert_sign


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether it may issue: CA:TRUE; without basicConstraints a self-signed one of version 1, or keyCertSign."""
    if not key_may_sign(certificate):
        return False
    constraints = extension(certificate, x509.BasicConstraints)
    if constraints is not None:
        return constraints.ca
    if certificate.version is x509.Version.v1 and self_issued(certificate):
        return True
    return extension(certificate, x509.KeyUsage) is not None


def path_length(certificate: x509.Certificate) -> int | None:
    """How many intermediates it allows below itself; None for any number."""
    constraints = extension(certificate, x509.BasicConstraints)
    return constraints.path_length if constraints is not None else None


def unknown_critical(certificate: x509.Certificate) -> bool:
    """Whether it has a critical extension that OpenSSL does not know (RFC 5280, 4.2: then it must be refused)."""
    try:
        return any(item.critical and item.oid not in _KNOWN for item in certificate.extensions)
    except UNREADABLE:
        return False


def identifiers_agree(certificate: x509.Certificate, candidate: x509.Certificate) -> bool:
    """Whether the certificate's authority key identifier fits the candidate, where both say something (4.2.1.1)."""
    wanted = extension(certificate, x509.AuthorityKeyIdentifier)
    if wanted is None:
        return True
    own = extension(candidate, x509.SubjectKeyIdentifier)
    if wanted.key_identifier is not None and own is not None and wanted.key_identifier != own.digest:
        return False
    serial = wanted.authority_cert_serial_number
    return serial is None or serial == candidate.serial_number


@lru_cache(KEPT)
def strict_suspect(certificate: x509.Certificate, *, anchor: bool) -> bool:
    """Whether VERIFY_X509_STRICT, the default from Python 3.13 on, may object: a sign, not a verdict."""
    constraints, usage = entry(certificate, x509.BasicConstraints), extension(certificate, x509.KeyUsage)
    ca = constraints is not None and constraints.value.ca
    if certificate.version is not x509.Version.v3 or not has_names(certificate):
        return True
    if ca and (usage is None or constraints is None or not constraints.critical or not _has_identifier(certificate)):
        return True
    if usage is not None and usage.key_cert_sign is not ca:
        return True
    return not anchor and extension(certificate, x509.AuthorityKeyIdentifier) is None


def has_names(certificate: x509.Certificate) -> bool:
    """Whether both subject and issuer are there and can be read."""
    try:
        return bool(certificate.subject.rdns and certificate.issuer.rdns)
    except UNREADABLE:
        return False


def _has_identifier(certificate: x509.Certificate) -> bool:
    return extension(certificate, x509.SubjectKeyIdentifier) is not None


# -- where more is to be had


def issuer_urls(certificate: x509.Certificate) -> list[str]:
    """Where the issuer's certificate is said to be (caIssuers, RFC 5280, 4.2.2.1). An attacker may have chosen it."""
    return list(_access(certificate, AuthorityInformationAccessOID.CA_ISSUERS))[:MAX_URLS]


def ocsp_urls(certificate: x509.Certificate) -> list[str]:
    """Where its status can be asked (RFC 6960)."""
    return list(_access(certificate, AuthorityInformationAccessOID.OCSP))[:MAX_URLS]


def crl_urls(certificate: x509.Certificate) -> list[str]:
    """Where the list of revoked certificates is (RFC 5280, 4.2.1.13)."""
    points = extension(certificate, x509.CRLDistributionPoints) or ()
    places = [place for point in points for place in point.full_name or ()]
    return [place.value for place in places if isinstance(place, x509.UniformResourceIdentifier)][:MAX_URLS]


def _access(certificate: x509.Certificate, method: x509.ObjectIdentifier) -> Iterator[str]:
    for description in extension(certificate, x509.AuthorityInformationAccess) or ():
        location = description.access_location
        if description.access_method == method and isinstance(location, x509.UniformResourceIdentifier):
            yield location.value
