"""Keys by name: made once a process, because a chain needs other keys, not new ones."""

import functools
import subprocess
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.servers.pki.der import PrivateKey

Kind = Literal["p256", "rsa2048", "rsa1024", "rsa512"]


@dataclass(frozen=True)
class KeyPair:
    """A private key and what certificates and servers say of it; computed once, since the keys are used again."""

    private: PrivateKey

    @functools.cached_property
    def public_der(self) -> bytes:
        """The SubjectPublicKeyInfo in DER."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @functools.cached_property
    def identifier(self) -> x509.SubjectKeyIdentifier:
        return x509.SubjectKeyIdentifier.from_public_key(self.private.public_key())

    @functools.cached_property
    def pem(self) -> str:
        """The private key in PEM, not encrypted."""
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self.private.private_bytes(encoding, form, serialization.NoEncryption()).decode("ascii")


@functools.cache
def key_pair(name: str, kind: Kind = "p256") -> KeyPair:
    """The key of that name: the same one each time it is asked for."""
    del name  # it only tells keys apart
    if kind == "p256":
        return KeyPair(ec.generate_private_key(ec.SECP256R1()))
    if kind == "rsa512":
        return KeyPair(_from_openssl(512))
    return KeyPair(rsa.generate_private_key(65537, int(kind.removeprefix("rsa"))))


def _from_openssl(bits: int) -> rsa.RSAPrivateKey:
    """`cryptography` makes no RSA key below 1024 bits; the `openssl` tool still does."""
    pem = subprocess.run(["openssl", "genrsa", str(bits)], capture_output=True, check=True).stdout
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
