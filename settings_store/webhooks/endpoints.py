"""Webhook endpoints as stored: where events go, which, and with which secret they are signed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid, Unknown
from settings_store import schema
from settings_store.events import events
from settings_store.events.administration import WebhookEndpointDisabled

MOST = 100
"""So many endpoints an account may have."""

BY_ADMIN = "by an administrator"

_endpoints, _domains, _events = schema.webhook_endpoints, schema.domains, schema.events


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Times are UTC seconds since 1970. `url` and the secrets are sealed; `shown` is the URL without its query.

    `types` are those of the events that it hears of, none for all. `domain` is the only one that it hears of, None for
    all of the account. `failing_since` is None where the last attempt was successful, `disabled_at` where nothing has
    been disabled.
    """

    id: str
    account_id: int
    url: bytes = field(repr=False)
    shown: str
    description: str
    types: tuple[str, ...]
    domain_id: int | None
    domain: str | None
    signature: str
    secret: bytes = field(repr=False)
    old_secret: bytes | None = field(repr=False)
    old_until: float | None
    after_seq: int
    created_at: float
    failing_since: float | None
    failures: int
    disabled_at: float | None
    disabled_why: str


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """What a new endpoint is to be; see `WebhookEndpoint`."""

    url: bytes = field(repr=False)
    shown: str
    description: str
    types: Sequence[str]
    domain_id: int | None
    signature: str
    secret: bytes = field(repr=False)


def add(
    conn: Connection, account_id: int, new: NewEndpoint, now: float, endpoint_id: str | None = None
) -> WebhookEndpoint:
    """Adds an endpoint that hears of what happens from now on. Raises `Invalid` where there are too many."""
    mine = sa.select(sa.func.count()).select_from(_endpoints).where(_endpoints.c.account_id == account_id)
    if conn.execute(mine).scalar_one() >= MOST:
        raise Invalid(f"an account has at most {MOST} webhook endpoints; remove one that is not needed")
    last = _last_event(conn)
    values: dict[str, Any] = {
        "id": endpoint_id or uuid.uuid4().hex,
        "account_id": account_id,
        "url": new.url,
        "shown": new.shown,
        "description": new.description,
        "kinds": list(new.types),
        "domain_id": new.domain_id,
        "signature": new.signature,
        "secret": new.secret,
        "after_seq": last,
        "seen_seq": last,
        "created_at": now,
    }
    conn.execute(_endpoints.insert().values(**values))
    return find(conn, account_id, values["id"])


def find(conn: Connection, account_id: int, endpoint_id: str) -> WebhookEndpoint:
    """An endpoint of an account. Raises `Unknown`."""
    row = conn.execute(_query().where(_mine(account_id, endpoint_id))).one_or_none()
    if row is None:
        raise Unknown("there is no such webhook endpoint", "endpoint_id")
    return _endpoint(row)


def load(conn: Connection, endpoint_id: str) -> WebhookEndpoint | None:
    """The endpoint with an id of our own, None where it was removed."""
    row = conn.execute(_query().where(_endpoints.c.id == endpoint_id)).one_or_none()
    return _endpoint(row) if row else None


def of_account(
    conn: Connection, account_id: int, limit: int, after: tuple[float, str] | None = None
) -> list[WebhookEndpoint]:
    """An account's endpoints, the oldest first: at most `limit`, of those after that time of creation and id."""
    place = sa.tuple_(_endpoints.c.created_at, _endpoints.c.id)
    query = _query().where(_endpoints.c.account_id == account_id)
    if after is not None:
        query = query.where(place > sa.tuple_(*after))
    query = query.order_by(_endpoints.c.created_at, _endpoints.c.id).limit(limit)
    return [_endpoint(row) for row in conn.execute(query)]


def change(conn: Connection, account_id: int, endpoint_id: str, **columns: object) -> WebhookEndpoint:
    """Writes some columns anew. Raises `Unknown`."""
    if columns:
        conn.execute(_endpoints.update().where(_mine(account_id, endpoint_id)).values(**columns))
    return find(conn, account_id, endpoint_id)


def enable(conn: Connection, account_id: int, endpoint_id: str) -> None:
    """Events are sent again: those that were waiting, and those that happen from now on."""
    last = _last_event(conn)
    anew = {"after_seq": last, "seen_seq": last, "seen_xid": None, "failing_since": None, "failures": 0}
    disabled = _mine(account_id, endpoint_id) & _endpoints.c.disabled_at.is_not(None)
    enabled = _endpoints.update().where(disabled).values(disabled_at=None, disabled_why="", hold_until=0, **anew)
    conn.execute(enabled)


def disable(conn: Connection, account_id: int, endpoint_id: str, now: float) -> None:
    """Nothing is sent any more, because an administrator wants that; what waits goes on waiting."""
    enabled = _mine(account_id, endpoint_id) & _endpoints.c.disabled_at.is_(None)
    conn.execute(_endpoints.update().where(enabled).values(disabled_at=now, disabled_why=BY_ADMIN))


def give_up(conn: Connection, endpoint: WebhookEndpoint, reason: str, status: int | None, why: str, now: float) -> bool:
    """Disables an endpoint that is gone or failing, and tells so by an event. False where it was disabled already."""
    enabled = _endpoints.c.id == endpoint.id, _endpoints.c.disabled_at.is_(None)
    done = conn.execute(_endpoints.update().where(*enabled).values(disabled_at=now, disabled_why=why))
    if done.rowcount:
        told = WebhookEndpointDisabled(
            subject=endpoint.id,
            at=now,
            account_id=endpoint.account_id,
            domain_id=endpoint.domain_id,
            reason=reason,
            status=status,
        )
        events.record(conn, told)
    return bool(done.rowcount)


def remove(conn: Connection, account_id: int, endpoint_id: str) -> None:
    """Removes an endpoint with its deliveries. Raises `Unknown`."""
    if not conn.execute(_endpoints.delete().where(_mine(account_id, endpoint_id))).rowcount:
        raise Unknown("there is no such webhook endpoint", "endpoint_id")


def _last_event(conn: Connection) -> int:
    return conn.execute(sa.select(sa.func.max(_events.c.seq))).scalar() or 0


def _mine(account_id: int, endpoint_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(_endpoints.c.id == endpoint_id, _endpoints.c.account_id == account_id)


_COLUMNS = (
    *("id", "account_id", "url", "shown", "description", "domain_id", "signature", "secret", "old_secret", "old_until"),
    *("after_seq", "created_at", "failing_since", "failures", "disabled_at", "disabled_why"),
)


def _query() -> "sa.Select[tuple[Any, ...]]":
    columns = (_endpoints.c[name] for name in _COLUMNS)
    query = sa.select(*columns, _endpoints.c.kinds.label("types"), _domains.c.name.label("domain"))
    return query.outerjoin_from(_endpoints, _domains, _domains.c.id == _endpoints.c.domain_id)


def _endpoint(row: "sa.Row[tuple[Any, ...]]") -> WebhookEndpoint:
    values = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for a row as a mapping
    return WebhookEndpoint(**values | {"types": tuple(values["types"])})
