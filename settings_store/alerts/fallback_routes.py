"""Which alerts might go through the server that they are about, and which other ways there are."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store.alerts.deliveries import KEY_COLUMNS, Key, key_of
from settings_store.alerts.outbox import insert_missing, is_told_as
from settings_store.schema import alert_channels, alerts, events, incidents

_ABOUT_SERVERS = ("endpoint", "server", "mailboxes")  # one mailbox alone says nothing about its server


@dataclass(frozen=True, slots=True)
class Way:
    """An alert, the URL of its channel (encrypted), and the hosts, in lower case, that must not be on the way."""

    key: Key
    hosts: frozenset[str]
    token: bytes = field(repr=False)


def may_be_needed() -> sa.ColumnElement[bool]:
    """For `deliveries.due_keys`: alerts to a mail channel, about a server that is broken now."""
    mail = sa.or_(alert_channels.c.shown.startswith("mailto:"), alert_channels.c.shown.startswith("mailtos:"))
    return sa.and_(mail, _broken_now(), ~is_told_as("resolved"))


def _broken_now() -> sa.ColumnElement[bool]:
    return sa.and_(incidents.c.scope.in_(_ABOUT_SERVERS), incidents.c.closed_at.is_(None))


def ways(conn: Connection, keys: Iterable[Key]) -> list[Way]:
    """The ways of alerts; without hosts where nothing is broken now."""
    return [way for key in keys for way in _ways(conn, key.matches)]


def other_ways(conn: Connection, key: Key) -> list[Way]:
    """How the same is told to other channels, or was."""
    return _ways(
        conn, alerts.c.event_seq == key.event_seq, alerts.c.channel_id != key.channel_id, alerts.c.dropped.is_(None)
    )


def _ways(conn: Connection, *conditions: sa.ColumnElement[bool]) -> list[Way]:
    query = (
        sa.select(*KEY_COLUMNS, alert_channels.c.url, incidents.c.facts, _broken_now().label("broken"))
        .join_from(alerts, incidents)
        .join(events, events.c.seq == alerts.c.event_seq)
        .join(alert_channels, alert_channels.c.id == alerts.c.channel_id)
        .where(*conditions)
    )
    return [_way(row) for row in conn.execute(query)]


def _way(row: sa.Row[tuple[object, ...]]) -> Way:
    key = key_of(row)
    broken = row.broken and key.kind != "resolved"
    return Way(key, _hosts(row.facts) if broken else frozenset(), row.url)


def _hosts(facts: dict[str, str]) -> frozenset[str]:
    """The host of the cause, and those of all endpoints concerned, which are written like `imap@mail.example:993`."""
    listed = (item.rpartition("@")[2].rpartition(":")[0].strip("[]") for item in facts.get("endpoints", "").split())
    return frozenset(host.lower().rstrip(".") for host in (facts.get("host", ""), *listed) if host)


def tell_operator(conn: Connection, key: Key, now: float) -> int:
    """Has the operator's channels told what a customer's cannot be; returns how many there are."""
    operators = sa.select(alert_channels.c.id).where(alert_channels.c.operator)
    found = [channel_id for channel_id in conn.execute(operators).scalars() if channel_id != key.channel_id]
    insert_missing(conn, [_told_at_once(key, channel_id, now) for channel_id in found])
    return len(found)


def _told_at_once(key: Key, channel_id: int, now: float) -> dict[str, str | int | float]:
    return {
        "event_seq": key.event_seq,
        "channel_id": channel_id,
        "incident_id": key.incident_id,
        "created_at": now,
        "due_at": now,
    }
