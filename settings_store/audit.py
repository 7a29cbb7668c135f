"""Who did what to a change, when, and from where. Rows are only ever added."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema


@dataclass(frozen=True, slots=True)
class Actor:
    """`name` is a user's name, `source` the address they came from ('' where there is none, as for ourselves)."""

    name: str
    source: str = ""


SERVICE = Actor("mail-preflight")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `at` is UTC seconds since 1970; `before` is None for a new change."""

    at: float
    actor: Actor
    event: str
    before: str | None
    after: str | None
    detail: str


def record(
    conn: Connection,
    change_id: str,
    actor: Actor,
    event: str,
    *,
    at: float,
    before: str | None = None,
    after: str | None = None,
    detail: str = "",
) -> None:
    """Adds a line, in the transaction of what it tells of."""
    conn.execute(
        schema.audit.insert().values(
            change_id=change_id,
            at=at,
            actor=actor.name[:200],
            source=actor.source[:200],
            event=event,
            before=before,
            after=after,
            detail=detail,
        )
    )


def of_change(conn: Connection, change_id: str) -> Iterator[Entry]:
    """The lines of a change, oldest first."""
    table = schema.audit
    for row in conn.execute(sa.select(table).where(table.c.change_id == change_id).order_by(table.c.id)):
        yield _entry(row)


def _entry(row: Any) -> Entry:
    return Entry(row.at, Actor(row.actor, row.source), row.event, row.before, row.after, row.detail)
