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
    found = conn.execute(_ACTIVE, {"now": now, "latest": now + SECONDS})
    return {row.endpoint: row.work for row in found}


def tidy(conn: Connection, now: float) -> None:
    """Forgets those that are over."""
    conn.execute(_FORGET, {"now": now, "latest": now + SECONDS})


# Made once: to make a statement takes longer than to execute it.
_NOW, _LATEST = sa.bindparam("now", type_=sa.Float), sa.bindparam("latest", type_=sa.Float)
_ACTIVE = sa.select(_known.c.endpoint, _known.c.work).where(_known.c.until > _NOW, _known.c.until <= _LATEST)
_FORGET = _known.delete().where(sa.or_(_known.c.until <= _NOW, _known.c.until > _LATEST))
