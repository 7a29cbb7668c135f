"""An account's events, read in their order: none is left out, and none comes twice."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from settings_store import domains
from settings_store.db import Database
from settings_store.events import events, settled
from settings_store.events.event import Event
from settings_store.events.events import Wanted
from settings_store.events.kinds import DomainRemoved, IncidentOpened
from worker.events.public import NOTICE_RAISED, TYPES, PublicEvent, public

KEPT_SECONDS = 30 * 86400.0
"""How long events are shown: whoever has missed more looks at how things are now."""
_KINDS = {name: kind for kind, name in TYPES.items()}


class Resync(Exception):
    """What came after an event is not known any more, or never was. `latest` is what to go on after from now on."""

    def __init__(self, latest: int) -> None:
        super().__init__(latest)
        self.latest = latest


@dataclass(frozen=True, slots=True)
class Page:
    """Some events in their order. `after` is what the next page comes after, `more` whether it has any now."""

    events: list[PublicEvent]
    after: int
    more: bool


def page(database: Database, account_id: int, which: Wanted, after: int | None, limit: int) -> Page:
    """At most `limit` events with numbers above `after` (None: from the oldest that is shown). Raises `Resync`."""
    known = settled.look(database)
    shown_from = database.now() - KEPT_SECONDS
    with database.read() as conn:
        hidden = events.newest_before(conn, account_id, shown_from)
        if after is not None and not hidden <= after <= known.last:
            raise Resync(max(hidden, known.upto))
        begin = max(after or 0, hidden)
        found = events.wanted(conn, account_id, which, begin, limit + 1, upto=known.upto)
        shown, more = found[:limit], len(found) > limit
        return Page(worded(conn, shown), shown[-1].seq if more else max(begin, known.upto), more)


def require_known(database: Database, account_id: int, after: int) -> None:
    """Raises `Resync` where events after that number are not shown any more, or the number was never given."""
    known = settled.look(database)
    with database.read() as conn:
        hidden = events.newest_before(conn, account_id, database.now() - KEPT_SECONDS)
    if not hidden <= after <= known.last:
        raise Resync(max(hidden, known.upto))


def of_types(types: Collection[str]) -> Wanted:
    """The events with these public types; all events where none is named."""
    if not types:
        return Wanted()
    kinds = {_KINDS.get(name, name) for name in types if name != NOTICE_RAISED}
    opened, notice = IncidentOpened.KIND in kinds, NOTICE_RAISED in types
    return Wanted(kinds | {IncidentOpened.KIND} if notice else kinds, None if opened == notice else notice)


def of_account(
    conn: Connection, account_id: int, after: int, limit: int, *, upto: int | None = None
) -> list[PublicEvent]:
    """What happened in an account after the number `after`, oldest first, at most `limit`.

    `upto` is how far all is settled: see `settings_store.events.settled`.
    """
    return worded(conn, events.of_account(conn, account_id, after, limit, upto=upto))


def worded(conn: Connection, found: Iterable[Event]) -> list[PublicEvent]:
    """Events with the names of their domains, of those too that are gone since."""
    known = list(found)
    ids = {event.domain_id for event in known if event.domain_id is not None}
    names, removed = domains.names_of(conn, ids), events.removed(conn, ids)

    def name(event: Event) -> str | None:
        if isinstance(event, DomainRemoved):
            return event.name
        if event.domain_id is None:
            return None
        ended = next((end for end in removed.get(event.domain_id, ()) if end.seq >= event.seq), None)
        return ended.name if ended else names.get(event.domain_id)

    return [public(event, name(event)) for event in known]
