"""The clock of a sandbox: to put it on is to move all that the sandbox holds into the past, as if time had passed.

The clock of the service is never touched, so nothing real is due any earlier, and what is sent carries the real time.
Leases stay: they are of whoever works at this moment. So do keys of the API and what was answered to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Unknown
from settings_store import schema

_HOUR = 3600
_OF_DOMAIN: Mapping[str, tuple[str, ...]] = {
    "mailboxes": ("state_since", "changed_at", "health_at"),
    "changes": ("created_at", "applied_at", "watch_until", "watch_next", "approved_at"),
    "attempts": ("at",),
    "runs": ("created_at", "finished_at"),
    "health_schedule": ("endpoints_due", "mailboxes_due"),
    "health_endpoints": ("since", "first_bad_at", "last_ok_at", "checked_at", "key_changed_at"),
    "health_results": ("at",),
}
_OF_ACCOUNT: Mapping[str, tuple[str, ...]] = {
    "domains": ("paused_at",),
    "maintenance": ("starts_at", "ends_at"),
    "incidents": ("since", "opened_at", "recovered_at", "closed_at", "remind_at"),
    "events": ("at",),
    "webhook_endpoints": ("created_at", "old_until", "failing_since", "disabled_at"),
}
_OF_MAILBOX: Mapping[str, tuple[str, ...]] = {
    "rejections": ("at",),
    "change_rejections": ("at",),
    "change_credentials": ("changed_at",),
}
_OF_CHANNEL: Mapping[str, tuple[str, ...]] = {
    "alerts": ("created_at", "due_at"),
    "deliveries": ("created_at", "next_at", "sent_at"),
}
_OF_WEBHOOK: Mapping[str, tuple[str, ...]] = {"webhook_deliveries": ("created_at", "next_at", "sent_at")}
MOVED: Mapping[str, tuple[str, ...]] = {**_OF_DOMAIN, **_OF_ACCOUNT, **_OF_MAILBOX, **_OF_CHANNEL, **_OF_WEBHOOK}
"""The times that move, by table."""


@dataclass(frozen=True, slots=True)
class _Owner:
    key: str
    rows: sa.Select[tuple[int]]


def advance(conn: Connection, account_id: int, seconds: float) -> float:
    """Lets so many seconds pass in a sandbox. Returns how far its clock is ahead. Raises `Unknown` for no sandbox."""
    table = schema.sandboxes
    mine = table.c.account_id == account_id
    before = conn.execute(sa.select(table.c.ahead).where(mine).with_for_update()).scalar()
    if before is None:
        raise Unknown("this account is no sandbox", "account")
    conn.execute(table.update().where(mine).values(ahead=before + seconds))
    for name, (columns, owner) in _owned(account_id).items():
        _shift(conn, schema.metadata.tables[name], columns, owner, seconds)
    _shift_hours(conn, account_id, int((before + seconds) // _HOUR - before // _HOUR))
    return float(before + seconds)


def _owned(account_id: int) -> dict[str, tuple[tuple[str, ...], _Owner]]:
    domain = sa.select(schema.domains.c.id).where(schema.domains.c.account_id == account_id)
    changes = sa.select(schema.changes.c.id).where(schema.changes.c.domain_id.in_(domain))
    box = schema.mailboxes.c
    boxes = sa.select(box.id).where(sa.or_(box.domain_id.in_(domain), box.change_id.in_(changes)))
    channels = sa.select(schema.alert_channels.c.id).where(schema.alert_channels.c.account_id == account_id)
    hooks = sa.select(schema.webhook_endpoints.c.id).where(schema.webhook_endpoints.c.account_id == account_id)
    account = sa.select(schema.accounts.c.id).where(schema.accounts.c.id == account_id)
    groups = (
        (_OF_DOMAIN, _Owner("domain_id", domain)),
        (_OF_ACCOUNT, _Owner("account_id", account)),
        (_OF_MAILBOX, _Owner("mailbox_id", boxes)),
        (_OF_CHANNEL, _Owner("channel_id", channels)),
        (_OF_WEBHOOK, _Owner("endpoint_id", hooks)),
    )
    return {name: (columns, owner) for tables, owner in groups for name, columns in tables.items()}


def _shift(conn: Connection, table: sa.Table, columns: tuple[str, ...], owner: _Owner, seconds: float) -> None:
    mine = table.c[owner.key].in_(owner.rows)
    if table.name == "health_results":  # by way of negative times: none meets another that has not moved yet
        conn.execute(table.update().where(mine).values(at=seconds - table.c.at))
        conn.execute(table.update().where(mine, table.c.at < 0).values(at=-table.c.at))
        return
    conn.execute(table.update().where(mine).values({name: table.c[name] - seconds for name in columns}))


def _shift_hours(conn: Connection, account_id: int, hours: int) -> None:
    """What is counted by the hour moves by whole hours."""
    domain = sa.select(schema.domains.c.id).where(schema.domains.c.account_id == account_id)
    boxes = sa.select(schema.mailboxes.c.id).where(schema.mailboxes.c.domain_id.in_(domain))
    sums, budget = schema.health_hours, schema.login_budget
    mine = sums.c.domain_id.in_(domain)
    conn.execute(sums.update().where(mine).values(hour=hours - sums.c.hour))
    conn.execute(sums.update().where(mine, sums.c.hour < 0).values(hour=-sums.c.hour))
    conn.execute(budget.update().where(budget.c.mailbox_id.in_(boxes)).values(hour=budget.c.hour - hours))
