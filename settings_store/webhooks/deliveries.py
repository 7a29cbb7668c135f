"""The way of events out: one worker at a time sends to an endpoint, in the order of the events, and records it.

A delivery that was begun and neither sent nor failed is a killed worker's. It is sent again, under the same id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Unknown
from settings_store import schema
from settings_store.events import events
from settings_store.forgetting import forget
from settings_store.webhooks.endpoints import WebhookEndpoint
from settings_store.webhooks.fan_out import TypeOf, hears_of, insert_missing

State = Literal["pending", "sent", "failed"]

# A clock that was put back must not hold anything up for as long as it was ahead.
_LONGEST_WAIT = 1.5 * 86400.0
_LONGEST_HOLD = 2 * 3600.0
_LONGEST_LEASE = 600.0

_endpoints, _deliveries, _events = schema.webhook_endpoints, schema.webhook_deliveries, schema.events


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event to one endpoint. `attempts` counts one that is under way, too. Times are UTC seconds since 1970.

    `next_at` is when it is tried next, where it is `pending`; `status` that of the last answer, `error` why it failed.
    """

    id: str
    endpoint_id: str
    event_seq: int
    type: str
    state: State
    attempts: int
    next_at: float
    created_at: float
    sent_at: float | None
    status: int | None
    error: str


# -- sending


def claimable(conn: Connection, now: float) -> int:
    """How many endpoints have something to be sent now."""
    return int(conn.execute(sa.select(sa.func.count()).select_from(_endpoints).where(_ready(now))).scalar_one())


def claim(conn: Connection, owner: str, now: float, lease_until: float) -> str | None:
    """The id of an endpoint to send to, for this worker alone until the lease ends; that which waits for longest."""
    order = (_endpoints.c.lease_until, _endpoints.c.id)
    query = sa.select(_endpoints.c.id).where(_ready(now)).order_by(*order).limit(1).with_for_update(skip_locked=True)
    found: str | None = conn.execute(query).scalar()
    if found is not None:
        leased = {"lease_owner": owner, "lease_until": lease_until}
        conn.execute(_endpoints.update().where(_endpoints.c.id == found).values(leased))
    return found


def begin(conn: Connection, endpoint_id: str, owner: str, now: float, lease_until: float) -> Delivery | None:
    """The delivery to send now, counted as an attempt; the lease is longer by that.

    None where nothing is due, the endpoint is to be left alone, or another worker has it by now.
    """
    held = _endpoints.c.id == endpoint_id, _endpoints.c.lease_owner == owner, _may_be_asked(now)
    extended = conn.execute(_endpoints.update().where(*held).values(lease_until=lease_until))
    if not extended.rowcount:
        return None
    due = sa.select(_deliveries.c.id).where(_deliveries.c.endpoint_id == endpoint_id, _due(now))
    found = conn.execute(due.order_by(_deliveries.c.next_at, _deliveries.c.event_seq).limit(1)).scalar()
    if found is None:
        return None
    mine = _deliveries.c.id == found
    conn.execute(_deliveries.update().where(mine).values(attempts=_deliveries.c.attempts + 1))
    return _one(conn, mine)


def release(conn: Connection, endpoint_id: str, owner: str, now: float) -> None:
    """Gives an endpoint back; those that wait for longer come first."""
    held = _endpoints.c.id == endpoint_id, _endpoints.c.lease_owner == owner
    conn.execute(_endpoints.update().where(*held).values(lease_owner=None, lease_until=now))


