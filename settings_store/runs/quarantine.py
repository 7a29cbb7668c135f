"""Endpoints that are left alone for a while: work with them computed beyond its deadline and cost a whole worker."""

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.db import insert_into

SECONDS = 3600.0
_known = schema.quarantined_endpoints


def add(conn: Connection, endpoint: str, work: str, now: float) -> None:
    """Nobody checks the endpoint (as text) for an hour. `work` is what did not end there."""
    values = {"endpoint": endpoint, "work": work, "until": now + SECONDS}
    fresh = {name: values[name] for name in ("work", "until")}
    conn.execute(
        insert_into(conn, _known).values(values).on_conflict_do_update(index_elements=["endpoint"], set_=fresh)
    )


def active(conn: Connection, now: float) -> dict[str, str]:
    """Endpoint -> the work that did not end there. One that lasts longer was noted before the clock was put back."""
    found = sa.select(_known.c.endpoint, _known.c.work).where(_known.c.until > now, _known.c.until <= now + SECONDS)
    return {row.endpoint: row.work for row in conn.execute(found)}


def tidy(conn: Connection, now: float) -> None:
    """Forgets those that are over."""
    conn.execute(_known.delete().where(sa.or_(_known.c.until <= now, _known.c.until > now + SECONDS)))
