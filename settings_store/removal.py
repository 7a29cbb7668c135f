"""A domain that is given up, with all that there is of it. What happened to it stays written down."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.actors import Actor
from settings_store.domains import DomainRow
from settings_store.events import events
from settings_store.events.kinds import DomainRemoved

_boxes, _runs, _changes, _rows = schema.mailboxes, schema.runs, schema.changes, schema.run_mailboxes


@dataclass(frozen=True, slots=True)
class Ends:
    """What ends with a domain: how many mailboxes and changes, verifications under way, open incidents, channels."""

    name: str
    in_force: bool
    mailboxes: int
    changes: int
    verifying: int
    incidents: int
    channels: int


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
    )


def remove_domain(conn: Connection, domain: DomainRow, now: float, actor: Actor) -> Ends:
    """Deletes the domain with its settings, mailboxes, changes, reports, history of health and own incidents.

    Whoever works on it at this moment finds nothing left, and stops.
    """
    table = schema.domains
    conn.execute(sa.select(table.c.id).where(table.c.id == domain.id).with_for_update()).one()
    ends = what_ends(conn, domain)
    conn.execute(table.update().where(table.c.id == domain.id).values(settings_id=None))
    for each in (schema.health_endpoints, schema.health_results, schema.health_hours, schema.health_schedule):
        conn.execute(each.delete().where(each.c.domain_id == domain.id))
    _delete_mailboxes(conn, domain.id)
    for each in (_runs, _changes, schema.settings, schema.incidents, schema.maintenance, schema.alert_channels):
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
