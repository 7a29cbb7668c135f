"""The credentials of a change: proposed with it, tried with it, in force from its application on, and gone with it.

What is proposed for a mailbox of the domain is in `change_credentials`. A new mailbox that comes with the change is one
of no domain until then. What an applied change replaced is kept with it, for the way back.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import MailboxState
from settings_store import schema
from settings_store.domains import lock_mailboxes
from settings_store.mailboxes.mailboxes import CHUNK, NAMED, ImportCounts, new_login, sort_out
from settings_store.mailboxes.rows import MailboxRow
from settings_store.runs.candidates import PROPOSED, REPLACED
from settings_store.secrets import Vault

_boxes, _held = schema.mailboxes, schema.change_credentials
_in_force, _of_changes = schema.rejections, schema.change_rejections
_LOGIN = ("username", "credential", "credential_kind")
_REJECTION = ["mailbox_id", "server", "code", "seen", "at", "times"]


def propose(
    conn: Connection, change_id: str, domain_id: int, rows: Iterable[MailboxRow], vault: Vault, now: float
) -> ImportCounts:
    """Keeps credentials with a change that was saved in this transaction; what is stored already needs no place there.

    Each address may come once. An exception while `rows` is read leaves nothing behind.
    """
    remaining, total = iter(rows), ImportCounts()
    while chunk := list(islice(remaining, CHUNK)):
        total += _propose_chunk(conn, change_id, domain_id, chunk, vault, now)
    return total


def _propose_chunk(
    conn: Connection, change_id: str, domain_id: int, rows: Sequence[MailboxRow], vault: Vault, now: float
) -> ImportCounts:
    new, known, changed = sort_out(conn, domain_id, rows, vault)
    coming = [{"address": row.address, **new_login(row, vault, now), "change_id": change_id} for row in new]
    held = [
        {
            "change_id": change_id,
            "mailbox_id": known[row.address]["id"],
            "holds": PROPOSED,
            "username": row.username,
            "credential": vault.seal(row.password),
            "credential_kind": row.kind.value,
        }
        for row in changed
    ]
    for table, values in ((_boxes, coming), (_held, held)):
        if values:
            conn.execute(table.insert(), values)
    named = tuple(row.address for row in changed[:NAMED])
    return ImportCounts(len(new), len(changed), len(rows) - len(new) - len(changed), named)


def carry_over(conn: Connection, source_id: str, change_id: str, now: float) -> int:
    """A change proposes what an unapplied one does, besides: it is that one corrected. Returns for how many mailboxes.

    The other keeps its own, for it may be taken up again. What is sealed is not opened.
    """
    mine = _held.c.change_id == source_id, _held.c.holds == PROPOSED
    login = [_held.c[name] for name in _LOGIN]
    held = sa.select(sa.literal(change_id), _held.c.mailbox_id, sa.literal(PROPOSED), *login).where(*mine)
    copied = conn.execute(_held.insert().from_select(["change_id", "mailbox_id", "holds", *_LOGIN], held))
    coming = _boxes.c.domain_id.is_(None), _boxes.c.change_id == source_id, _boxes.c.credential.is_not(None)
    new = [_boxes.c.address, *(_boxes.c[name] for name in _LOGIN), sa.literal(now), sa.literal(change_id)]
    source = sa.select(*new).where(*coming)
    came = conn.execute(_boxes.insert().from_select(["address", *_LOGIN, "changed_at", "change_id"], source))
    return int(copied.rowcount + came.rowcount)


def settle_known(conn: Connection, change_id: str, domain_id: int) -> None:
    """Mailboxes that were to come with a change and are in its domain by now: it proposes a credential for those."""
    lock_mailboxes(conn, change_id=change_id)
    coming, here = _boxes.alias(), _boxes.alias()
    same = here.c.address == coming.c.address, here.c.domain_id == domain_id
    both = sa.join(coming, here, sa.and_(*same))
    mine = coming.c.domain_id.is_(None), coming.c.change_id == change_id
    login = [coming.c[name] for name in _LOGIN]
    source = sa.select(sa.literal(change_id), here.c.id, sa.literal(PROPOSED), *login).select_from(both).where(*mine)
    conn.execute(_held.insert().from_select(["change_id", "mailbox_id", "holds", *_LOGIN], source))
    _give_away(conn, _boxes.c.id.in_(sa.select(coming.c.id).select_from(both).where(*mine)))


def withdraw(conn: Connection, domain_id: int, address: str, sealed: bytes) -> None:
    """No change of a domain that is not applied brings that credential of an address any more."""
    theirs = sa.select(schema.changes.c.id).where(schema.changes.c.domain_id == domain_id)
    coming = _boxes.c.domain_id.is_(None), _boxes.c.change_id.in_(theirs), _boxes.c.address == address
    _give_away(conn, *coming, _boxes.c.credential == sealed)
    proposed = _held.c.change_id.in_(theirs), _held.c.holds == PROPOSED, _held.c.credential == sealed
    conn.execute(_held.delete().where(*proposed))


def recall_rejections(conn: Connection, change_id: str, domain_id: int) -> None:
    """What servers have said of the same logins when earlier changes of the domain brought them is true still.

    The same are those that were copied: what is encrypted twice is never the same.
    """
    theirs = sa.select(schema.changes.c.id).where(
        schema.changes.c.domain_id == domain_id, schema.changes.c.id != change_id
    )
    _recall_coming(conn, change_id, theirs)
    _recall_proposed(conn, change_id, theirs)


def _recall_coming(conn: Connection, change_id: str, earlier: sa.Select[tuple[str]]) -> None:
    new, old, said = _boxes.alias(), _boxes.alias(), _in_force
    same = old.c.address == new.c.address, old.c.credential == new.c.credential, old.c.change_id.in_(earlier)
    both = sa.join(new, old, sa.and_(*same, old.c.domain_id.is_(None))).join(said, said.c.mailbox_id == old.c.id)
    mine = new.c.change_id == change_id, new.c.domain_id.is_(None)
    columns = [new.c.id.label("mailbox_id"), *(said.c[name] for name in _REJECTION[1:])]
    conn.execute(_in_force.insert().from_select(_REJECTION, _newest(both, columns, [new.c.id, said.c.server], *mine)))


def _recall_proposed(conn: Connection, change_id: str, earlier: sa.Select[tuple[str]]) -> None:
    new, old, said = _held.alias(), _held.alias(), _of_changes
    same = old.c.mailbox_id == new.c.mailbox_id, old.c.credential == new.c.credential, old.c.change_id.in_(earlier)
    of = said.c.change_id == old.c.change_id, said.c.mailbox_id == old.c.mailbox_id, said.c.holds == PROPOSED
    both = sa.join(new, old, sa.and_(*same, old.c.holds == PROPOSED)).join(said, sa.and_(*of))
    mine = new.c.change_id == change_id, new.c.holds == PROPOSED
    columns = [new.c.change_id, new.c.holds, *(said.c[name] for name in _REJECTION)]
    newest = _newest(both, columns, [said.c.mailbox_id, said.c.server], *mine)
    conn.execute(_of_changes.insert().from_select(["change_id", "holds", *_REJECTION], newest))


def _newest(
    source: sa.Join, columns: Sequence[sa.ColumnElement[Any]], of: Sequence[sa.ColumnElement[Any]], *which: Any
) -> sa.Select[Any]:
    """The newest row of each group."""
    at = next(column for column in columns if column.name == "at")
    place = sa.func.row_number().over(partition_by=of, order_by=at.desc()).label("place")
    ranked = sa.select(*columns, place).select_from(source).where(*which).subquery()
    return sa.select(*(ranked.c[column.name] for column in columns)).where(ranked.c.place == 1)


def lock(conn: Connection, change_id: str) -> None:
    """Holds what a change proposes or has replaced, in one order, before that is written; see `runs.lock`."""
    if conn.dialect.name == "postgresql":
        mine = sa.select(_held.c.mailbox_id).where(_held.c.change_id == change_id).order_by(_held.c.mailbox_id)
        conn.execute(sa.select(sa.func.count()).select_from(mine.with_for_update().subquery()))


def join_domain(conn: Connection, change_id: str, domain_id: int) -> int:
    """The mailboxes that come with a change are its domain's. Returns how many."""
    coming = _boxes.c.domain_id.is_(None), _boxes.c.change_id == change_id
    return int(conn.execute(_boxes.update().where(*coming).values(domain_id=domain_id)).rowcount)


