"""Accounts: whose domains, channels and changes are apart from each other. One is always there."""

import re
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid
from settings_store import schema
from settings_store.actors import Actor
from settings_store.db import insert_into
from settings_store.domains import find_account, unused_account_id
from settings_store.events import events
from settings_store.events.administration import AccountAdded
from settings_store.sandbox import accounts as sandboxes

_NAME = re.compile(r"\w[\w.@-]{0,99}\Z", re.ASCII)
_accounts, _domains, _boxes = schema.accounts, schema.domains, schema.mailboxes


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """An account, with how many domains and mailboxes it has."""

    name: str
    domains: int
    mailboxes: int


def list_accounts(conn: Connection, after: str | None = None, limit: int | None = None) -> list[AccountSummary]:
    """All accounts by name: at most `limit`, of those whose name comes after `after`.

    A sandbox is part of its account, and no account to list.
    """
    mine = _domains.c.account_id == _accounts.c.id
    domains = sa.select(sa.func.count()).select_from(_domains).where(mine).scalar_subquery()
    boxes = sa.select(sa.func.count()).select_from(_boxes).join(_domains, _domains.c.id == _boxes.c.domain_id)
    query = sa.select(_accounts.c.name, domains, boxes.where(mine).scalar_subquery())
    query = query.where(~sandboxes.of_sandbox(_accounts.c.id)).order_by(_accounts.c.name).limit(limit)
    if after is not None:
        query = query.where(_accounts.c.name > after)
    return [AccountSummary(*row) for row in conn.execute(query)]


def add_account(conn: Connection, name: str, now: float, actor: Actor) -> None:
    """Makes an account. Raises `Invalid` for a name that cannot be one, or is taken."""
    if not _NAME.match(name):
        raise Invalid("an account's name has letters from a to z, digits, and . _ @ - inside; 100 at most", "name")
    insert = insert_into(conn, _accounts).values(name=name, **unused_account_id(conn)).on_conflict_do_nothing()
    if conn.execute(insert.returning(_accounts.c.id)).first() is None:
        raise Invalid(f"there is an account {name!r} already; `mail-preflight accounts list` lists them", "name")
    account_id = find_account(conn, name)
    events.record(conn, AccountAdded(subject=f"account:{account_id}", at=now, account_id=account_id, actor=actor))


def name_of(conn: Connection, account_id: int) -> str:
    """The name of the account with this id, which must exist."""
    return str(conn.execute(sa.select(_accounts.c.name).where(_accounts.c.id == account_id)).scalar_one())
