"""Up to which number nothing can come any more: what whoever follows along may be told, so that nothing is left out.

PostgreSQL gives numbers to events when they are written, and shows them when their transaction is committed, which may
be in another order: whoever has seen 7 may find 5 later. So every transaction, before it has its first number, takes a
shared lock that is named after the last number given by then: all of its own are greater. A lock of this kind is waited
for by nobody; it ends when the transaction does, after its events can be seen.

SQLite has one writer at a time, whose numbers are in the order of its commits.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.db import Database

_LOCK = 716_328_194  # the first half of the locks' names; any number will do that every version of this program takes
_ANNOUNCED = "events announced"  # in `Connection.info`, which lives as long as the connection to the server

_LAST = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS seq FROM events_seq_seq"
_NEWEST = sa.select(sa.func.max(schema.events.c.seq))
_ANNOUNCE = sa.text(f"SELECT pg_advisory_xact_lock_shared(:lock, known.seq::int) FROM ({_LAST}) AS known")  # noqa: S608 -- a constant
_OPEN = sa.text(
    "SELECT min(objid::bigint) FROM pg_locks WHERE locktype = 'advisory' AND classid = :lock AND objsubid = 2 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@dataclass(frozen=True, slots=True)
class Settled:
    """All events up to the number `upto` can be read, or never will be. `last` is the last number that was given.

    `upto` may be less than it was a moment ago; what was settled then is so still.
    """

    upto: int
    last: int


def announce(conn: Connection) -> None:
    """Says that this transaction is about to write events. Once is enough for all of them."""
    if conn.dialect.name != "postgresql":
        return
    transaction = conn.get_transaction()
    if conn.info.get(_ANNOUNCED) is not transaction:
        conn.execute(_ANNOUNCE, {"lock": _LOCK})
        conn.info[_ANNOUNCED] = transaction


def look(database: Database) -> Settled:
    """How far events are settled. Whoever reads them afterwards, in a transaction begun later, misses none up to there.

    The order matters: numbers given after the first statement are greater than `last`; those given before are of a
    transaction whose lock the second one sees, or which has ended, so that later transactions see its events.
    """
    with database.ask() as conn:
        if conn.dialect.name != "postgresql":
            newest = conn.execute(_NEWEST).scalar() or 0
            return Settled(newest, newest)
        last = conn.execute(sa.text(_LAST)).scalar_one()
        still_open = conn.execute(_OPEN, {"lock": _LOCK}).scalar()
    return Settled(last if still_open is None else min(last, still_open), last)
