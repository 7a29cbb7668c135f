"""The way of alerts out: bundled into deliveries, claimed by one worker at a time, recorded.

A delivery that was claimed and neither sent nor failed is a killed worker's. It is sent again, under the same id.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store.alerts.outbox import KINDS, RESOLVED_MEANWHILE, Kind, is_told_as, kind_of
from settings_store.forgetting import forget
from settings_store.schema import alert_channels, alerts, deliveries, events, incidents

# A clock that was put back must not hold anything up for as long as it was ahead.
_LONGEST_BACK_OFF = 2 * 3600.0
_LONGEST_QUIET = 2 * 86400.0
_LONGEST_LEASE = 3600.0


@dataclass(frozen=True, slots=True)
class Key:
    """One alert, with what its event is: `number` is 0 but for reminders."""

    event_seq: int
    channel_id: int
    incident_id: str
    kind: Kind
    number: int

    @property
    def matches(self) -> sa.ColumnElement[bool]:
        """This alert's row."""
        return sa.and_(alerts.c.event_seq == self.event_seq, alerts.c.channel_id == self.channel_id)


KEY_COLUMNS = (
    alerts.c.event_seq,
    alerts.c.channel_id,
    alerts.c.incident_id,
    events.c.kind,
    events.c.payload,
)
"""What `key_of` needs, of alerts joined with their events."""


def key_of(row: Any) -> Key:
    """The alert of a row with `KEY_COLUMNS`."""
    return Key(row.event_seq, row.channel_id, row.incident_id, kind_of(row.kind), row.payload.get("number", 0))


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that this worker has claimed. `attempts` counts this one, too. `token` is the channel's URL."""

    id: str
    channel_id: int
    attempts: int
    created_at: float
    language: str
    zone: str
    token: bytes = field(repr=False)


def due_by_channel(conn: Connection, now: float) -> dict[int, int]:
    """How many alerts are due and in no delivery, by the channel's id."""
    query = sa.select(alerts.c.channel_id, sa.func.count()).where(_due(now)).group_by(alerts.c.channel_id)
    query = query.order_by(alerts.c.channel_id)  # two that bundle at once take the same way, and none locks the other
    return {int(row[0]): int(row[1]) for row in conn.execute(query)}


def due_keys(conn: Connection, now: float, limit: int, *conditions: sa.ColumnElement[bool]) -> list[Key]:
    """Alerts that are due and in no delivery, oldest first. Conditions may speak of the event too."""
    query = (
        sa.select(*KEY_COLUMNS)
        .join_from(alerts, incidents)
        .join(events, events.c.seq == alerts.c.event_seq)
        .join(alert_channels, alert_channels.c.id == alerts.c.channel_id)
        .where(_due(now), *conditions)
        .order_by(alerts.c.created_at, alerts.c.incident_id)
        .limit(limit)
    )
    return [key_of(row) for row in conn.execute(query)]


def to_channel(channel_id: int) -> sa.ColumnElement[bool]:
    """For `due_keys`: alerts to one channel."""
    return alerts.c.channel_id == channel_id


def bundle(conn: Connection, channel_id: int, now: float, only: Key | None = None) -> bool:
    """One delivery of all that is due for a channel, or of one alert. False where another worker was first."""
    delivery_id = uuid.uuid4().hex
    conn.execute(
        deliveries.insert().values(id=delivery_id, channel_id=channel_id, state="pending", next_at=now, created_at=now)
    )
    chosen = only.matches if only else alerts.c.channel_id == channel_id
    taken = conn.execute(alerts.update().where(_due(now), chosen).values(delivery_id=delivery_id))
    if taken.rowcount:
        return True
    conn.execute(deliveries.delete().where(deliveries.c.id == delivery_id))
    return False


def _due(now: float) -> sa.ColumnElement[bool]:
    at_once = alerts.c.due_at <= alerts.c.created_at
    ready = sa.or_(alerts.c.due_at <= now, at_once, alerts.c.due_at > now + _LONGEST_QUIET)
    return sa.and_(alerts.c.delivery_id.is_(None), alerts.c.dropped.is_(None), ready)


def waiting(conn: Connection, now: float) -> int:
    """How many deliveries could be claimed."""
    return int(conn.execute(sa.select(sa.func.count()).select_from(deliveries).where(_claimable(now))).scalar_one())


def claim(conn: Connection, owner: str, now: float, lease_until: float) -> Delivery | None:
    """A delivery to send now, for this worker alone until the lease ends; one of a channel at a time."""
    other = deliveries.alias("other")
    busy = sa.exists().where(
        other.c.channel_id == deliveries.c.channel_id,
        other.c.state == "pending",
        other.c.lease_until > now,
        other.c.lease_until <= now + _LONGEST_LEASE,
    )
    query = sa.select(deliveries.c.id).where(_claimable(now), ~busy).order_by(deliveries.c.next_at, deliveries.c.id)
    found = conn.execute(query.limit(1).with_for_update(skip_locked=True)).scalar()
    if found is None:
        return None
    values = {"lease_owner": owner, "lease_until": lease_until, "attempts": deliveries.c.attempts + 1}
    conn.execute(deliveries.update().where(deliveries.c.id == found).values(values))
    return _loaded(conn, found)


