"""What is sent of an event: its document as others see it, as the very bytes that are signed."""

import json
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from checks.model import Fault
from settings_store.events import events
from settings_store.secrets import Vault
from settings_store.webhooks.endpoints import WebhookEndpoint
from worker.events import reading
from worker.events.document import document
from worker.events.public import PublicEvent

LONGEST = 20_000
"""Bytes of a body: the specification wants fewer than 20 kB."""
TEST = "webhook_endpoint.test"
"""The type of what is sent to try an endpoint out; it is no event."""


def message_id(delivery_id: str) -> str:
    """The `webhook-id` of a delivery."""
    return f"whd_{delivery_id}"


def body_of(conn: Connection, account_id: int, seq: int) -> bytes | None:
    """The body for an event of an account, None where it is kept no more."""
    found = reading.worded(conn, events.of_account(conn, account_id, seq - 1, 1))
    return encoded(found[0]) if found and found[0].seq == seq else None


def encoded(event: PublicEvent) -> bytes:
    """An event as JSON, without its data where that would be too much; then `truncated` says so."""
    body = _json(event)
    return body if len(body) < LONGEST else _json(replace(event, data={"truncated": True}))


def test_body(endpoint_id: str, now: float) -> bytes:
    """What is sent to try an endpoint out."""
    return _json(PublicEvent(0, TEST, now, None, f"whe_{endpoint_id}", "mail-preflight", {}))


def secrets_of(endpoint: WebhookEndpoint, vault: Vault, now: float) -> Sequence[str]:
    """What signs now, the newest first. Raises `Fault` where it cannot be read."""
    current = [vault.open(endpoint.secret)]
    if endpoint.old_secret is None or endpoint.old_until is None or endpoint.old_until <= now:
        return current
    try:
        return [*current, vault.open(endpoint.old_secret)]
    except Fault:  # the new one is enough
        return current


def _json(event: PublicEvent) -> bytes:
    return json.dumps(document(event), ensure_ascii=False, separators=(",", ":")).encode()
