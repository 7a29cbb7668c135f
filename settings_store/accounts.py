"""Accounts: whose domains, channels and changes are apart from each other. One is always there."""

import re
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid
from settings_store import schema
from settings_store.actors import Actor
from settings_store.db import insert_into
from settings_store.domains import DomainRow, find_account, unused_account_id
from settings_store.events import events
from settings_store.events.kinds import AccountAdded, AccountRemoved
from settings_store.removal import remove_domain
from settings_store.sandbox import accounts as sandboxes

DEFAULT = "default"
_NAME = re.compile(r"\w[\w.@-]{0,99}\Z", re.ASCII)
_NAMED = 3
_accounts, _domains, _boxes = schema.accounts, schema.domains, schema.mailboxes


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """An account, with how many domains and mailboxes it has."""

    name: str
    domains: int
    mailboxes: int


def list_accounts(conn: Connection) -> list[AccountSummary]:
    """All accounts by name. A sandbox is part of its account, and no account to list."""
    domains = sa.func.count(sa.distinct(_domains.c.id))
    query = sa.select(_accounts.c.name, domains, sa.func.count(_boxes.c.id))
    query = query.outerjoin_from(_accounts, _domains, _domains.c.account_id == _accounts.c.id)
    query = query.outerjoin(_boxes, _boxes.c.domain_id == _domains.c.id)
    query = query.where(~sandboxes.of_sandbox(_accounts.c.id))
    query = query.group_by(_accounts.c.name).order_by(_accounts.c.name)
    return [AccountSummary(*row) for row in conn.execute(query)]


def add_account(conn: Connection, name: str, now: float, actor: Actor) -> None:
    """Makes an account. Raises `Invalid` for a name that cannot be one, or is taken."""
    if not _NAME.match(name):
        raise Invalid("an account's name has letters from a to z, digits, and . _ @ - inside; 100 at most", "account")
    insert = insert_into(conn, _accounts).values(name=name, **unused_account_id(conn)).on_conflict_do_nothing()
    if conn.execute(insert.returning(_accounts.c.id)).first() is None:
        raise Invalid(f"there is an account {name!r} already; `mail-preflight accounts list` lists them", "account")
    account_id = find_account(conn, name)
    events.record(conn, AccountAdded(subject=f"account:{account_id}", at=now, account_id=account_id, actor=actor))


def remove_account(conn: Connection, name: str, now: float, actor: Actor) -> None:
    """Removes an account with its channels and its sandbox. Raises `Invalid` for one with domains, or the default."""
    account_id = find_account(conn, name)
    if sandboxes.ahead_of(conn, account_id) is not None:
        raise Invalid(f"{name!r} is the sandbox of an account, and goes with it", "account")
    if name == DEFAULT:
        raise Invalid(f"the account {DEFAULT!r} is always there", "account")
    found_in = sa.select(_domains.c.name).where(_domains.c.account_id == account_id).order_by(_domains.c.name)
    if found := conn.execute(found_in).scalars().all():
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise Invalid(
            f"the account {name!r} has domains: {', '.join(found[:_NAMED])}{more}; "
            f"remove each first: `mail-preflight --account {name} domains remove {found[0]}`",
            "account",
        )
    if (sandbox_id := sandboxes.find(conn, account_id)) is not None:
        _remove_sandbox(conn, sandbox_id, now, actor)
    _delete(conn, account_id)
    told = AccountRemoved(subject=f"account:{account_id}", at=now, account_id=account_id, actor=actor, name=name)
    events.record(conn, told)


def _remove_sandbox(conn: Connection, account_id: int, now: float, actor: Actor) -> None:
    """With its domains: nothing in it is real."""
    query = sa.select(_domains.c.id, _domains.c.account_id, _domains.c.name, _domains.c.settings_id)
    for row in conn.execute(query.where(_domains.c.account_id == account_id).order_by(_domains.c.id)).mappings().all():
        remove_domain(conn, DomainRow(**row), now, actor)
    conn.execute(schema.sandboxes.delete().where(schema.sandboxes.c.account_id == account_id))
    _delete(conn, account_id)


def _delete(conn: Connection, account_id: int) -> None:
    mine = (
        schema.alert_channels,
        schema.maintenance,
        schema.incidents,
        schema.webhook_endpoints,
        schema.api_keys,
        schema.users,
    )
    for table in mine:
        conn.execute(table.delete().where(table.c.account_id == account_id))
    conn.execute(_accounts.delete().where(_accounts.c.id == account_id))
