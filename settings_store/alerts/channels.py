"""Alert channels: whom an account tells of incidents, from which severity on, when, and in which language."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from checks.model import Invalid, Unknown
from settings_store.actors import SERVICE, Actor
from settings_store.alerts.quiet_hours import Quiet, zone_of
from settings_store.domains import require_domain
from settings_store.events import events
from settings_store.events.administration import AlertChannelRemoved
from settings_store.incidents.incidents import Severity
from settings_store.schema import alert_channels, deliveries, domains

_MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a channel hears, and how.

    `severity` is the least that it hears of, `domain_id` None for every domain of the account, `language` `en` or
    `ja`, `zone` the IANA name of the time zone in which times are written. With `operator` it hears of the service
    itself, too.
    """

    severity: Severity = Severity.WARNING
    domain_id: int | None = None
    language: str = "en"
    zone: str = "UTC"
    quiet: Quiet | None = None
    operator: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as stored. `token` is its URL, encrypted; `shown` the URL for people, without secrets."""

    id: int
    account_id: int
    name: str
    shown: str
    subscription: Subscription
    domain: str | None
    created_at: float
    token: bytes = field(repr=False)


def add(
    conn: sa.Connection, account_id: int, name: str, token: bytes, shown: str, subscription: Subscription, now: float
) -> Channel:
    """Stores a channel. Raises `Invalid` for a name that is empty, too long, or taken, and for an unknown domain."""
    name = _fit_name(name)
    if subscription.domain_id is not None:
        require_domain(conn, account_id, subscription.domain_id)
    zone_of(subscription.zone)
    if _rows(conn, alert_channels.c.account_id == account_id, alert_channels.c.name == name):
        raise Invalid(f"there is a channel {name} already; remove it first, or give another name", "name")
    values = {
        "account_id": account_id,
        "operator": subscription.operator,
        "name": name,
        "url": token,
        "shown": shown,
        "severity": subscription.severity.value,
        "domain_id": subscription.domain_id,
        "language": subscription.language,
        "quiet_from": subscription.quiet.start if subscription.quiet else None,
        "quiet_until": subscription.quiet.end if subscription.quiet else None,
        "time_zone": subscription.zone,
        "created_at": now,
    }
    conn.execute(alert_channels.insert().values(values))
    return find(conn, account_id, name)


def _fit_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise Invalid(f"a channel needs a name of 1 to {_MAX_NAME} characters, e.g. admins", "name")
    return name


def find(conn: sa.Connection, account_id: int, name: str) -> Channel:
    """The account's channel of that name. Raises `Invalid` when there is none."""
    rows = _rows(conn, alert_channels.c.account_id == account_id, alert_channels.c.name == name.strip())
    if not rows:
        raise Unknown(f"there is no channel {name}; `mail-preflight alerts list` shows those there are", "name")
    return rows[0]


def load(conn: sa.Connection, channel_id: int) -> Channel | None:
    """A channel of any account, by an id of our own; None where it was removed."""
    return next(iter(_rows(conn, alert_channels.c.id == channel_id)), None)


def list_channels(conn: sa.Connection, account_id: int) -> list[Channel]:
    """The account's channels, by name."""
    return _rows(conn, alert_channels.c.account_id == account_id)


def remove(conn: sa.Connection, account_id: int, name: str, now: float, actor: Actor = SERVICE) -> None:
    """Removes a channel with all that was still to be sent to it. Raises `Invalid` when there is none."""
    channel = find(conn, account_id, name)
    conn.execute(deliveries.delete().where(deliveries.c.channel_id == channel.id))
    conn.execute(alert_channels.delete().where(alert_channels.c.id == channel.id))
    events.record(conn, AlertChannelRemoved(**told(channel, account_id, now, actor)))


def told(channel: Channel, account_id: int, now: float, actor: Actor) -> dict[str, Any]:
    """What an event says of a channel."""
    return {
        "subject": str(channel.id),
        "at": now,
        "account_id": account_id,
        "domain_id": channel.subscription.domain_id,
        "actor": actor,
        "channel": channel.name,
        "shown": channel.shown,
    }


def _rows(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Channel]:
    query = (
        sa.select(alert_channels, domains.c.name.label("domain"))
        .outerjoin_from(alert_channels, domains, domains.c.id == alert_channels.c.domain_id)
        .where(*conditions)
        .order_by(alert_channels.c.name)
    )
    return [_channel(row) for row in conn.execute(query).mappings()]


def _channel(row: sa.RowMapping) -> Channel:
    return Channel(
        row["id"],
        row["account_id"],
        row["name"],
        row["shown"],
        subscription_of(row),
        row["domain"],
        row["created_at"],
        row["url"],
    )


def subscription_of(row: sa.RowMapping) -> Subscription:
    """The subscription in a row of `alert_channels`."""
    start, end, zone = row["quiet_from"], row["quiet_until"], row["time_zone"]
    return Subscription(
        Severity(row["severity"]),
        row["domain_id"],
        row["language"],
        zone,
        Quiet(start, end, zone) if start is not None else None,
        row["operator"],
    )
