"""Secrets and signatures of Standard Webhooks 1.0.0: `v1` is HMAC-SHA256, `v1a` Ed25519. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Scheme = Literal["v1", "v1a"]

_SHARED, _PRIVATE, _PUBLIC = "whsec_", "whsk_", "whpk_"
_BYTES = 32  # the specification has 24 to 64 for `v1`; an Ed25519 key has 32


def new_secret(scheme: Scheme) -> str:
    """A random secret: `whsec_...`, shared with the receiver, or `whsk_...`, which stays with us."""
    return (_SHARED if scheme == "v1" else _PRIVATE) + _encoded(secrets.token_bytes(_BYTES))


def public_key(secret: str) -> str | None:
    """What a receiver verifies with: `whpk_...`; None for a shared secret."""
    return _PUBLIC + _encoded(_ed25519(secret).public_key().public_bytes_raw()) if secret.startswith(_PRIVATE) else None


def headers(secrets_: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of one attempt: with a signature by each of the secrets, for these very bytes.

    `timestamp` is that of the attempt (UTC seconds since 1970); the id has no full stop in it.
    """
    content = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signed(secret, content) for secret in secrets_),
    }


def _signed(secret: str, content: bytes) -> str:
    if secret.startswith(_PRIVATE):
        return f"v1a,{_encoded(_ed25519(secret).sign(content))}"
    key = base64.b64decode(secret.removeprefix(_SHARED))
    return f"v1,{_encoded(hmac.new(key, content, hashlib.sha256).digest())}"


def _ed25519(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret.removeprefix(_PRIVATE)))


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
