"""Which accounts are sandboxes, whose, and which settings are theirs."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.db import insert_into
from settings_store.domains import unused_account_id

_SUFFIX = ":sandbox"  # no account can be added under such a name
_sandboxes, _accounts = schema.sandboxes, schema.accounts
_settings, _domains, _changes = schema.settings, schema.domains, schema.changes


@dataclass(frozen=True, slots=True)
class Sandboxed:
    """Settings of a sandbox: when they were saved (UTC seconds since 1970), on the clock of the sandbox.

    `ahead` is how far that clock was put ahead of ours, in seconds.
    """

    saved_at: float
    ahead: float


def ensure(conn: Connection, of_account_id: int) -> int:
    """The id of an account's sandbox, which is made where there is none. A sandbox is its own."""
    if ahead_of(conn, of_account_id) is not None:
        return of_account_id
    found = find(conn, of_account_id)
    if found is not None:
        return found
    name = conn.execute(sa.select(_accounts.c.name).where(_accounts.c.id == of_account_id)).scalar_one() + _SUFFIX
    # Two that make it at once get the same one.
    new_account = insert_into(conn, _accounts).values(name=name, **unused_account_id(conn)).on_conflict_do_nothing()
    conn.execute(new_account)
    account_id = conn.execute(sa.select(_accounts.c.id).where(_accounts.c.name == name)).scalar_one()
    values = {"account_id": account_id, "of_account_id": of_account_id}
    conn.execute(insert_into(conn, _sandboxes).values(**values).on_conflict_do_nothing())
    return int(account_id)


def find(conn: Connection, of_account_id: int) -> int | None:
    """The id of an account's sandbox, None where it has none."""
    return conn.execute(sa.select(_sandboxes.c.account_id).where(_sandboxes.c.of_account_id == of_account_id)).scalar()


def ahead_of(conn: Connection, account_id: int) -> float | None:
    """How far the clock of a sandbox was put ahead, in seconds; None where the account is none."""
    return conn.execute(sa.select(_sandboxes.c.ahead).where(_sandboxes.c.account_id == account_id)).scalar()


def all_ids(conn: Connection) -> list[int]:
    """The ids of the accounts that are sandboxes."""
    return list(conn.execute(sa.select(_sandboxes.c.account_id).order_by(_sandboxes.c.account_id)).scalars())


def of_sandbox(account_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether the account in a column is a sandbox."""
    return account_id.in_(sa.select(_sandboxes.c.account_id))


def sandboxed(conn: Connection, settings_ids: Collection[int]) -> dict[int, Sandboxed]:
    """Those of the settings that belong to a sandbox; of all others there is nothing here."""
    # A version of settings never changes; it was saved with its change, whose times move with the clock.
    saved = sa.select(sa.func.min(_changes.c.created_at)).where(_changes.c.settings_id == _settings.c.id)
    saved_at = sa.func.coalesce(saved.scalar_subquery(), _settings.c.created_at)
    query = (
        sa.select(_settings.c.id, saved_at.label("saved_at"), _sandboxes.c.ahead)
        .join(_domains, _domains.c.id == _settings.c.domain_id)
        .join(_sandboxes, _sandboxes.c.account_id == _domains.c.account_id)
        .where(_settings.c.id.in_(settings_ids))
    )
    return {row.id: Sandboxed(row.saved_at, row.ahead) for row in conn.execute(query)}
