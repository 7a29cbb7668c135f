"""A domain or an account that is given up, with all that there is of it. What happened to it stays written down."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid
from settings_store import schema
from settings_store.actors import Actor
from settings_store.domains import DEFAULT_ACCOUNT, DomainRow, find_account
from settings_store.events import events
from settings_store.events.administration import AccountRemoved
from settings_store.events.kinds import DomainRemoved
from settings_store.sandbox import accounts as sandboxes

_NAMED = 3
_boxes, _runs, _changes, _rows = schema.mailboxes, schema.runs, schema.changes, schema.run_mailboxes

_OF_DOMAIN = (schema.alert_channels, schema.webhook_endpoints, schema.users)
_OF_ACCOUNT = (
    schema.alert_channels,
    schema.maintenance,
    schema.incidents,
    schema.webhook_endpoints,
    schema.api_keys,
    schema.users,
)


@dataclass(frozen=True, slots=True)
class Ends:
    """What ends with a domain: how many mailboxes and changes, verifications under way, open incidents, channels.

    And members with their API keys, and webhook endpoints that hear of nothing else.
    """

    name: str
    in_force: bool
    mailboxes: int
    changes: int
    verifying: int
    incidents: int
    channels: int
    members: int
    webhooks: int


def what_ends(conn: Connection, domain: DomainRow) -> Ends:
    """What removing the domain would end."""

    def count(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
        mine = sa.select(sa.func.count()).select_from(table).where(table.c.domain_id == domain.id, *conditions)
        return int(conn.execute(mine).scalar_one())

    return Ends(
        domain.name,
        domain.settings_id is not None,
        count(_boxes),
        count(_changes),
        count(_changes, _changes.c.state == "verifying"),
        count(schema.incidents, schema.incidents.c.closed_at.is_(None)),
        count(schema.alert_channels),
        count(schema.users),
        count(schema.webhook_endpoints),
    )


def remove_domain(conn: Connection, domain: DomainRow, now: float, actor: Actor) -> Ends:
    """Deletes the domain with its settings, mailboxes, changes, reports, history of health, own incidents and members.

    Whoever works on it at this moment finds nothing left, and stops.
    """
    table = schema.domains
    conn.execute(sa.select(table.c.id).where(table.c.id == domain.id).with_for_update()).one()
    ends = what_ends(conn, domain)
    conn.execute(table.update().where(table.c.id == domain.id).values(settings_id=None))
    for each in (schema.health_endpoints, schema.health_results, schema.health_hours, schema.health_schedule):
        conn.execute(each.delete().where(each.c.domain_id == domain.id))
    _delete_mailboxes(conn, domain.id)
    for each in (_runs, _changes, schema.attempts, schema.settings, schema.incidents, schema.maintenance, *_OF_DOMAIN):
        conn.execute(each.delete().where(each.c.domain_id == domain.id))
    conn.execute(table.delete().where(table.c.id == domain.id))
    told = DomainRemoved(
        subject=f"domain:{domain.id}",
        at=now,
        account_id=domain.account_id,
        actor=actor,
        name=domain.name,
        mailboxes=ends.mailboxes,
        changes=ends.changes,
    )
    events.record(conn, told)
    return ends


def _delete_mailboxes(conn: Connection, domain_id: int) -> None:
    """Those of the domain, those that came with its changes, and those that only its reports name still."""
    of_changes = sa.select(_changes.c.id).where(_changes.c.domain_id == domain_id)
    of_runs = sa.select(_runs.c.id).where(_runs.c.domain_id == domain_id)
    named = sa.select(_rows.c.mailbox_id).where(_rows.c.run_id.in_(of_runs))
    nobodys = _boxes.c.domain_id.is_(None), sa.or_(_boxes.c.change_id.in_(of_changes), _boxes.c.id.in_(named))
    conn.execute(_boxes.delete().where(sa.or_(_boxes.c.domain_id == domain_id, sa.and_(*nobodys))))


def remove_account(conn: Connection, name: str, now: float, actor: Actor) -> None:
    """Removes an account with its channels, webhooks, users, API keys and sandbox.

    Raises `Invalid` where it has domains, is the default, or is a sandbox itself.
    """
    account_id = find_account(conn, name)
    if sandboxes.ahead_of(conn, account_id) is not None:
        raise Invalid(f"{name!r} is the sandbox of an account, and goes with it", "account")
    if name == DEFAULT_ACCOUNT:
        raise Invalid(f"the account {DEFAULT_ACCOUNT!r} is always there", "account")
    # Nobody adds a user or a domain to it meanwhile.
    table = schema.accounts
    conn.execute(sa.select(table.c.id).where(table.c.id == account_id).with_for_update()).one()
    if found := [each.name for each in _domains_of(conn, account_id)]:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise Invalid(
            f"the account {name!r} has domains: {', '.join(found[:_NAMED])}{more}; "
            f"remove each first: `mail-preflight --account {name} domains remove {found[0]}`",
            "account",
        )
    _remove_sandbox(conn, account_id, now, actor)
    _delete_account(conn, account_id)
    told = AccountRemoved(subject=f"account:{account_id}", at=now, account_id=account_id, actor=actor, name=name)
    events.record(conn, told)


def _remove_sandbox(conn: Connection, account_id: int, now: float, actor: Actor) -> None:
    """Nothing in a sandbox is worth asking about: its domains go too."""
    table = schema.sandboxes
    for sandbox_id in conn.execute(sa.select(table.c.account_id).where(table.c.of_account_id == account_id)).scalars():
        for domain in _domains_of(conn, sandbox_id):
            remove_domain(conn, domain, now, actor)
        conn.execute(table.delete().where(table.c.account_id == sandbox_id))
        _delete_account(conn, sandbox_id)


def _domains_of(conn: Connection, account_id: int) -> list[DomainRow]:
    columns = (schema.domains.c[name] for name in ("id", "account_id", "name", "settings_id"))
    query = sa.select(*columns).where(schema.domains.c.account_id == account_id).order_by(schema.domains.c.name)
    return [DomainRow(*row) for row in conn.execute(query)]


def _delete_account(conn: Connection, account_id: int) -> None:
    for table in _OF_ACCOUNT:
        conn.execute(table.delete().where(table.c.account_id == account_id))
    conn.execute(schema.accounts.delete().where(schema.accounts.c.id == account_id))
