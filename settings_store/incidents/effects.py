"""What incidents mean for the states of mailboxes: they follow the server that everybody in a domain needs."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code
from checks.model import MailboxState
from settings_store import schema
from settings_store.domains import lock_mailboxes

_boxes = schema.mailboxes


def disconnect(conn: Connection, domain_ids: Collection[int], code: Code, since: float) -> int:
    """The mailboxes of domains whose server fails are disconnected with it, unless they were before. How many."""
    lock_mailboxes(conn, *domain_ids)
    states = {"state": MailboxState.DISCONNECTED.value, "state_code": code.value, "state_since": since}
    working = _boxes.c.domain_id.in_(domain_ids), _boxes.c.state != MailboxState.DISCONNECTED.value
    return int(conn.execute(_boxes.update().where(*working).values(**states)).rowcount)


def release(conn: Connection, domain_ids: Collection[int], since: float, now: float) -> int:
    """Nobody knows how the mailboxes are that `disconnect` put down, now that the server works: they are tried soon.

    They are known by `since`, the very time of the incident. Returns how many.
    """
    lock_mailboxes(conn, *domain_ids)
    put_down = _boxes.c.domain_id.in_(domain_ids), _boxes.c.state_since == since
    disconnected = _boxes.c.state == MailboxState.DISCONNECTED.value
    unknown = {"state": MailboxState.UNKNOWN.value, "state_code": None, "state_since": None}
    released = conn.execute(_boxes.update().where(*put_down, disconnected).values(**unknown)).rowcount
    schedule = schema.health_schedule
    if released:
        conn.execute(sa.update(schedule).where(schedule.c.domain_id.in_(domain_ids)).values(mailboxes_due=now))
    return int(released)
