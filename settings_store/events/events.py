"""Events written down, in the transaction of what they report, and read again in their order.

A row refers to nothing by a foreign key: to write it waits for nobody's lock, and it outlives what it tells of. Rows
are only ever added.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.actors import Actor
from settings_store.events.kinds import KINDS, DomainRemoved, Event, OtherEvent

_events, _domains = schema.events, schema.domains
_LONGEST_NAME = 200


def record(conn: Connection, *events: Event) -> None:
    """Adds events, in that order. One of a domain without an account gets the domain's."""
    if events:
        conn.execute(_INSERT, [_row(event) for event in events])


_INSERT = _events.insert().values(
    account_id=sa.func.coalesce(
        sa.bindparam("account", type_=sa.Integer),
        sa.select(_domains.c.account_id)
        .where(_domains.c.id == sa.bindparam("domain", type_=sa.Integer))
        .scalar_subquery(),
    )
)


def _row(event: Event) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "subject": event.subject,
        "account": event.account_id,
        "domain": event.domain_id,
        "domain_id": event.domain_id,
        "at": event.at,
        "actor": event.actor.name[:_LONGEST_NAME],
        "source": event.actor.source[:_LONGEST_NAME],
        "payload": event.payload,
    }


# -- reading


def of_subject(conn: Connection, subject: str) -> Iterator[Event]:
    """What happened to one change, run or incident itself, oldest first."""
    return _read(conn, _events.c.subject == subject)


def of_change(conn: Connection, account_id: int, change_id: str) -> Iterator[Event]:
    """What happened to a change and to its runs, oldest first. Nothing for another account's."""
    runs = conn.execute(sa.select(schema.runs.c.id).where(schema.runs.c.change_id == change_id)).scalars().all()
    return _read(conn, _events.c.subject.in_([change_id, *runs]), _events.c.account_id == account_id)


def of_domain(conn: Connection, account_id: int, domain_id: int, after: int = 0, limit: int = 100) -> list[Event]:
    """What happened to a domain, its changes, runs, mailboxes and incidents, oldest first.

    At most `limit`, of those that come after the number `after`. Nothing for another account's domain.
    """
    listed = schema.incident_domains
    shared = sa.select(listed.c.incident_id).where(listed.c.domain_id == domain_id)
    mine = sa.or_(_events.c.domain_id == domain_id, _events.c.subject.in_(shared))
    after = max(after, _last_removal(conn, domain_id))
    return list(_read(conn, mine, _events.c.account_id == account_id, _events.c.seq > after, limit=limit))


def _last_removal(conn: Connection, domain_id: int) -> int:
    """What came before belongs to a domain that is gone: SQLite gives the number of one to the next."""
    removed = _events.c.kind == DomainRemoved.KIND, _events.c.subject == f"domain:{domain_id}"
    return conn.execute(sa.select(sa.func.max(_events.c.seq)).where(*removed)).scalar() or 0


def removals(conn: Connection, account_id: int, name: str) -> list[Event]:
    """When domains of that name were given up, oldest first."""
    found = _read(conn, _events.c.kind == DomainRemoved.KIND, _events.c.account_id == account_id)
    return [event for event in found if event.payload["name"] == name]


def of_account(conn: Connection, account_id: int, after: int = 0, limit: int = 100) -> list[Event]:
    """What happened in an account, oldest first: at most `limit`, of those that come after the number `after`.

    Two transactions of PostgreSQL may be committed in another order than that of their numbers. Whoever follows along
    begins a little before the last number that it has seen, and leaves out what it knows.
    """
    return list(_read(conn, _events.c.account_id == account_id, _events.c.seq > after, limit=limit))


def _read(conn: Connection, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> Iterator[Event]:
    query = sa.select(_events).where(*conditions).order_by(_events.c.seq).limit(limit)
    return map(_event, conn.execute(query))


def _event(row: Any) -> Event:
    """The event as its kind has it. What a newer version has added to a kind is left out."""
    common: dict[str, Any] = {name: getattr(row, name) for name in ("seq", "subject", "at", "account_id", "domain_id")}
    common["actor"] = Actor(row.actor, row.source)
    kind = KINDS.get(row.kind)
    if kind is None:
        return OtherEvent(**common, name=row.kind, found=row.payload)
    known = {item.name for item in fields(kind)} - common.keys()
    return kind(**common, **{name: value for name, value in row.payload.items() if name in known})
