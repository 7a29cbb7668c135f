"""What is to be told to whom. An alert is one event of an incident for one channel; a delivery is one message.

`announce` belongs in the transaction that opens or ends an incident, and so writes its event: then there is no incident
of which nobody hears, and no alert for an incident that never was.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store.alerts.channels import Subscription, subscription_of
from settings_store.db import insert_into
from settings_store.events.kinds import IncidentEvent, IncidentOpened, IncidentReminder, IncidentResolved
from settings_store.incidents.incidents import Severity
from settings_store.schema import alert_channels, alerts, deliveries, events, incident_domains, incidents

log = logging.getLogger(__name__)

Kind = Literal["opened", "reminder", "resolved"]

KINDS: Mapping[Kind, type[IncidentEvent]] = {
    "opened": IncidentOpened,
    "reminder": IncidentReminder,
    "resolved": IncidentResolved,
}
"""The events that are told."""

RESOLVED_MEANWHILE = "resolved meanwhile"


def announce(conn: Connection, incident_id: str, kind: Kind, number: int, now: float) -> int:
    """Notes that every subscribed channel is to be told of an event; returns how many new alerts that makes.

    `number` is 0 but for reminders, which are counted from 1. Doing it again changes nothing. Raises `LookupError`
    where the incident has no such event. An incident without an account is for the operator's channels. Reminders and
    `resolved` go to those who were told before as well. Where that is still to be sent, there is no reminder, and the
    one message that it is resolved tells both.
    """
    incident = conn.execute(sa.select(incidents).where(incidents.c.id == incident_id)).mappings().one()
    event_seq = _event_of(conn, incident_id, kind, number)
    rows = [_alert(incident, channel, event_seq, now) for channel in _listeners(conn, incident, kind)]
    if not rows:
        if kind == "opened":
            log.warning("nobody hears of incident %s: no alert channel is subscribed to it", incident_id)
        return 0
    before = _count(conn, event_seq)
    insert_missing(conn, rows)
    if kind == "resolved":
        _drop_unsent(conn, incident_id)
    elif incident["severity"] == Severity.CRITICAL:
        _hurry(conn, incident_id, now)
    return _count(conn, event_seq) - before


def catch_up(conn: Connection, channel_id: int, now: float) -> int:
    """Has a new channel told of what is open already; returns how many alerts that makes."""
    channel = conn.execute(sa.select(alert_channels).where(alert_channels.c.id == channel_id)).mappings().one()
    mine = incidents.c.account_id == channel["account_id"]
    if channel["operator"]:
        mine = sa.or_(mine, incidents.c.account_id.is_(None))
    found = conn.execute(sa.select(incidents).where(mine, incidents.c.closed_at.is_(None))).mappings().all()
    wanted = [incident for incident in found if _wants(conn, subscription_of(channel), incident)]
    rows = [_alert(incident, channel, _event_of(conn, incident["id"], "opened", 0), now) for incident in wanted]
    insert_missing(conn, rows)
    return len(wanted)


def _event_of(conn: Connection, incident_id: str, kind: Kind, number: int) -> int:
    """The number of the incident's event of a kind; that of its `number`th reminder."""
    query = sa.select(events.c.seq, events.c.payload).where(events.c.subject == incident_id, is_told_as(kind))
    for seq, payload in conn.execute(query.order_by(events.c.seq.desc())):
        if payload.get("number", 0) == number:
            return int(seq)
    raise LookupError(f"incident {incident_id} has no event {kind} {number}")


def is_told_as(kind: Kind) -> sa.ColumnElement[bool]:
    """Whether an event is of the kind that is told in that way."""
    return events.c.kind == KINDS[kind].KIND


def kind_of(event: str) -> Kind:
    """How an event of that kind is told."""
    return _TOLD_AS[event]


_TOLD_AS: Mapping[str, Kind] = {event.KIND: kind for kind, event in KINDS.items()}


