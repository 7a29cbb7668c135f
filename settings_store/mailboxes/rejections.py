"""Rejections that are remembered, so that nobody is locked out.

A credential that a server rejected is not sent to it again until it changes; importing another one forgets the
rejection.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from settings_store import schema
from settings_store.db import insert_into
from settings_store.runs.outcomes import Done, open_rows
from settings_store.runs.runs import CANDIDATE, Phase, changed_since

REJECTED = frozenset({Code.AUTH_REJECTED, Code.AUTH_APP_PASSWORD, Code.AUTH_TOKEN_REJECTED})
"""The codes that speak of the credential itself; the other lasting causes may be mended without a new one."""

_rows, _rejections = schema.run_mailboxes, schema.rejections


def remember(conn: Connection, run_id: str, results: Sequence[Done], servers: Mapping[str, str], now: float) -> None:
    """Keeps the rejections among results. `servers` maps a protocol to its server's name and port.

    A mailbox that got another credential since the run began is left out: it may be the old one that was rejected.
    """
    rejected = [
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
    changed = _changed_since(conn, run_id, [row["mailbox_id"] for row in rejected])
    rejected = [row for row in rejected if row["mailbox_id"] not in changed]
    rejected.sort(key=lambda row: (str(row["mailbox_id"]), str(row["server"])))  # one order, see `runs.lock`
    if rejected:
        conn.execute(insert_into(conn, _rejections).on_conflict_do_nothing(), rejected)


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
        known = _rejections.c.mailbox_id == _rows.c.mailbox_id
        values: dict[str, object] = {"verdict": Verdict.FAIL.value, "code": _rejections.c.code}
        values |= {"protocol": protocol, "seen": _remembered(conn)}
        if phase != CANDIDATE:
            values = {"baseline_verdict": Verdict.FAIL.value, "baseline_code": _rejections.c.code}
        settled = conn.execute(
            _rows.update()
            .where(_rows.c.run_id == run_id, open_rows(phase), known, _rejections.c.server == server)
            .values(values)
        )
        count += int(settled.rowcount)
    return count


def _remembered(conn: Connection) -> sa.ColumnElement[str]:
    """The server's words of then, with the day (UTC)."""
    if conn.dialect.name == "postgresql":
        at = sa.func.timezone("UTC", sa.func.to_timestamp(_rejections.c.at))
        day: sa.ColumnElement[str] = sa.func.to_char(at, "YYYY-MM-DD", type_=sa.Text)
    else:
        day = sa.func.strftime("%Y-%m-%d", _rejections.c.at, "unixepoch", type_=sa.Text)
    return "rejected on " + day + "; not sent again until the password changes: " + _rejections.c.seen


def forget(conn: Connection, mailbox_ids: Sequence[int]) -> None:
    """Forgets what was rejected of these mailboxes: they have another credential now."""
    conn.execute(_rejections.delete().where(_rejections.c.mailbox_id.in_(mailbox_ids)))


def forget_domain(conn: Connection, domain_id: int) -> int:
    """Forgets the rejections of a domain, for somebody who knows that the server changed its mind."""
    box = schema.mailboxes
    own = sa.select(box.c.id).where(box.c.domain_id == domain_id)
    return int(conn.execute(_rejections.delete().where(_rejections.c.mailbox_id.in_(own))).rowcount)
