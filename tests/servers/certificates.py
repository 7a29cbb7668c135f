"""Throwaway certificates: a root of our own and leaves with every fault that an admin meets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LAB_NAMES = ("localhost", "mail.lab.example", "127.0.0.1", "::1")
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Validity(Enum):
    """When a leaf is valid: days from now to its first and its last moment."""

    CURRENT = (-1, 90)
    EXPIRED = (-30, -3)
    NOT_YET = (3, 90)
    EXPIRES_SOON = (-89, 1)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """PEM files of one leaf. `chain` holds the leaf, then whatever is sent after it; `key` is not encrypted."""

    chain: Path
    key: Path


class CertificateLab:
    """A certificate authority in a folder. `ca_file` and `ca_pem` are its root; `issue` makes leaves."""

    def __init__(self, folder: Path, name: str = "Mail Preflight test root") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._root = _root(self._key, name)
        self._count = 0
        self.ca_pem = _pem(self._root)
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_text(self.ca_pem)

    def issue(
        self,
        *names: str,
        validity: Validity = Validity.CURRENT,
        self_signed: bool = False,
        rsa_key: bool = False,
        alternative: Sequence[str] = (),
    ) -> CertificateFiles:
        """A leaf for `names` (host names and IP addresses; `LAB_NAMES` when none are given), as PEM files.

        The first is the common name. `alternative`: the alternative names, where they are not the same.
        """
        key: Key = rsa.generate_private_key(65537, 2048) if rsa_key else ec.generate_private_key(ec.SECP256R1())
        issuer_key: Key = key if self_signed else self._key
        subject = _name((names or LAB_NAMES)[0])
        issuer = subject if self_signed else self._root.subject
        builder = _builder(subject, issuer, key, issuer_key, validity.value)
        builder = _as_leaf(builder, alternative or names or LAB_NAMES)
        return self._write(builder.sign(issuer_key, hashes.SHA256()), key)

    def _write(self, certificate: x509.Certificate, key: Key) -> CertificateFiles:
        self._count += 1
        files = CertificateFiles(self._folder / f"leaf{self._count}.pem", self._folder / f"leaf{self._count}.key")
        files.chain.write_text(_pem(certificate))
        files.key.touch(mode=0o600)
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files


def _root(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    builder = _builder(_name(name), _name(name), key, key, (-365, 3650))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.add_extension(_key_usage(signs_certificates=True), critical=True).sign(key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, issuer_key: Key, days: tuple[int, int]
) -> x509.CertificateBuilder:
    """What root and leaf have in common. Key identifiers are there because strict clients ask for them (RFC 5280)."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _as_leaf(builder: x509.CertificateBuilder, names: Sequence[str]) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