def _claimable(now: float) -> sa.ColumnElement[bool]:
    free = sa.or_(deliveries.c.lease_until <= now, deliveries.c.lease_until > now + _LONGEST_LEASE)
    untried = deliveries.c.attempts == 0
    ready = sa.or_(deliveries.c.next_at <= now, untried, deliveries.c.next_at > now + _LONGEST_BACK_OFF)
    return sa.and_(deliveries.c.state == "pending", free, ready)


def _loaded(conn: Connection, delivery_id: str) -> Delivery:
    query = sa.select(
        *(deliveries.c[name] for name in ("id", "channel_id", "attempts", "created_at")),
        alert_channels.c.language,
        alert_channels.c.time_zone.label("zone"),
        alert_channels.c.url.label("token"),
    ).join_from(deliveries, alert_channels)
    return Delivery(**conn.execute(query.where(deliveries.c.id == delivery_id)).mappings().one())


def keys_of(conn: Connection, delivery_id: str) -> list[Key]:
    """What a delivery still has to tell, without what was resolved meanwhile where that is told elsewhere."""
    _drop_outdated(conn, delivery_id)
    query = (
        sa.select(*KEY_COLUMNS)
        .join_from(alerts, events)
        .where(alerts.c.delivery_id == delivery_id, alerts.c.dropped.is_(None))
        .order_by(alerts.c.created_at, alerts.c.incident_id, events.c.kind)
    )
    return [key_of(row) for row in conn.execute(query)]


def _drop_outdated(conn: Connection, delivery_id: str) -> None:
    later, end = alerts.alias("later"), events.alias("end")
    resolved = sa.exists().where(
        later.c.incident_id == alerts.c.incident_id,
        later.c.channel_id == alerts.c.channel_id,
        end.c.seq == later.c.event_seq,
        end.c.kind == KINDS["resolved"].KIND,
    )
    earlier = sa.exists().where(events.c.seq == alerts.c.event_seq, ~is_told_as("resolved"))
    stale = (alerts.c.delivery_id == delivery_id, alerts.c.dropped.is_(None), earlier, resolved)
    conn.execute(alerts.update().where(*stale).values(dropped=RESOLVED_MEANWHILE))


def discard(conn: Connection, delivery_id: str) -> None:
    """Removes a delivery that has nothing left to tell; its dropped alerts stay, as a record of why."""
    conn.execute(alerts.update().where(alerts.c.delivery_id == delivery_id).values(delivery_id=None))
    conn.execute(deliveries.delete().where(deliveries.c.id == delivery_id))


def record_sent(conn: Connection, delivery_id: str, now: float) -> None:
    """It was sent; that counts even where the lease is another's by now."""
    values = {"state": "sent", "sent_at": now, "lease_owner": None, "lease_until": 0, "error": ""}
    conn.execute(deliveries.update().where(deliveries.c.id == delivery_id).values(values))


def record_failure(
    conn: Connection, delivery_id: str, owner: str, error: str, next_at: float, *, give_up: bool = False
) -> None:
    """It was not sent, for a reason without secrets; it is tried again at `next_at`, or never. Only its owner may."""
    state = "given_up" if give_up else "pending"
    values = {"state": state, "error": error, "next_at": next_at, "lease_owner": None, "lease_until": 0}
    mine = (deliveries.c.id == delivery_id, deliveries.c.lease_owner == owner, deliveries.c.state == "pending")
    conn.execute(deliveries.update().where(*mine).values(values))


# -- held back: their way leads through what is broken


def hold(conn: Connection, keys: Sequence[Key], until: float, delivery_id: str | None = None) -> None:
    """Leaves alerts where they are until then; what is in that delivery is in none any more.

    What another worker has taken into its own meanwhile stays there: it may be sent by now.
    """
    for key in keys:
        mine = (key.matches, alerts.c.delivery_id.is_not_distinct_from(delivery_id))
        conn.execute(alerts.update().where(*mine).values(delivery_id=None, due_at=until))


def put_off(conn: Connection, delivery_id: str, owner: str, until: float, why: str) -> bool:
    """Sends a delivery later, without counting this attempt. False where it is another worker's by now."""
    values = {"attempts": deliveries.c.attempts - 1, "next_at": until, "lease_owner": None, "lease_until": 0}
    mine = (deliveries.c.id == delivery_id, deliveries.c.lease_owner == owner, deliveries.c.state == "pending")
    return bool(conn.execute(deliveries.update().where(*mine).values(error=why, **values)).rowcount)


def tidy(conn: Connection, before: float, most: int) -> int:
    """Forgets what was sent or given up, and was made earlier, of incidents that are over: `most` at most. How many."""
    open_one = sa.exists().where(
        alerts.c.delivery_id == deliveries.c.id, incidents.c.id == alerts.c.incident_id, incidents.c.closed_at.is_(None)
    )
    old = sa.and_(deliveries.c.created_at < before, deliveries.c.state != "pending", ~open_one)
    return forget(conn, deliveries, old, deliveries.c.created_at, most)
