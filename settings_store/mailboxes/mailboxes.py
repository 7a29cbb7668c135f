"""Mailboxes with their encrypted credentials: import in bulk, and re-encryption after a change of keys."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import sqlalchemy as sa

from checks.model import Fault, Invalid, MailboxState
from settings_store.actors import SERVICE, Actor
from settings_store.db import Database
from settings_store.domains import lock_mailboxes
from settings_store.events import events
from settings_store.events.kinds import MailboxesImported
from settings_store.mailboxes import state_events
from settings_store.mailboxes.rejections import forget
from settings_store.mailboxes.rows import MailboxRow
from settings_store.mailboxes.state_events import Moved, Why
from settings_store.schema import attempts, change_credentials, domains, health_schedule, mailboxes
from settings_store.secrets import Vault

CHUNK = 500
NAMED = 10
"""So many mailboxes whose credential was replaced are named."""


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """How many mailboxes were new, came with another user name or password, or were there already.

    `named` are the addresses of the first that came with another.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    named: tuple[str, ...] = field(default=(), compare=False)

    def __add__(self, other: "ImportCounts") -> "ImportCounts":
        named = (*self.named, *other.named)[:NAMED]
        return ImportCounts(
            self.added + other.added, self.updated + other.updated, self.unchanged + other.unchanged, named
        )


def import_mailboxes(
    conn: sa.Connection,
    domain_id: int,
    rows: Iterable[MailboxRow],
    vault: Vault,
    now: float | None = None,
    actor: Actor = SERVICE,
) -> ImportCounts:
    """Adds the mailboxes to the domain, or gives those it has their new user name and password.

    A mailbox that logs in differently now has an unknown state, and was changed at `now` (UTC seconds since 1970).
    Each address may come once. Works in the caller's transaction: an exception while `rows` is read leaves nothing
    behind.
    """
    # Imports into one domain wait for each other, so that what was looked up stays true (SQLite has one writer anyway).
    count = domains.update().where(domains.c.id == domain_id).values(revision=domains.c.revision + 1)
    revision = conn.execute(count.returning(domains.c.revision)).scalar_one()
    lock_mailboxes(conn, domain_id)
    remaining, now = iter(rows), time.time() if now is None else now
    total, unknown = ImportCounts(), _count_unknown(conn, domain_id)
    while chunk := list(islice(remaining, CHUNK)):
        total += _import_chunk(conn, domain_id, revision, chunk, vault, now)
    moved = Moved(MailboxState.UNKNOWN, None, _count_unknown(conn, domain_id) - unknown - total.added)
    told = MailboxesImported(
        subject=f"domain:{domain_id}",
        at=now,
        domain_id=domain_id,
        actor=actor,
        added=total.added,
        updated=total.updated,
    )
    events.record(conn, *([told] if total.added or total.updated else []))
    state_events.record(conn, domain_id, [moved], Why("imported", "", now, actor))
    return total


def _count_unknown(conn: sa.Connection, domain_id: int) -> int:
    unknown = mailboxes.c.domain_id == domain_id, mailboxes.c.state == MailboxState.UNKNOWN.value
    return int(conn.execute(sa.select(sa.func.count()).select_from(mailboxes).where(*unknown)).scalar_one())


def _import_chunk(
    conn: sa.Connection, domain_id: int, revision: int, rows: Sequence[MailboxRow], vault: Vault, now: float
) -> ImportCounts:
    new, known, changed = sort_out(conn, domain_id, rows, vault)
    if new:
        conn.execute(
            mailboxes.insert(),
            [{"domain_id": domain_id, "address": row.address, **new_login(row, vault, now, revision)} for row in new],
        )
    if changed:
        conn.execute(
            mailboxes.update().where(mailboxes.c.id == sa.bindparam("mailbox_id")),
            [{"mailbox_id": known[row.address]["id"], **new_login(row, vault, now, revision)} for row in changed],
        )
        forget(conn, [known[row.address]["id"] for row in changed])
        _look_soon(conn, domain_id, now)
    named = tuple(row.address for row in changed[:NAMED])
    return ImportCounts(len(new), len(changed), len(rows) - len(new) - len(changed), named)


def sort_out(
    conn: sa.Connection, domain_id: int, rows: Sequence[MailboxRow], vault: Vault
) -> tuple[list[MailboxRow], Mapping[str, sa.RowMapping], list[MailboxRow]]:
    """The rows whose mailboxes are new; the other mailboxes as stored, by address; the rows that differ from these."""
    known = _known(conn, domain_id, [row.address for row in rows])
    new = [row for row in rows if row.address not in known]
    return new, known, [row for row in rows if row.address in known and not _same(known[row.address], row, vault)]