def take_over(conn: Connection, change_id: str, now: float) -> int:
    """What a change proposes is in force, and what that replaced is kept. Returns how many mailboxes it was."""
    concerned = _boxes.c.id.in_(_of(change_id, PROPOSED))
    kept = [_boxes.c[name] for name in (*_LOGIN, "change_id", "changed_at", "revision")]
    source = sa.select(sa.literal(change_id), _boxes.c.id, sa.literal(REPLACED), *kept).where(concerned)
    names = ["change_id", "mailbox_id", "holds", *_LOGIN, "came_with", "changed_at", "revision"]
    conn.execute(_held.insert().from_select(names, source))
    _keep_rejections(conn, change_id)
    _put_rejections(conn, change_id, PROPOSED)
    values = {**{name: _held.c[name] for name in _LOGIN}, "change_id": change_id, "changed_at": now}
    values["revision"] = _next_revision(conn, change_id)
    mine = _held.c.change_id == change_id, _held.c.holds == PROPOSED
    count = conn.execute(_boxes.update().where(*mine, _held.c.mailbox_id == _boxes.c.id).values(values)).rowcount
    conn.execute(_held.delete().where(*mine))
    return int(count)


def give_back(conn: Connection, change_id: str, domain_id: int) -> None:
    """What a change replaced is in force again, and the mailboxes that came with it are nobody's.

    A mailbox that was given another credential since keeps that.
    """
    mine = _held.c.change_id == change_id, _held.c.holds == REPLACED
    as_applied = sa.select(_boxes.c.id).where(_boxes.c.id == _held.c.mailbox_id, _boxes.c.change_id == change_id)
    conn.execute(_held.delete().where(*mine, ~as_applied.correlate(_held).exists()))
    came = _boxes.c.domain_id == domain_id, _boxes.c.change_id == change_id
    _give_away(conn, *came, _boxes.c.id.not_in(_of(change_id, REPLACED)))
    _put_rejections(conn, change_id, REPLACED)
    values = {**{name: _held.c[name] for name in _LOGIN}, "change_id": _held.c.came_with}
    values |= {name: _held.c[name] for name in ("changed_at", "revision")}
    conn.execute(_boxes.update().where(*mine, _held.c.mailbox_id == _boxes.c.id).values(values))


