"""Webhooks as Standard Webhooks 1.0.0 signs them: https://www.standardwebhooks.com"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, cast

from mail_preflight_client.documents import EventDocument

TOLERANCE_SECONDS = 300.0
_TIMESTAMP = re.compile(r"[0-9]{1,15}", re.ASCII)
_Check = Callable[[bytes, bytes], bool]


class Headers(Protocol):
    """The headers of a request, as a framework has them; those of the standard library's server are no mapping."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Names and values."""


class InvalidWebhook(Exception):
    """What came is not what the service signed: answer 401, and do nothing."""


def verify_webhook(
    secret: str | Sequence[str],
    headers: Headers,
    body: bytes,
    *,
    now: float | None = None,
    tolerance: float = TOLERANCE_SECONDS,
) -> EventDocument:
    """The event of a webhook that one of the secrets has signed.

    `secret` is `whsec_...` (v1), or `whpk_...`, the public key of v1a; several while one takes another's place. `body`
    are the bytes as they came: JSON that was read and written again is other bytes. `now` is UTC seconds since 1970.
    Raises `InvalidWebhook`, and `ValueError` where a secret is none.
    """
    checks = [_check_of(each) for each in ([secret] if isinstance(secret, str) else secret)]
    given = {name.lower(): value for name, value in headers.items()}
    webhook_id, moment, signatures = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not webhook_id or not signatures or not _TIMESTAMP.fullmatch(moment):
        raise InvalidWebhook("it lacks webhook-id, webhook-timestamp or webhook-signature")
    if abs((time.time() if now is None else now) - int(moment)) > tolerance:
        raise InvalidWebhook("it was sent too long ago, or one of the clocks is wrong")
    signed = f"{webhook_id}.{moment}.".encode() + body
    if not any(_fits(check, signed, signature) for check in checks for signature in signatures.split()):
        raise InvalidWebhook("no signature of it is by one of these secrets")
    return _event(body)


def _event(body: bytes) -> EventDocument:
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise InvalidWebhook("its body is no event")
    return cast("EventDocument", event)


def _check_of(secret: str) -> tuple[str, _Check]:
    """The version of signatures that a secret is for, and whether one of them is right."""
    kind, _, encoded = secret.partition("_")
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    if kind == "whsec" and key:
        return "v1", lambda signed, found: hmac.compare_digest(hmac.new(key, signed, hashlib.sha256).digest(), found)
    if kind == "whpk" and key:
        return "v1a", _ed25519(key)
    # An empty key would accept what anybody has signed with nothing.
    raise ValueError("the secret of a webhook begins with whsec_ or whpk_, and base64 comes after that")


def _fits(check: tuple[str, _Check], signed: bytes, signature: str) -> bool:
    wanted, fits = check
    version, _, value = signature.partition(",")
    try:
        found = base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return version == wanted and fits(signed, found)


def _ed25519(key: bytes) -> _Check:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    public = Ed25519PublicKey.from_public_bytes(key)

    def fits(signed: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    return fits
