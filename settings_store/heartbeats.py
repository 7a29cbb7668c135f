"""Who is at work: what beat asks for every ten seconds, and the workers do, leaves its time here."""

from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.db import insert_into

Work = Literal["sweep", "health"]
"""What beat asks of the workers of each queue."""

ALIVE_SECONDS = 35.0
"""Three rounds and a little: who has missed so many is not there."""
_beats = schema.heartbeats


def note(conn: Connection, work: Work, now: float) -> None:
    """Some worker has just done this."""
    values = {"name": work, "at": now}
    insert = insert_into(conn, _beats).values(values)
    conn.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"at": now}))


def all_at_work(conn: Connection, now: float) -> bool:
    """Whether beat and workers of both queues were at work within `ALIVE_SECONDS`."""
    recent = sa.func.abs(_beats.c.at - now) <= ALIVE_SECONDS
    found = set(conn.execute(sa.select(_beats.c.name).where(recent)).scalars())
    return found >= {"sweep", "health"}


def forget(conn: Connection) -> None:
    """The one that did all of it ends."""
    conn.execute(_beats.delete())
