"""Webhook endpoints and their deliveries, as they are answered."""

from typing import Literal

from pydantic import Field

from settings_store.webhooks.deliveries import Delivery, State
from web.documents import Document, Prefix, Time, public_id
from worker.service.webhooks import Seen
from worker.webhooks.messages import message_id


class EndpointDocument(Document):
    """A webhook endpoint. `url` is without its query, which may hold a secret; no `types` are all types.

    `silent` says why no event arrives at all, and is null where they do. Verify `v1a` with `public_key`; until
    `old_secret_until`, what is sent is signed with the secret before it, too.
    """

    id: str
    url: str
    description: str
    types: list[str]
    domain: str | None
    signature: Literal["v1", "v1a"]
    public_key: str | None
    old_public_key: str | None
    old_secret_until: Time | None
    enabled: bool
    disabled_at: Time | None
    failing_since: Time | None
    silent: str | None
    created_at: Time


class EndpointWithSecret(EndpointDocument):
    """`secret` is shown now and never again; null with `v1a`, whose secret stays with us."""

    secret: str | None


class EndpointPage(Document):
    """The oldest endpoints first."""

    items: list[EndpointDocument]
    next_cursor: str | None


class DeliveryDocument(Document):
    """One event to one endpoint. `id` is the `webhook-id`, the same at every attempt.

    `next_attempt_at` is null where none is to come; `status` is that of the last answer, `error` why it failed.
    """

    id: str
    event_id: str
    type: str
    state: State
    attempts: int
    created_at: Time
    next_attempt_at: Time | None
    sent_at: Time | None
    status: int | None
    error: str | None


class DeliveryPage(Document):
    """Those of the newest events first."""

    items: list[DeliveryDocument]
    next_cursor: str | None


class TriedDocument(Document):
    """What came of a test. `status` is that of the answer, null where there was none; `error` why it failed."""

    webhook_id: str = Field(examples=["whd_0123456789abcdef0123456789abcdef"])
    delivered: bool
    status: int | None
    error: str | None


class QueuedDocument(Document):
    """So many deliveries are sent again. `next_after`: ask again with it as `after`, there is more of the range."""

    queued: int
    next_after: str | None


def endpoint_document(seen: Seen) -> EndpointDocument:
    """An endpoint without its secret."""
    return EndpointDocument.model_validate(_fields(seen))


def with_secret(seen: Seen) -> EndpointWithSecret:
    """An endpoint whose secret is new."""
    return EndpointWithSecret.model_validate({**_fields(seen), "secret": seen.secret})


def _fields(seen: Seen) -> dict[str, object]:
    found = seen.endpoint
    return {
        "id": public_id(Prefix.WEBHOOK_ENDPOINT, found.id),
        "url": found.shown,
        "description": found.description,
        "types": list(found.types),
        "domain": found.domain,
        "signature": found.signature,
        "public_key": seen.public_key,
        "old_public_key": seen.old_public_key,
        "old_secret_until": seen.old_until,
        "enabled": found.disabled_at is None,
        "disabled_at": found.disabled_at,
        "failing_since": found.failing_since,
        "silent": seen.silent,
        "created_at": found.created_at,
    }


def delivery_document(found: Delivery) -> DeliveryDocument:
    """A delivery."""
    return DeliveryDocument(
        id=message_id(found.id),
        event_id=event_id(found.event_seq),
        type=found.type,
        state=found.state,
        attempts=found.attempts,
        created_at=found.created_at,
        next_attempt_at=found.next_at if found.state == "pending" else None,
        sent_at=found.sent_at,
        status=found.status,
        error=found.error or None,
    )


def event_id(seq: int) -> str:
    """As the events themselves have it."""
    return f"{Prefix.EVENT}_{seq:012d}"
