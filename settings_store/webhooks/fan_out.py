"""From events to deliveries: each endpoint has one of every event that it hears of, none is left out.

Two transactions of PostgreSQL may be committed in another order than that of their events' numbers. So what was seen is
looked through again until no transaction goes on that was there when it was seen: then none with a lower number can
come any more. An event is written after what it tells of, so its transaction has its own number (`xid`) before it.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.db import insert_into
from settings_store.events import events
from settings_store.events.event import Event
from settings_store.webhooks.endpoints import WebhookEndpoint, load

PORTION = 500

TypeOf = Callable[[Event], str]
"""What an event is called outside."""

_endpoints, _deliveries, _events = schema.webhook_endpoints, schema.webhook_deliveries, schema.events


def behind(conn: Connection) -> list[str]:
    """The ids of the endpoints that events may still have to be sent to."""
    newer = sa.exists().where(_events.c.account_id == _endpoints.c.account_id, _events.c.seq > _endpoints.c.after_seq)
    query = sa.select(_endpoints.c.id).where(_endpoints.c.disabled_at.is_(None), newer).order_by(_endpoints.c.id)
    return list(conn.execute(query).scalars())


def make_deliveries(conn: Connection, endpoint_id: str, start: int | None, type_of: TypeOf, now: float) -> int | None:
    """Makes the deliveries of some events, from after `start` on (None: where the endpoint is).

    Returns where to go on, in a transaction of its own, None where all is done. Doing it twice changes nothing, nor
    does doing it at once.
    """
    mark = _mark_of(conn, endpoint_id)
    endpoint = load(conn, endpoint_id)
    if mark is None or endpoint is None or endpoint.disabled_at is not None:
        return None
    begin = mark.after if start is None else start
    found = events.of_account(conn, endpoint.account_id, begin, PORTION)
    # The first write of this transaction, which gives it its number: whoever wrote what was read has a lower one.
    if not _move(conn, endpoint_id, mark, begin, found):
        return None
    wanted = hears_of(conn, endpoint, found, type_of)
    insert_missing(conn, endpoint_id, wanted, type_of, now)
    return found[-1].seq if len(found) == PORTION else None


def hears_of(conn: Connection, endpoint: WebhookEndpoint, found: Sequence[Event], type_of: TypeOf) -> list[Event]:
    """Those of the account's events that an endpoint is told of."""
    wanted = [event for event in found if not endpoint.types or type_of(event) in endpoint.types]
    if endpoint.domain_id is None:
        return wanted
    shared = _shared_incidents(conn, endpoint.domain_id, {event.subject for event in wanted if event.domain_id is None})
    return [event for event in wanted if event.domain_id == endpoint.domain_id or event.subject in shared]


def delivery_id(endpoint_id: str, seq: int) -> str:
    """The id of the delivery of an event to an endpoint: the same whenever, and by whomever, it is made."""
    return hashlib.sha256(f"{endpoint_id}:{seq}".encode()).hexdigest()[:32]


def insert_missing(conn: Connection, endpoint_id: str, found: Collection[Event], type_of: TypeOf, now: float) -> None:
    """Adds the deliveries of these events that are not there."""
    rows = [
        {
            "id": delivery_id(endpoint_id, event.seq),
            "endpoint_id": endpoint_id,
            "event_seq": event.seq,
            "kind": type_of(event),
            "state": "pending",
            "next_at": now,
            "created_at": now,
        }
        for event in found
    ]
    if rows:
        conn.execute(insert_into(conn, _deliveries).on_conflict_do_nothing(), rows)


def _shared_incidents(conn: Connection, domain_id: int, subjects: Collection[str]) -> set[str]:
    """Those of the incidents that are about this domain among others."""
    listed = schema.incident_domains
    mine = listed.c.domain_id == domain_id, listed.c.incident_id.in_(subjects)
    return set(conn.execute(sa.select(listed.c.incident_id).where(*mine)).scalars())


# -- how far it has come


@dataclass(frozen=True, slots=True)
class _Mark:
    after: int
    seen: int
    settled: bool  # nothing up to `seen` can come any more that is not there


def _mark_of(conn: Connection, endpoint_id: str) -> _Mark | None:
    oldest: Any = sa.null()  # SQLite has one writer: events are committed in their order
    if conn.dialect.name == "postgresql":
        oldest = sa.func.txid_snapshot_xmin(sa.func.txid_current_snapshot())
    columns = (_endpoints.c.after_seq, _endpoints.c.seen_seq, _endpoints.c.seen_xid)
    row = conn.execute(sa.select(*columns, oldest).where(_endpoints.c.id == endpoint_id)).one_or_none()
    if row is None:
        return None
    after, seen, seen_by, oldest_now = row
    return _Mark(after, seen, seen_by is None or oldest_now is None or oldest_now >= seen_by)


def _move(conn: Connection, endpoint_id: str, mark: _Mark, begin: int, found: Sequence[Event]) -> bool:
    """Moves the mark by compare-and-swap. False where another one did, or the endpoint was disabled."""
    last = found[-1].seq if found else begin
    postgresql = conn.dialect.name == "postgresql"
    after, values = mark.after, dict[str, Any]()
    if not postgresql:
        values = {"after_seq": max(after, last), "seen_seq": max(after, last)}
    elif mark.settled and begin == after:
        after = min(mark.seen, last) if len(found) == PORTION else mark.seen
        values["after_seq"] = after
        if after == mark.seen and last > after:
            values |= {"seen_seq": last, "seen_xid": sa.func.txid_current()}
    same = _endpoints.c.after_seq == mark.after, _endpoints.c.seen_seq == mark.seen, _endpoints.c.disabled_at.is_(None)
    values = values or {"after_seq": mark.after}
    return bool(
        conn.execute(_endpoints.update().where(_endpoints.c.id == endpoint_id, *same).values(**values)).rowcount
    )