def _look_soon(conn: sa.Connection, domain_id: int, now: float) -> None:
    """Somebody mended mailboxes, perhaps: whether they work now is looked at with the next slice."""
    later = health_schedule.c.domain_id == domain_id, health_schedule.c.mailboxes_due > now
    conn.execute(health_schedule.update().where(*later).values(mailboxes_due=now))


def _known(conn: sa.Connection, domain_id: int, addresses: Sequence[str]) -> dict[str, sa.RowMapping]:
    columns = (
        mailboxes.c.id,
        mailboxes.c.address,
        mailboxes.c.username,
        mailboxes.c.credential,
        mailboxes.c.credential_kind,
    )
    query = sa.select(*columns).where(mailboxes.c.domain_id == domain_id, mailboxes.c.address.in_(addresses))
    return {row["address"]: row for row in conn.execute(query).mappings()}


def _same(stored: sa.RowMapping, row: MailboxRow, vault: Vault) -> bool:
    if (stored["username"], stored["credential_kind"]) != (row.username, row.kind) or not stored["credential"]:
        return False
    try:
        return vault.open(stored["credential"]) == row.password
    except Fault:
        return False  # nobody can read what is stored: it is replaced


def new_login(row: MailboxRow, vault: Vault, now: float, revision: int = 0) -> dict[str, object]:
    """The columns that say how a mailbox logs in, and that nothing is known yet of how that goes."""
    return {
        "username": row.username,
        "credential": vault.seal(row.password),
        "credential_kind": row.kind.value,
        "state": MailboxState.UNKNOWN.value,
        "state_code": None,
        "state_since": None,
        "changed_at": now,
        "revision": revision,
        "health_at": None,
        "health_fails": 0,
        "change_id": None,
    }


def rotate_credentials(database: Database, vault: Vault, batch: int = 500) -> int:
    """Re-encrypts with the vault's first key what was written with another one; returns how many credentials that were.

    Those that changes propose, or have replaced, are among them, and those of members who wait for settings.

    Each batch is a transaction of its own, and what is done already is passed over: after an interruption, start again.
    Raises `Invalid` at the end, when all others are done, if some cannot be read with any key.
    """
    rotated = unreadable = 0
    for table in (mailboxes, change_credentials, attempts):
        done, failed = _rotate_table(database, table, vault, batch)
        rotated, unreadable = rotated + done, unreadable + failed
    if unreadable:
        raise Invalid(
            f"{unreadable} credentials cannot be read with any of the keys ({rotated} others were re-encrypted); "
            "add the key they were written with, or import these mailboxes again"
        )
    return rotated


def _rotate_table(database: Database, table: sa.Table, vault: Vault, batch: int) -> tuple[int, int]:
    """How many credentials of a table were re-encrypted, and how many cannot be read."""
    last: tuple[object, ...] | None = None
    rotated = unreadable = 0
    while True:
        with database.begin() as conn:
            rows = _credentials_after(conn, table, last, batch)
            done, failed = _rotate_batch(conn, table, rows, vault)
        if not rows:
            return rotated, unreadable
        last = tuple(rows[-1][key.name] for key in table.primary_key)
        rotated, unreadable = rotated + done, unreadable + failed


def _credentials_after(
    conn: sa.Connection, table: sa.Table, last: tuple[object, ...] | None, batch: int
) -> Sequence[sa.RowMapping]:
    keys = list(table.primary_key)
    query = sa.select(*keys, table.c.credential).where(table.c.credential.is_not(None))
    if last is not None:
        query = query.where(sa.tuple_(*keys) > last)
    return conn.execute(query.order_by(*keys).limit(batch).with_for_update(key_share=True)).mappings().all()


def _rotate_batch(conn: sa.Connection, table: sa.Table, rows: Sequence[sa.RowMapping], vault: Vault) -> tuple[int, int]:
    """How many credentials were re-encrypted, and how many cannot be read."""
    tokens: list[dict[str, object]] = []
    unreadable = 0
    names = [key.name for key in table.primary_key]
    for row in rows:
        if vault.is_current(row["credential"]):
            continue
        try:
            token = vault.rotate(row["credential"])
        except Fault:
            unreadable += 1
        else:
            tokens.append({"credential": token, **{f"key_{name}": row[name] for name in names}})
    if tokens:
        same = [table.c[name] == sa.bindparam(f"key_{name}") for name in names]
        conn.execute(table.update().where(*same), tokens)
    return len(tokens), unreadable
