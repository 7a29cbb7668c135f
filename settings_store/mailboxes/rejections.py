"""Rejections that are remembered, so that nobody is locked out.

A credential that a server rejected is not sent to it again until it changes; importing another one forgets the
rejection. A credential that a change proposes is not the one in force: its rejections are the change's own, and go with
it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from settings_store import schema
from settings_store.db import insert_into
from settings_store.runs import candidates
from settings_store.runs.outcomes import Done, open_rows
from settings_store.runs.runs import CANDIDATE, Phase, changed_since

REJECTED = frozenset({Code.AUTH_REJECTED, Code.AUTH_APP_PASSWORD, Code.AUTH_TOKEN_REJECTED})
"""The codes that speak of the credential itself; the other lasting causes may be mended without a new one."""

_rows, _rejections, _of_changes = schema.run_mailboxes, schema.rejections, schema.change_rejections


def remember(
    conn: Connection,
    run_id: str,
    results: Sequence[Done],
    servers: Mapping[str, str],
    now: float,
    phase: Phase = CANDIDATE,
) -> None:
    """Keeps the rejections among results. `servers` maps a protocol to its server's name and port.

    A mailbox that got another credential since the run began is left out: it may be the old one that was rejected. So
    is everything of a change that was given up meanwhile: whose credential it was cannot be told any more.
    """
    rejected: list[dict[str, Any]] = [
        {
            "mailbox_id": done.mailbox_id,
            "server": servers[done.result.protocol],
            "code": done.result.code.value,
            "seen": done.result.seen,
            "at": now,
        }
        for done in results
        if done.result.verdict is Verdict.FAIL and done.result.code in REJECTED
    ]
    if not rejected or _given_up(conn, run_id):
        return
    rejected.sort(key=lambda row: (row["mailbox_id"], row["server"]))  # one order, see `runs.lock`
    ids = [row["mailbox_id"] for row in rejected]
    owners = _proposing(conn, run_id, ids) if phase == CANDIDATE else {}
    changed = _changed_since(conn, run_id, ids)
    stored = [row for row in rejected if row["mailbox_id"] not in changed and row["mailbox_id"] not in owners]
    holds = {"holds": candidates.PROPOSED}
    proposed = [
        {**row, **holds, "change_id": owners[row["mailbox_id"]]} for row in rejected if row["mailbox_id"] in owners
    ]
    for table, found in ((_rejections, stored), (_of_changes, proposed)):
        if found:
            conn.execute(insert_into(conn, table).on_conflict_do_nothing(), found)


def _given_up(conn: Connection, run_id: str) -> bool:
    change = schema.changes
    mine = change.c.id == candidates.change_of(run_id), change.c.state == "discarded"
    return conn.execute(sa.select(change.c.id).where(*mine)).first() is not None


def _proposing(conn: Connection, run_id: str, mailbox_ids: Sequence[object]) -> dict[object, str]:
    """Mailbox -> the change whose proposed credential the run tries, of those that have one."""
    held = schema.change_credentials
    mine = held.c.change_id == candidates.change_of(run_id), held.c.holds == candidates.PROPOSED
    query = sa.select(held.c.mailbox_id, held.c.change_id).where(*mine, held.c.mailbox_id.in_(mailbox_ids))
    return {row.mailbox_id: row.change_id for row in conn.execute(query)}


def _changed_since(conn: Connection, run_id: str, mailbox_ids: Sequence[object]) -> set[object]:
    if not mailbox_ids:
        return set()
    box = schema.mailboxes
    changed = box.c.id.in_(mailbox_ids), changed_since(run_id, box)
    return set(conn.execute(sa.select(box.c.id).where(*changed)).scalars())


def recall(conn: Connection, run_id: str, servers: Mapping[str, str], phase: Phase) -> int:
    """Settles the mailboxes that one of the servers has rejected already, without a login. Returns how many."""
    count = 0
    for protocol, server in servers.items():
        if phase != CANDIDATE:
            count += _settle(conn, run_id, phase, protocol, server, _rejections)
            continue
        stored = ~candidates.is_proposed(run_id)
        count += _settle(conn, run_id, phase, protocol, server, _rejections, stored)
        own = candidates.own_rejections(run_id)
        count += _settle(conn, run_id, phase, protocol, server, _of_changes, *own)
    return count


def _settle(
    conn: Connection,
    run_id: str,
    phase: Phase,
    protocol: str,
    server: str,
    table: sa.Table,
    *which: sa.ColumnElement[bool],
) -> int:
    values: dict[str, object] = {"verdict": Verdict.FAIL.value, "code": table.c.code}
    values |= {"protocol": protocol, "seen": _remembered(conn, table)}
    if phase != CANDIDATE:
        values = {"baseline_verdict": Verdict.FAIL.value, "baseline_code": table.c.code}
    known = table.c.mailbox_id == _rows.c.mailbox_id, table.c.server == server
    settled = conn.execute(
        _rows.update().where(_rows.c.run_id == run_id, open_rows(phase), *known, *which).values(values)
    )
    return int(settled.rowcount)


def _remembered(conn: Connection, table: sa.Table) -> sa.ColumnElement[str]:
    """The server's words of then, with the day (UTC)."""
    if conn.dialect.name == "postgresql":
        at = sa.func.timezone("UTC", sa.func.to_timestamp(table.c.at))
        day: sa.ColumnElement[str] = sa.func.to_char(at, "YYYY-MM-DD", type_=sa.Text)
    else:
        day = sa.func.strftime("%Y-%m-%d", table.c.at, "unixepoch", type_=sa.Text)
    return "rejected on " + day + "; not sent again until the password changes: " + table.c.seen


def forget(conn: Connection, mailbox_ids: Sequence[int]) -> None:
    """Forgets what was rejected of these mailboxes: they have another credential now."""
    conn.execute(_rejections.delete().where(_rejections.c.mailbox_id.in_(mailbox_ids)))


def forget_tried(conn: Connection, run_id: str, mailbox_ids: Sequence[int]) -> None:
    """Forgets what was rejected of what a run tried these mailboxes with: no credential was to blame."""
    proposed = _proposing(conn, run_id, mailbox_ids)
    forget(conn, [mailbox_id for mailbox_id in mailbox_ids if mailbox_id not in proposed])
    own = candidates.own_rejections(run_id)
    conn.execute(_of_changes.delete().where(*own, _of_changes.c.mailbox_id.in_(proposed)))


def forget_domain(conn: Connection, domain_id: int) -> int:
    """Forgets the rejections of a domain, for somebody who knows that the server changed its mind.

    Those of its changes are forgotten too.
    """
    box, change = schema.mailboxes, schema.changes
    changes = sa.select(change.c.id).where(change.c.domain_id == domain_id)
    coming = sa.and_(box.c.domain_id.is_(None), box.c.change_id.in_(changes))
    own = sa.select(box.c.id).where(sa.or_(box.c.domain_id == domain_id, coming))
    stored = conn.execute(_rejections.delete().where(_rejections.c.mailbox_id.in_(own))).rowcount
    of_proposed = _of_changes.c.change_id.in_(changes), _of_changes.c.holds == candidates.PROPOSED
    proposed = conn.execute(_of_changes.delete().where(*of_proposed)).rowcount
    return int(stored) + int(proposed)
