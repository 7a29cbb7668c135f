"""`verify_webhook`: what the service signed is let through, and nothing else."""

import json
from datetime import UTC, datetime

import pytest
from mail_preflight_client import InvalidWebhook, verify_webhook
from standardwebhooks import Webhook

from worker.webhooks import signature

NOW = 1_796_000_000
BODY = b'{"id": "evt_000000000042", "type": "change.verified"}'


def signed(*secrets: str, at: int = NOW, body: bytes = BODY) -> dict[str, str]:
    """The headers as the service makes them."""
    return signature.headers(secrets, "whd_0123", at, body)


def outside(secret: str) -> str:
    """What a receiver holds of a secret."""
    return signature.public_key(secret) or secret


@pytest.fixture(params=["v1", "v1a"])
def secret(request: pytest.FixtureRequest) -> str:
    return signature.new_secret(request.param)


def test_what_the_service_signed(secret: str) -> None:
    assert verify_webhook(outside(secret), signed(secret), BODY, now=NOW) == json.loads(BODY)
    shouted = {name.upper(): value for name, value in signed(secret).items()}
    assert verify_webhook(outside(secret), shouted, BODY, now=NOW) == json.loads(BODY)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_too_old_or_from_the_future(secret: str, seconds: int) -> None:
    headers = signed(secret, at=NOW + seconds)
    with pytest.raises(InvalidWebhook, match="clocks"):
        verify_webhook(outside(secret), headers, BODY, now=NOW)
    assert verify_webhook(outside(secret), headers, BODY, now=NOW, tolerance=400)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "whd_0124"},
        {"webhook-timestamp": str(NOW - 1)},
        {"webhook-timestamp": f"0{NOW}"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1a,AAAA v1,not-base64 v2,AAAA nothing"},
    ],
)
def test_what_was_tampered_with(secret: str, change: dict[str, str]) -> None:
    with pytest.raises(InvalidWebhook, match="signature"):
        verify_webhook(outside(secret), signed(secret) | change, BODY, now=NOW)


def test_another_body_and_another_secret(secret: str) -> None:
    with pytest.raises(InvalidWebhook, match="signature"):
        verify_webhook(outside(secret), signed(secret), BODY + b" ", now=NOW)
    for scheme in ("v1", "v1a"):
        with pytest.raises(InvalidWebhook, match="signature"):
            verify_webhook(outside(signature.new_secret(scheme)), signed(secret), BODY, now=NOW)  # type: ignore[arg-type] # both are schemes


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", "x y"])
def test_what_lacks_a_header(secret: str, name: str, value: str | None) -> None:
    headers = signed(secret) | {name: value or ""}
    if value is None:
        del headers[name]
    with pytest.raises(InvalidWebhook):
        verify_webhook(outside(secret), headers, BODY, now=NOW)


def test_while_a_secret_takes_anothers_place(secret: str) -> None:
    """The service signs with both, the receiver may hold either or both."""
    new = signature.new_secret("v1a" if secret.startswith("whsk_") else "v1")
    both = signed(new, secret)
    for held in (outside(secret), outside(new), [outside(secret), outside(new)]):
        assert verify_webhook(held, both, BODY, now=NOW)
    assert verify_webhook([outside(secret), outside(new)], signed(new), BODY, now=NOW)
    with pytest.raises(InvalidWebhook):
        verify_webhook(outside(secret), signed(new), BODY, now=NOW)


@pytest.mark.parametrize("wrong", ["", "whsec_", "whsec_*", "whpk_", "whpk_AAAA", "whsk_AAAA", "secret"])
def test_a_secret_that_is_none_is_not_a_wrong_webhook(wrong: str) -> None:
    """With an empty key anybody could sign."""
    with pytest.raises(ValueError):
        verify_webhook(wrong, signed(signature.new_secret("v1")), BODY, now=NOW)


@pytest.mark.parametrize("body", [b"[]", b"no JSON", b"\xff"])
def test_a_signed_body_that_is_no_event(secret: str, body: bytes) -> None:
    with pytest.raises(InvalidWebhook, match="event"):
        verify_webhook(outside(secret), signed(secret, body=body), body, now=NOW)


def test_the_same_as_the_library_of_the_standard() -> None:
    """Each takes what the other signs (v1)."""
    secret, moment = signature.new_secret("v1"), datetime.now(UTC)
    library, stamp = Webhook(secret), int(moment.timestamp())
    theirs = library.sign("whd_0123", moment, BODY.decode())
    headers = {"webhook-id": "whd_0123", "webhook-timestamp": str(stamp), "webhook-signature": theirs}
    assert verify_webhook(secret, headers, BODY) == library.verify(BODY, signed(secret, at=stamp)) == json.loads(BODY)