def record_sent(conn: Connection, delivery: Delivery, status: int, now: float) -> None:
    """It was sent; that counts even where the endpoint is another worker's by now."""
    values = {"state": "sent", "sent_at": now, "status": status, "error": ""}
    conn.execute(_deliveries.update().where(_deliveries.c.id == delivery.id).values(values))
    well = {"failing_since": None, "failures": 0, "hold_until": 0}
    conn.execute(_endpoints.update().where(_endpoints.c.id == delivery.endpoint_id).values(well))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a delivery was not sent, in words without secrets. `next_at` is when it is tried again, None for never.

    `hold_until`: nothing is sent to the endpoint before.
    """

    status: int | None
    error: str
    next_at: float | None
    hold_until: float


def record_failure(conn: Connection, delivery: Delivery, owner: str, failure: Failure, now: float) -> bool:
    """It was not sent. False, and nothing is done, where the endpoint is another worker's by now."""
    held = _endpoints.c.id == delivery.endpoint_id, _endpoints.c.lease_owner == owner
    failing = {
        "failing_since": sa.func.coalesce(_endpoints.c.failing_since, now),
        "failures": _endpoints.c.failures + 1,
        "hold_until": failure.hold_until,
    }
    if not conn.execute(_endpoints.update().where(*held).values(failing)).rowcount:
        return False
    values: dict[str, Any] = {"status": failure.status, "error": failure.error}
    values |= {"state": "failed"} if failure.next_at is None else {"next_at": failure.next_at}
    waiting = _deliveries.c.id == delivery.id, _deliveries.c.state == "pending"
    conn.execute(_deliveries.update().where(*waiting).values(values))
    return True


def record_lost(conn: Connection, delivery: Delivery, why: str) -> None:
    """It can never be sent, and the receiver has no part in that."""
    lost = {"state": "failed", "error": why}
    conn.execute(_deliveries.update().where(_deliveries.c.id == delivery.id).values(lost))


def _ready(now: float) -> sa.ColumnElement[bool]:
    free = sa.or_(_endpoints.c.lease_until <= now, _endpoints.c.lease_until > now + _LONGEST_LEASE)
    waits = sa.exists().where(_deliveries.c.endpoint_id == _endpoints.c.id, _due(now))
    return sa.and_(_may_be_asked(now), sa.or_(free, _endpoints.c.lease_owner.is_(None)), waits)


def _may_be_asked(now: float) -> sa.ColumnElement[bool]:
    held = sa.and_(_endpoints.c.hold_until > now, _endpoints.c.hold_until <= now + _LONGEST_HOLD)
    return sa.and_(_endpoints.c.disabled_at.is_(None), ~held)


def _due(now: float) -> sa.ColumnElement[bool]:
    ahead = _deliveries.c.next_at > now + _LONGEST_WAIT
    ready = sa.or_(_deliveries.c.next_at <= now, _deliveries.c.attempts == 0, ahead)
    return sa.and_(_deliveries.c.state == "pending", ready)


# -- reading


def find(conn: Connection, endpoint_id: str, delivery_id: str) -> Delivery:
    """A delivery of an endpoint. Raises `Unknown`."""
    return _one(conn, sa.and_(_deliveries.c.id == delivery_id, _deliveries.c.endpoint_id == endpoint_id))


def of_endpoint(
    conn: Connection, endpoint_id: str, limit: int, before: int | None = None, state: State | None = None
) -> list[Delivery]:
    """The newest events first: at most `limit`, of those with a lower number than `before`, in that state."""
    query = _query().where(_deliveries.c.endpoint_id == endpoint_id)
    if before is not None:
        query = query.where(_deliveries.c.event_seq < before)
    if state is not None:
        query = query.where(_deliveries.c.state == state)
    rows = conn.execute(query.order_by(_deliveries.c.event_seq.desc()).limit(limit)).mappings()
    return [Delivery(**row) for row in rows]


def _query() -> "sa.Select[tuple[Any, ...]]":
    same = (
        "id",
        "endpoint_id",
        "event_seq",
        "state",
        "attempts",
        "next_at",
        "created_at",
        "sent_at",
        "status",
        "error",
    )
    return sa.select(*(_deliveries.c[name] for name in same), _deliveries.c.kind.label("type"))


