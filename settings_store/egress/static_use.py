"""Which of an account's domains use static addresses, in force or in a change that is not applied."""

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema

_domains, _settings, _changes = schema.domains, schema.settings, schema.changes
_OPEN = ("draft", "verifying", "verified")
_STATIC = sa.select(_settings.c.id).where(schema.STATIC)  # an index has these few


def domains_in_force(conn: Connection, account_id: int, after: str = "", limit: int | None = None) -> list[str]:
    """The names of the domains whose settings in force have static addresses on: `limit`, of those behind `after`."""
    behind = _in_force(account_id).where(_domains.c.name > after)
    return list(conn.execute(behind.order_by(_domains.c.name).limit(limit)).scalars())


def _in_force(account_id: int) -> sa.Select[str]:
    joined = sa.select(_domains.c.name).join(_settings, _settings.c.id == _domains.c.settings_id)
    return joined.where(_domains.c.account_id == account_id, _settings.c.id.in_(_STATIC))


def is_wanted(conn: Connection, account_id: int) -> bool:
    """Whether any domain has them on, or has a change under way that has."""
    if conn.execute(_in_force(account_id).limit(1)).first() is not None:
        return True
    joined = sa.select(_changes.c.id).join(_domains, _domains.c.id == _changes.c.domain_id)
    mine = _domains.c.account_id == account_id, _changes.c.state.in_(_OPEN)
    wanted = joined.where(*mine, _changes.c.settings_id.in_(_STATIC))
    return conn.execute(wanted.limit(1)).first() is not None


def newest_open(conn: Connection, domain_id: int) -> tuple[str, int] | None:
    """The newest change of a domain that may still be applied, with its settings; None where there is none."""
    mine = _changes.c.domain_id == domain_id, _changes.c.state.in_(_OPEN)
    columns = sa.select(_changes.c.id, _changes.c.settings_id).where(*mine)
    row = conn.execute(columns.order_by(_changes.c.created_at.desc()).limit(1)).one_or_none()
    return (row.id, row.settings_id) if row else None