def forget_replaced(conn: Connection, change_id: str, now: float) -> None:
    """After `give_back`, and after the states followed it: what is tried still with what was in force says nothing."""
    again = {"changed_at": now, "revision": _next_revision(conn, change_id)}
    conn.execute(_boxes.update().where(_boxes.c.id.in_(_of(change_id, REPLACED))).values(again))
    conn.execute(_held.delete().where(_held.c.change_id == change_id))


def throw_away(conn: Connection, change_id: str) -> None:
    """A change that was not applied proposes no credential any more, and no mailbox comes with it."""
    lock_mailboxes(conn, change_id=change_id)
    lock(conn, change_id)
    _give_away(conn, _boxes.c.domain_id.is_(None), _boxes.c.change_id == change_id)
    conn.execute(_held.delete().where(_held.c.change_id == change_id, _held.c.holds == PROPOSED))


def _of(change_id: str, holds: str) -> sa.Select[tuple[int]]:
    return sa.select(_held.c.mailbox_id).where(_held.c.change_id == change_id, _held.c.holds == holds)


def _next_revision(conn: Connection, change_id: str) -> int:
    """That of the change's domain, one higher than before: what runs have found out before speaks of other logins."""
    of, domain = schema.changes, schema.domains
    mine = sa.select(of.c.domain_id).where(of.c.id == change_id).scalar_subquery()
    counted = domain.update().where(domain.c.id == mine).values(revision=domain.c.revision + 1)
    return int(conn.execute(counted.returning(domain.c.revision)).scalar_one())


def _keep_rejections(conn: Connection, change_id: str) -> None:
    """Those of the credentials that are replaced go with them."""
    columns = [_in_force.c[name] for name in _REJECTION]
    source = sa.select(sa.literal(change_id), sa.literal(REPLACED), *columns)
    source = source.where(_in_force.c.mailbox_id.in_(_of(change_id, PROPOSED)))
    conn.execute(_of_changes.insert().from_select(["change_id", "holds", *_REJECTION], source))


def _put_rejections(conn: Connection, change_id: str, holds: str) -> None:
    """Those of what comes into force, and no others."""
    conn.execute(_in_force.delete().where(_in_force.c.mailbox_id.in_(_of(change_id, holds))))
    source = sa.select(*(_of_changes.c[name] for name in _REJECTION))
    source = source.where(_of_changes.c.change_id == change_id, _of_changes.c.holds == holds)
    conn.execute(_in_force.insert().from_select(_REJECTION, source))


def _give_away(conn: Connection, *which: sa.ColumnElement[bool]) -> None:
    """Mailboxes that are nobody's any more, without a credential; earlier reports name them still."""
    theirs = sa.select(_boxes.c.id).where(*which)
    conn.execute(_in_force.delete().where(_in_force.c.mailbox_id.in_(theirs)))
    nothing: dict[str, object] = {
        "domain_id": None,
        "change_id": None,
        "credential": None,
        "state": MailboxState.UNKNOWN.value,
    }
    nothing |= {"state_code": None, "state_since": None, "health_fails": 0}
    conn.execute(_boxes.update().where(*which).values(nothing))
