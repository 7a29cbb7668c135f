"""One certificate: what shall be in it, and the making of it."""

import functools
import itertools
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from tests.servers.pki import der
from tests.servers.pki.keys import KeyPair, Kind, key_pair

PURPOSES = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "email": ExtendedKeyUsageOID.EMAIL_PROTECTION,
}
SIGNING = ("key_cert_sign", "crl_sign")
_serials = itertools.count(0x1000)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A certificate to be. As it stands: a leaf that a strict client accepts if its issuer and name are right.

    `days`: from now to its first and last moment. `names`: subjectAltName, host names and IP addresses. `ca`: None
    leaves basicConstraints out. `usage`, `purposes`: keyUsage (names of `x509.KeyUsage`) and extKeyUsage (`PURPOSES`);
    None leaves the extension out. `permitted`, `excluded`: name constraints, DNS names and networks.
    `flipped`: the signature is damaged afterwards.
    """

    subject: str
    key: str = ""
    kind: Kind = "p256"
    days: tuple[float, float] = (-1, 90)
    names: tuple[str, ...] = ()
    ca: bool | None = False
    path_length: int | None = None
    usage: tuple[str, ...] | None = ("digital_signature",)
    purposes: tuple[str, ...] | None = ("server",)
    permitted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    identifiers: bool = True
    digest: str = "sha256"
    serial: int | None = None
    flipped: bool = False
    aia: tuple[str, ...] = ()
    ocsp: tuple[str, ...] = ()
    crl: tuple[str, ...] = ()
    extra: tuple[der.Extension, ...] = field(default=())


def authority(subject: str, days: tuple[float, float] = (-365, 1000)) -> Recipe:
    """A certificate authority as RFC 5280 wants it."""
    return Recipe(subject, days=days, ca=True, usage=SIGNING, purposes=None)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key. `issuer` is the recipe of whoever signed it; None for itself."""

    recipe: Recipe
    der: bytes
    keys: KeyPair
    subject: bytes

    @functools.cached_property
    def certificate(self) -> x509.Certificate:
        """As `cryptography` reads it. Raises `ValueError` for what it cannot read."""
        return x509.load_der_x509_certificate(self.der)

    @functools.cached_property
    def pem(self) -> str:
        return ssl.DER_cert_to_PEM_cert(self.der)

    def __str__(self) -> str:
        return self.recipe.subject


def issue(recipe: Recipe, issuer: Issued | None = None) -> Issued:
    """A certificate after the recipe, signed by `issuer`, or by itself."""
    keys = key_pair(recipe.key or recipe.subject, recipe.kind)
    signer = issuer.keys if issuer else keys
    subject = name(recipe.subject)
    now = datetime.now(UTC)
    body = der.Body(
        serial=next(_serials) if recipe.serial is None else recipe.serial,
        issuer=issuer.subject if issuer else subject,
        subject=subject,
        not_before=now + timedelta(days=recipe.days[0]),
        not_after=now + timedelta(days=recipe.days[1]),
        public_key=keys.public_der,
        extensions=tuple(_extensions(recipe, keys, signer)),
    )
    signed = der.sign(body, signer.private, recipe.digest)
    return Issued(recipe, der.flipped(signed) if recipe.flipped else signed, keys, subject)


@functools.cache
def name(common: str) -> bytes:
    """A distinguished name with a common name only, in DER."""
    # a common name may hold 64 letters (RFC 5280, appendix A); the lab's longest host names need no more
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])]).public_bytes()


def _extensions(recipe: Recipe, keys: KeyPair, signer: KeyPair) -> Iterator[der.Extension]:
    """In the order that most authorities write them. Which are critical: RFC 5280, 4.2.1."""
    if recipe.ca is not None:
        yield _extension(x509.BasicConstraints(recipe.ca, recipe.path_length if recipe.ca else None), critical=True)
    if recipe.usage is not None:
        yield _extension(_usage(recipe.usage), critical=True)
    if recipe.purposes is not None:
        yield _extension(x509.ExtendedKeyUsage([PURPOSES[purpose] for purpose in recipe.purposes]))
    if recipe.identifiers:
        yield _extension(keys.identifier)
        yield _extension(x509.AuthorityKeyIdentifier(signer.identifier.digest, None, None))
    if recipe.names:
        yield _extension(x509.SubjectAlternativeName([general_name(item) for item in recipe.names]))
    if recipe.permitted or recipe.excluded:
        yield _extension(_constraints(recipe.permitted, recipe.excluded), critical=True)
    yield from _pointers(recipe)
    yield from recipe.extra


def _pointers(recipe: Recipe) -> Iterator[der.Extension]:
    if recipe.aia or recipe.ocsp:
        yield _extension(
            x509.AuthorityInformationAccess(
                [_access(AuthorityInformationAccessOID.OCSP, url) for url in recipe.ocsp]
                + [_access(AuthorityInformationAccessOID.CA_ISSUERS, url) for url in recipe.aia]
            )
        )
    if recipe.crl:
        points = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in recipe.crl]
        yield _extension(x509.CRLDistributionPoints(points))


def _access(method: x509.ObjectIdentifier, url: str) -> x509.AccessDescription:
    return x509.AccessDescription(method, x509.UniformResourceIdentifier(url))


def _extension(value: x509.ExtensionType, *, critical: bool = False) -> der.Extension:
    return der.Extension(value.oid.dotted_string, value.public_bytes(), critical)


@functools.cache
def _usage(bits: tuple[str, ...]) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{bit: bit in bits for bit in every})


def general_name(text: str) -> x509.GeneralName:
    """An IP address where `text` is one, else a DNS name."""
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _constraints(permitted: Sequence[str], excluded: Sequence[str]) -> x509.NameConstraints:
    return x509.NameConstraints([*map(_subtree, permitted)] or None, [*map(_subtree, excluded)] or None)


def _subtree(text: str) -> x509.GeneralName:
    return x509.IPAddress(ip_network(text)) if "/" in text else x509.DNSName(text)
