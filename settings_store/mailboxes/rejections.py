"""Rejections that are remembered, so that nobody is locked out.

A credential that a server rejected is not sent to it again for a time that grows: an hour, a day, then a week. A new
credential ends it at once; so does a login that got in after all, a run that shows that the server was at fault, and
other settings for that server. A credential that a change proposes is not the one in force: its rejections are the
change's own, and go with it.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Verdict
from settings_store import schema
from settings_store.db import insert_into
from settings_store.runs import candidates
from settings_store.runs.outcomes import REJECTED, Done, open_rows
from settings_store.runs.runs import CANDIDATE, Phase, changed_since

HOLDS_SECONDS = (3600.0, 86_400.0, 7 * 86_400.0)
"""For how long a rejection holds: the first, the second, and every further one of the same credential."""
_SAME_SECONDS = 1800.0  # a page that is delivered twice is no second rejection

_rows, _rejections, _of_changes = schema.run_mailboxes, schema.rejections, schema.change_rejections
_KNOWN = (
    sa.select(_rejections.c.mailbox_id)
    .where(_rejections.c.mailbox_id.in_(sa.bindparam("boxes", expanding=True)))
    .limit(1)
)


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
    concerned = sorted({done.mailbox_id for done in results if done.result.verdict in (Verdict.OK, Verdict.FAIL)})
    if rejected or _known(conn, concerned):
        _hold(conn, concerned)
        _forget_let_in(conn, run_id, results, servers, phase)
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
            conn.execute(_keeping(conn, table), found)


def _keeping(conn: Connection, table: sa.Table) -> Any:
    """An insert; where the same credential was rejected before, and was tried again since, it holds for longer."""
    statement = insert_into(conn, table)
    new, most = statement.excluded, len(HOLDS_SECONDS)
    times = sa.case((table.c.times < most, table.c.times + 1), else_=table.c.times)
    values = {"times": times, "at": new.at, "code": new.code, "seen": new.seen}
    again = table.c.at < new.at - _SAME_SECONDS
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values, where=again)


def _forget_let_in(
    conn: Connection, run_id: str, results: Sequence[Done], servers: Mapping[str, str], phase: Phase
) -> None:
    """Whoever gets in has a credential that holds. It may be one that the change proposes: then it is its own."""
    ids = [done.mailbox_id for done in results if done.result.verdict is Verdict.OK]
    if not ids:
        return
    proposed = _proposing(conn, run_id, ids) if phase == CANDIDATE else {}
    if mine := [mailbox_id for mailbox_id in ids if mailbox_id not in proposed]:
        at = _rejections.c.server.in_(list(servers.values()))
        conn.execute(_rejections.delete().where(_rejections.c.mailbox_id.in_(mine), at))


def _known(conn: Connection, mailbox_ids: Sequence[int]) -> bool:
    return conn.execute(_KNOWN, {"boxes": mailbox_ids}).first() is not None


def _hold(conn: Connection, mailbox_ids: Sequence[int]) -> None:
    """First the mailboxes, which may be about to change hands, then what is known of them; see `runs.lock`."""
    if conn.dialect.name == "postgresql":
        box = schema.mailboxes.c.id
        mine = sa.select(box).where(box.in_(mailbox_ids)).order_by(box).with_for_update(read=True, key_share=True)
        conn.execute(sa.select(sa.func.count()).select_from(mine.subquery()))
    lock(conn, _rejections.c.mailbox_id.in_(mailbox_ids))


def lock(conn: Connection, *which: sa.ColumnElement[bool], table: sa.Table = _rejections) -> None:
    """Holds what is remembered, in one order, before that is written; see `runs.lock`."""
    if conn.dialect.name == "postgresql":
        keys = list(table.primary_key)
        rows = sa.select(*keys).where(*which).order_by(*keys).with_for_update()
        conn.execute(sa.select(sa.func.count()).select_from(rows.subquery()))


def lock_domain(conn: Connection, domain_id: int, change_id: str) -> None:
    """Holds what is remembered of a domain's mailboxes, and of those that come with a change."""
    box = schema.mailboxes
    mine = sa.select(box.c.id).where(sa.or_(box.c.domain_id == domain_id, box.c.change_id == change_id))
    lock(conn, _rejections.c.mailbox_id.in_(mine))


def _delete(conn: Connection, *which: sa.ColumnElement[bool], table: sa.Table = _rejections) -> int:
    lock(conn, *which, table=table)
    return int(conn.execute(table.delete().where(*which)).rowcount)


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


def held(conn: Connection, mailbox_id: int, servers: Collection[str], now: float) -> tuple[str, str, str] | None:
    """What one of the servers said of a mailbox's credential, where it is not to be sent there again yet.

    The server, the code, and its words.
    """
    mine = _rejections.c.mailbox_id == mailbox_id, _rejections.c.server.in_(servers), _holds(_rejections, now)
    row = conn.execute(sa.select(_rejections).where(*mine).order_by(_rejections.c.server).limit(1)).one_or_none()
    return (row.server, row.code, row.seen) if row else None


