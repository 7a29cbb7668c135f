"""An account's events, read in their order."""

from collections.abc import Iterable

from sqlalchemy import Connection

from settings_store import domains
from settings_store.events import events
from settings_store.events.kinds import Event
from worker.events.public import PublicEvent, public


def of_account(conn: Connection, account_id: int, after: int, limit: int) -> list[PublicEvent]:
    """What happened in an account after the number `after`, oldest first, at most `limit`.

    Two transactions of PostgreSQL may be committed in another order than that of their numbers: see
    `settings_store.events.events.of_account`.
    """
    return worded(conn, events.of_account(conn, account_id, after, limit))


def worded(conn: Connection, found: Iterable[Event]) -> list[PublicEvent]:
    """Events with the names of their domains."""
    known = list(found)
    names = domains.names_of(conn, {event.domain_id for event in known if event.domain_id is not None})
    return [public(event, names.get(event.domain_id) if event.domain_id is not None else None) for event in known]
