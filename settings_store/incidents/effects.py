"""What incidents mean for the states of mailboxes: they follow the server that everybody in a domain needs."""

from collections.abc import Collection, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code
from checks.model import MailboxState
from settings_store import schema
from settings_store.domains import lock_mailboxes
from settings_store.events import events
from settings_store.mailboxes import state_events
from settings_store.mailboxes.state_events import Moved, Why

_PORTION = 5000

_boxes = schema.mailboxes


def disconnect(
    conn: Connection, domain_ids: Collection[int], code: Code, since: float, incident_id: str, now: float
) -> int:
    """The mailboxes of domains whose server fails are disconnected with it, unless they were before. How many."""
    states = {"state": MailboxState.DISCONNECTED.value, "state_code": code.value, "state_since": since}
    count = 0
    for ids in _portions(domain_ids):
        lock_mailboxes(conn, *ids)
        working = _boxes.c.domain_id.in_(ids), _boxes.c.state != MailboxState.DISCONNECTED.value
        _tell(conn, working, MailboxState.DISCONNECTED, code, Why("server", incident_id, now))
        count += conn.execute(_boxes.update().where(*working).values(**states)).rowcount
    return count


def release(conn: Connection, domain_ids: Collection[int], since: float, incident_id: str, now: float) -> int:
    """Nobody knows how the mailboxes are that `disconnect` put down, now that the server works: they are tried soon.

    They are known by `since`, the very time of the incident. Returns how many.
    """
    count = 0
    for ids in _portions(domain_ids):
        lock_mailboxes(conn, *ids)
        disconnected = _boxes.c.state == MailboxState.DISCONNECTED.value
        put_down = _boxes.c.domain_id.in_(ids), _boxes.c.state_since == since, disconnected
        unknown = {"state": MailboxState.UNKNOWN.value, "state_code": None, "state_since": None}
        _tell(conn, put_down, MailboxState.UNKNOWN, None, Why("server", incident_id, now))
        released = conn.execute(_boxes.update().where(*put_down).values(**unknown)).rowcount
        schedule = schema.health_schedule
        if released:
            conn.execute(sa.update(schedule).where(schedule.c.domain_id.in_(ids)).values(mailboxes_due=now))
        count += released
    return count


def _portions(domain_ids: Collection[int]) -> Iterator[Sequence[int]]:
    """In order, and few enough for one statement: a server may be that of a hundred thousand domains."""
    every = sorted(domain_ids)
    return (every[first : first + _PORTION] for first in range(0, len(every), _PORTION))


def _tell(
    conn: Connection, which: Sequence[sa.ColumnElement[bool]], state: MailboxState, code: Code | None, why: Why
) -> None:
    """One event for each domain in which mailboxes are about to come into a state."""
    query = sa.select(_boxes.c.domain_id, sa.func.count()).where(*which).group_by(_boxes.c.domain_id)
    name = code.value if code else None
    found = conn.execute(query.order_by(_boxes.c.domain_id)).all()
    told = [state_events.of_domain(domain_id, [Moved(state, name, count)], why) for domain_id, count in found]
    events.record(conn, *(event for each in told for event in each))