def _listeners(conn: Connection, incident: sa.RowMapping, kind: Kind) -> list[sa.RowMapping]:
    """Who is told. One who subscribed while it was open hears how it goes on."""
    subscribed = _subscribed(conn, incident)
    if kind == "opened":
        return subscribed
    told = {row["id"]: row for row in [*_told(conn, incident["id"]), *subscribed]}
    waiting = _told(conn, incident["id"], _unsent()) if kind == "reminder" else []
    return [told[key] for key in sorted(set(told) - {row["id"] for row in waiting})]


def _subscribed(conn: Connection, incident: sa.RowMapping) -> list[sa.RowMapping]:
    """The channels that hear of an incident: of its account, for that severity, for one of its domains."""
    if incident["account_id"] is None:
        whose = alert_channels.c.operator
    else:
        whose = alert_channels.c.account_id == incident["account_id"]
    query = sa.select(alert_channels).where(whose).order_by(alert_channels.c.id)
    return [row for row in conn.execute(query).mappings().all() if _wants(conn, subscription_of(row), incident)]


def _wants(conn: Connection, subscription: Subscription, incident: sa.RowMapping) -> bool:
    if subscription.severity.rank < Severity(incident["severity"]).rank:
        return False
    if subscription.domain_id is None:
        return True
    concerned = _domain_ids(conn, incident)
    return not concerned or subscription.domain_id in concerned


def _domain_ids(conn: Connection, incident: sa.RowMapping) -> set[int]:
    listed = sa.select(incident_domains.c.domain_id).where(incident_domains.c.incident_id == incident["id"])
    found = set(conn.execute(listed).scalars())
    return found | ({incident["domain_id"]} if incident["domain_id"] is not None else set())


def _told(conn: Connection, incident_id: str, *conditions: sa.ColumnElement[bool]) -> list[sa.RowMapping]:
    """The channels that have an alert about an incident, one for which the conditions hold."""
    mine = (alerts.c.incident_id == incident_id, alerts.c.channel_id == alert_channels.c.id)
    query = sa.select(alert_channels).where(sa.exists().where(*mine, *conditions))
    return list(conn.execute(query).mappings())


def _unsent() -> sa.ColumnElement[bool]:
    pending = sa.exists().where(deliveries.c.id == alerts.c.delivery_id, deliveries.c.state == "pending")
    return sa.and_(alerts.c.dropped.is_(None), sa.or_(alerts.c.delivery_id.is_(None), pending))


def _drop_unsent(conn: Connection, incident_id: str) -> None:
    """What is told by `resolved` as well. What is in a message already is left out when that is sent."""
    earlier = sa.exists().where(events.c.seq == alerts.c.event_seq, ~is_told_as("resolved"))
    stale = (alerts.c.incident_id == incident_id, earlier, alerts.c.delivery_id.is_(None))
    conn.execute(alerts.update().where(*stale, alerts.c.dropped.is_(None)).values(dropped=RESOLVED_MEANWHILE))


def _hurry(conn: Connection, incident_id: str, now: float) -> None:
    """What has become critical does not wait for the end of quiet hours."""
    waits = (alerts.c.incident_id == incident_id, alerts.c.delivery_id.is_(None), alerts.c.due_at > now)
    conn.execute(alerts.update().where(*waits, alerts.c.dropped.is_(None)).values(due_at=now))


def _alert(incident: sa.RowMapping, channel: sa.RowMapping, event_seq: int, now: float) -> dict[str, str | int | float]:
    quiet = subscription_of(channel).quiet
    passes = quiet is None or incident["severity"] == Severity.CRITICAL
    due = now if quiet is None or passes else quiet.over_at(now)
    key = {"event_seq": event_seq, "channel_id": channel["id"], "incident_id": incident["id"]}
    return {**key, "created_at": now, "due_at": due}


def _count(conn: Connection, event_seq: int) -> int:
    query = sa.select(sa.func.count()).select_from(alerts).where(alerts.c.event_seq == event_seq)
    return int(conn.execute(query).scalar_one())


def insert_missing(conn: Connection, rows: Sequence[Mapping[str, str | int | float]]) -> None:
    """Adds those alerts that are not there."""
    if rows:
        conn.execute(insert_into(conn, alerts).on_conflict_do_nothing(), list(rows))