def recall(conn: Connection, run_id: str, servers: Mapping[str, str], phase: Phase, now: float) -> int:
    """Settles the mailboxes that one of the servers has rejected already, without a login. Returns how many.

    A rejection that does not hold any more, at `now`, settles nothing: the mailbox is tried again.
    """
    count = 0
    for protocol, server in servers.items():
        if phase != CANDIDATE:
            count += _settle(conn, run_id, phase, protocol, server, _rejections, _holds(_rejections, now))
            continue
        stored = ~candidates.is_proposed(run_id)
        count += _settle(conn, run_id, phase, protocol, server, _rejections, stored, _holds(_rejections, now))
        own = candidates.own_rejections(run_id)
        count += _settle(conn, run_id, phase, protocol, server, _of_changes, *own, _holds(_of_changes, now))
    return count


def _until(table: sa.Table) -> sa.ColumnElement[float]:
    """When a rejection ends (UTC seconds since 1970)."""
    first, second, further = HOLDS_SECONDS
    return table.c.at + sa.case((table.c.times == 1, first), (table.c.times == 2, second), else_=further)


def _holds(table: sa.Table, now: float) -> sa.ColumnElement[bool]:
    return sa.and_(_until(table) > now, table.c.at <= now + _SAME_SECONDS)  # one of the future: the clock was put back


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
    values |= {"protocol": protocol, "seen": _remembered(conn, table, run_id)}
    if phase != CANDIDATE:
        values = {"baseline_verdict": Verdict.FAIL.value, "baseline_code": table.c.code}
    known = table.c.mailbox_id == _rows.c.mailbox_id, table.c.server == server
    settled = conn.execute(
        _rows.update().where(_rows.c.run_id == run_id, open_rows(phase), *known, *which).values(values)
    )
    return int(settled.rowcount)


def _remembered(conn: Connection, table: sa.Table, run_id: str) -> sa.ColumnElement[str]:
    """The server's words of then, with their day (UTC), until when they hold, and what ends that at once."""
    domain, run = schema.domains, schema.runs
    name = sa.select(domain.c.name).join(run, run.c.domain_id == domain.c.id).where(run.c.id == run_id)
    day, until = _moment(conn, table.c.at, "%Y-%m-%d"), _moment(conn, _until(table), "%Y-%m-%d %H:%M")
    return (
        sa.literal("rejected on ", sa.Text)
        + day
        + "; not sent again before "
        + until
        + " UTC unless the password changes; `mail-preflight mailboxes retry "
        + name.scalar_subquery()
        + "` lets it be tried at once: "
        + table.c.seen
    )


_REMEDY = re.compile(r"; `mail-preflight mailboxes retry [^`]*` lets it be tried at once(?=: )")


def without_remedy(seen: str) -> str:
    """What `_remembered` says, without the command that ends it: not everybody has that."""
    return _REMEDY.sub("", seen)


def _moment(conn: Connection, at: sa.ColumnElement[float], form: str) -> sa.ColumnElement[str]:
    if conn.dialect.name == "postgresql":
        for ours, theirs in (("%Y-%m-%d", "YYYY-MM-DD"), ("%H:%M", "HH24:MI")):
            form = form.replace(ours, theirs)
        return sa.func.to_char(sa.func.timezone("UTC", sa.func.to_timestamp(at)), form, type_=sa.Text)
    return sa.func.strftime(form, at, "unixepoch", type_=sa.Text)


def forget(conn: Connection, mailbox_ids: Sequence[int]) -> None:
    """Forgets what was rejected of these mailboxes: they have another credential now."""
    _delete(conn, _rejections.c.mailbox_id.in_(mailbox_ids))


def forget_tried(conn: Connection, run_id: str, mailbox_ids: Sequence[int], server: str) -> None:
    """Forgets what a server rejected of what a run tried these mailboxes with: no credential was to blame."""
    proposed = _proposing(conn, run_id, mailbox_ids)
    stored = [mailbox_id for mailbox_id in mailbox_ids if mailbox_id not in proposed]
    _delete(conn, _rejections.c.mailbox_id.in_(stored), _rejections.c.server == server)
    own = *candidates.own_rejections(run_id), _of_changes.c.server == server
    _delete(conn, *own, _of_changes.c.mailbox_id.in_(proposed), table=_of_changes)


def forget_server(conn: Connection, domain_id: int, servers: Collection[str]) -> None:
    """Forgets what these servers rejected of a domain's mailboxes: they are connected to in another way now."""
    own = sa.select(schema.mailboxes.c.id).where(schema.mailboxes.c.domain_id == domain_id)
    _delete(conn, _rejections.c.mailbox_id.in_(own), _rejections.c.server.in_(servers))


def forget_domain(conn: Connection, domain_id: int) -> int:
    """Forgets the rejections of a domain, for somebody who knows that the server changed its mind.

    Those of its changes are forgotten too.
    """
    box, change = schema.mailboxes, schema.changes
    changes = sa.select(change.c.id).where(change.c.domain_id == domain_id)
    coming = sa.and_(box.c.domain_id.is_(None), box.c.change_id.in_(changes))
    own = sa.select(box.c.id).where(sa.or_(box.c.domain_id == domain_id, coming))
    of_proposed = _of_changes.c.change_id.in_(changes), _of_changes.c.holds == candidates.PROPOSED
    return _delete(conn, _rejections.c.mailbox_id.in_(own)) + _delete(conn, *of_proposed, table=_of_changes)
