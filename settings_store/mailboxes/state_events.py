"""The events of mailboxes that have another state than before: one for each state, however many mailboxes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import MailboxState
from settings_store import schema
from settings_store.actors import SERVICE, Actor
from settings_store.events import events
from settings_store.events.event import Event
from settings_store.events.kinds import Cause, MailboxesConnected, MailboxesDisconnected, MailboxesUnknown

_boxes = schema.mailboxes


@dataclass(frozen=True, slots=True)
class Why:
    """What gave mailboxes another state, the id of that, when, and who did it."""

    cause: Cause
    cause_id: str
    at: float
    actor: Actor = SERVICE


@dataclass(frozen=True, slots=True)
class Moved:
    """So many mailboxes come into a state, for that code."""

    state: MailboxState
    code: str | None
    count: int


def moving(
    conn: Connection,
    source: sa.FromClause,
    state: sa.ColumnElement[str],
    code: sa.ColumnElement[str],
    *which: sa.ColumnElement[bool],
) -> list[Moved]:
    """How many mailboxes of `source` are about to come into another `state`, of those for which the conditions hold."""
    inner = (
        sa.select(state.label("state"), code.label("code")).select_from(source).where(*which, _boxes.c.state != state)
    )
    each = inner.subquery()
    query = sa.select(each.c.state, each.c.code, sa.func.count()).group_by(each.c.state, each.c.code)
    return [Moved(MailboxState(row[0]), row[1], row[2]) for row in conn.execute(query)]


def record(conn: Connection, domain_id: int, moved: Iterable[Moved], why: Why) -> None:
    """Writes down that mailboxes of a domain have another state. Nothing where none has."""
    events.record(conn, *of_domain(domain_id, moved, why))


def of_domain(domain_id: int, moved: Iterable[Moved], why: Why) -> list[Event]:
    """The events of a domain, at most three."""
    counts: dict[MailboxState, Counter[str]] = {state: Counter() for state in MailboxState}
    for item in moved:
        counts[item.state][item.code or ""] += item.count
    return [_event(domain_id, state, codes, why) for state, codes in counts.items() if codes.total()]


def _event(domain_id: int, state: MailboxState, codes: Counter[str], why: Why) -> Event:
    subject, count = f"domain:{domain_id}", codes.total()
    if state is MailboxState.DISCONNECTED:
        return MailboxesDisconnected(
            subject=subject,
            at=why.at,
            domain_id=domain_id,
            actor=why.actor,
            count=count,
            cause=why.cause,
            cause_id=why.cause_id,
            codes=dict(codes),
        )
    kind = MailboxesConnected if state is MailboxState.CONNECTED else MailboxesUnknown
    return kind(
        subject=subject,
        at=why.at,
        domain_id=domain_id,
        actor=why.actor,
        count=count,
        cause=why.cause,
        cause_id=why.cause_id,
    )