def _one(conn: Connection, condition: sa.ColumnElement[bool]) -> Delivery:
    row = conn.execute(_query().where(condition)).mappings().one_or_none()
    if row is None:
        raise Unknown("there is no such delivery of this webhook endpoint", "delivery_id")
    return Delivery(**row)


# -- again


def send_again(conn: Connection, endpoint_id: str, delivery_id: str, now: float) -> Delivery:
    """Sends a delivery at once, under its id, with all attempts before it. Raises `Unknown`."""
    conn.execute(
        _deliveries.update().where(_deliveries.c.id == find(conn, endpoint_id, delivery_id).id).values(_anew(now))
    )
    return find(conn, endpoint_id, delivery_id)


@dataclass(frozen=True, slots=True)
class Range:
    """Events after the number `after`, of `since` to `until`; `sent` says whether also those that have arrived."""

    after: int = 0
    since: float | None = None
    until: float | None = None
    sent: bool = False

    def has(self, at: float) -> bool:
        """Whether a time is in it."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Queued:
    """So many deliveries are sent again. `after` is the number to go on after, None where that was all."""

    count: int
    after: int | None


def send_range_again(
    conn: Connection, endpoint: WebhookEndpoint, wanted: Range, limit: int, type_of: TypeOf, now: float
) -> Queued:
    """Sends what an endpoint hears of anew, at most `limit` events of a range: what failed or was never sent."""
    after = _before(conn, endpoint.account_id, wanted)
    found = [] if after is None else events.of_account(conn, endpoint.account_id, after, limit)
    chosen = hears_of(conn, endpoint, [event for event in found if wanted.has(event.at)], type_of)
    known = _states(conn, endpoint.id, [event.seq for event in chosen])
    again = [event for event in chosen if known.get(event.seq) in (("failed", "sent") if wanted.sent else ("failed",))]
    missing = [event for event in chosen if event.seq not in known]
    numbers = [event.seq for event in again]
    mine = _deliveries.c.endpoint_id == endpoint.id, _deliveries.c.event_seq.in_(numbers)
    conn.execute(_deliveries.update().where(*mine).values(_anew(now)))
    insert_missing(conn, endpoint.id, missing, type_of, now)
    return Queued(len(again) + len(missing), found[-1].seq if len(found) == limit else None)


def _before(conn: Connection, account_id: int, wanted: Range) -> int | None:
    """The number before the first event of a range, None where it has none."""
    conditions = [_events.c.account_id == account_id, _events.c.seq > wanted.after]
    if wanted.since is not None:
        conditions.append(_events.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(_events.c.at < wanted.until)
    first = conn.execute(sa.select(sa.func.min(_events.c.seq)).where(*conditions)).scalar()
    return None if first is None else first - 1


def _states(conn: Connection, endpoint_id: str, numbers: Sequence[int]) -> dict[int, str]:
    columns = _deliveries.c.event_seq, _deliveries.c.state
    mine = _deliveries.c.endpoint_id == endpoint_id, _deliveries.c.event_seq.in_(numbers)
    return {row[0]: row[1] for row in conn.execute(sa.select(*columns).where(*mine))}


def _anew(now: float) -> dict[str, Any]:
    return {"state": "pending", "attempts": 0, "next_at": now, "error": ""}


def tidy(conn: Connection, before: float, most: int = 2000) -> int:
    """Forgets what was sent or has failed, and was made earlier: `most` at most. Returns how many."""
    old = sa.and_(_deliveries.c.created_at < before, _deliveries.c.state != "pending")
    return forget(conn, _deliveries, old, _deliveries.c.created_at, most)


def any_to_tidy(conn: Connection, before: float) -> bool:
    """Whether `tidy` would forget anything."""
    old = _deliveries.c.created_at < before, _deliveries.c.state != "pending"
    return conn.execute(sa.select(_deliveries.c.id).where(*old).limit(1)).first() is not None
