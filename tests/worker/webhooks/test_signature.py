"""What we sign is what others verify: the official library for `v1`, another implementation of Ed25519 for `v1a`."""

import base64
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from worker.webhooks import signature

BODY = '{"type":"change.verified","data":{"verdict":"安全"}}'.encode()


def verify_v1a(public: str, headers: dict[str, str], body: bytes) -> None:
    """As docs/api.md says. Raises `InvalidSignature` where no signature is by that key."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    for each in headers["webhook-signature"].split(" "):
        version, _, encoded = each.partition(",")
        if version == "v1a":
            try:
                return key.verify(base64.b64decode(encoded), content)
            except InvalidSignature:
                continue
    raise InvalidSignature


def test_the_official_library_verifies_a_shared_secret() -> None:
    secret = signature.new_secret("v1")
    headers = signature.headers([secret], "whd_1", int(time.time()), BODY)
    assert Webhook(secret).verify(BODY, headers)["data"] == {"verdict": "安全"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers | {"webhook-id": "whd_2"})
    with pytest.raises(WebhookVerificationError):
        Webhook(signature.new_secret("v1")).verify(BODY, headers)


def test_both_secrets_of_a_rotation_are_good() -> None:
    new, old = signature.new_secret("v1"), signature.new_secret("v1")
    headers = signature.headers([new, old], "whd_1", int(time.time()), BODY)
    assert headers["webhook-signature"].count("v1,") == 2
    assert Webhook(new).verify(BODY, headers) == Webhook(old).verify(BODY, headers)


def test_a_public_key_verifies_what_its_secret_signs() -> None:
    new, old = signature.new_secret("v1a"), signature.new_secret("v1a")
    headers = signature.headers([new, old], "whd_1", 1_800_000_000, BODY)
    for secret in (new, old):
        public = signature.public_key(secret)
        assert public is not None and public.startswith("whpk_") and public[5:] not in secret
        verify_v1a(public, headers, BODY)
        with pytest.raises(InvalidSignature):
            verify_v1a(public, headers, BODY + b" ")
    assert signature.public_key(signature.new_secret("v1")) is None


def test_secrets_are_as_long_as_the_specification_has_them() -> None:
    first, second = signature.new_secret("v1"), signature.new_secret("v1")
    assert first != second and first.startswith("whsec_")
    assert 24 <= len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) <= 64
