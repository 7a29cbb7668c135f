"""Webhooks as Standard Webhooks 1.0.0 signs them: https://www.standardwebhooks.com"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

TOLERANCE_SECONDS = 300.0


class InvalidWebhook(Exception):
    """What came is not what the service signed: answer 400, and do nothing."""


def verify_webhook(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float | None = None,
    tolerance: float = TOLERANCE_SECONDS,
) -> dict[str, Any]:
    """The event of a webhook that one of the secrets has signed. Raises `InvalidWebhook`.

    `secret` is `whsec_...` (v1), or `whpk_...`, the public key of v1a; several while one takes another's place. `body`
    are the bytes as they came: JSON that was read and written again is other bytes. `now` is UTC seconds since 1970.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        webhook_id, moment, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        sent_at = int(moment)
    except (KeyError, ValueError):
        raise InvalidWebhook("it lacks webhook-id, webhook-timestamp or webhook-signature") from None
    if abs((time.time() if now is None else now) - sent_at) > tolerance:
        raise InvalidWebhook("it was sent too long ago, or one of the clocks is wrong")
    signed = f"{webhook_id}.{sent_at}.".encode() + body
    secrets = [secret] if isinstance(secret, str) else secret
    if not any(_fits(each, signed, signature) for each in secrets for signature in signatures.split()):
        raise InvalidWebhook("no signature of it is by one of these secrets")
    event = json.loads(body)
    if not isinstance(event, dict):
        raise InvalidWebhook("its body is no event")
    return event


def _fits(secret: str, signed: bytes, signature: str) -> bool:
    version, _, value = signature.partition(",")
    try:
        found = base64.b64decode(value, validate=True)
        key = base64.b64decode(secret.partition("_")[2], validate=True)
    except (binascii.Error, ValueError):
        return False
    if secret.startswith("whsec_"):
        return version == "v1" and hmac.compare_digest(hmac.new(key, signed, hashlib.sha256).digest(), found)
    return secret.startswith("whpk_") and version == "v1a" and _ed25519(key, signed, found)


def _ed25519(key: bytes, signed: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True
