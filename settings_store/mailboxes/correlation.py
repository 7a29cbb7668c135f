"""Rejections that meet a run's mailboxes alike: what is known of them, and what becomes of them.

An authentication backend that is down looks like a wrong password to every client. So before anybody is asked for
another password, the rejections of a run are looked at together.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from checks.model import MailboxState, Protocol
from settings_store import schema
from settings_store.mailboxes import rejections
from settings_store.runs import candidates, runs
from settings_store.runs.outcomes import ALL_REJECTED, REJECTED

IMAP_ACCEPTED, WORKED_BEFORE, NONE_ACCEPTED = "imap_accepted", "worked_before", "none_accepted"
BACKEND_AWAY = "backend_away"
"""What speaks for the credentials; the wording knows these names."""

AWAY = frozenset({Code.AUTH_TEMPORARY, Code.SERVER_UNAVAILABLE})
"""The codes of a server that could not check a password."""

_rows, _box = schema.run_mailboxes, schema.mailboxes


@dataclass(frozen=True, slots=True)
class Judged:
    """What the logins of a run to one protocol's server came to, by counts of mailboxes.

    `rejected` were refused for their credential, `accepted` got in there. Of the rejected, `let_in` had just got in to
    IMAP with the same credential.

    The rest is of the whole run: `in_all` were rejected, at any protocol; of those, `connected` worked when they were
    last looked at, with the credential that was tried now. Of `away` the server said meanwhile that it could not check
    the password. `anybody` says whether any mailbox got in anywhere.
    """

    protocol: Protocol
    rejected: int
    accepted: int
    let_in: int
    in_all: int
    connected: int
    away: int
    anybody: bool


def judged(conn: Connection, run_id: str) -> list[Judged]:
    """What this run's own logins came to, by protocol; only where something was rejected."""
    tried = _rows.c.run_id == run_id, _rows.c.ms.is_not(None), _rows.c.verdict.is_not(None)
    fits = sa.and_(*_rejected())
    known = sa.and_(
        _box.c.state == MailboxState.CONNECTED.value,
        _rows.c.before == MailboxState.CONNECTED.value,
        ~runs.changed_since(run_id, _box),
        ~candidates.is_proposed(run_id),
    )
    query = (
        sa.select(
            _rows.c.protocol,
            sa.func.count().label("rejected"),
            _count(_rows.c.evidence == IMAP_ACCEPTED).label("let_in"),
            _count(known).label("connected"),
        )
        .join(_box, _box.c.id == _rows.c.mailbox_id)
        .where(*tried, fits)
        .group_by(_rows.c.protocol)
    )
    found = conn.execute(query).all()
    if not found:
        return []
    works = int(
        conn.execute(sa.select(sa.func.count()).where(*tried, _rows.c.verdict == Verdict.OK.value)).scalar_one()
    )
    unsure = sa.or_(_rows.c.code.in_([code.value for code in AWAY]), _rows.c.evidence == BACKEND_AWAY)
    away = int(conn.execute(sa.select(sa.func.count()).where(*tried, unsure)).scalar_one())
    past = sum(row.let_in for row in found)  # who was rejected at SMTP had got in to IMAP
    return [
        Judged(
            protocol=Protocol(row.protocol),
            rejected=row.rejected,
            accepted=works + (past if row.protocol == Protocol.IMAP.value else 0),
            let_in=row.let_in,
            in_all=sum(other.rejected for other in found),
            connected=sum(other.connected for other in found),
            away=away,
            anybody=bool(works or past),
        )
        for row in found
    ]


def _rejected() -> tuple[sa.ColumnElement[bool], ...]:
    return _rows.c.verdict == Verdict.FAIL.value, _rows.c.code.in_([code.value for code in REJECTED])


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def clear(conn: Connection, run_id: str, protocol: Protocol, evidence: str, server: str) -> Code:
    """The rejections of a run at a server say nothing of the credentials: they are told as the server's, and forgotten.

    Returns the code that they have now. What was remembered of this server and the run's mailboxes goes too.
    """
    code = Code.EXCHANGE_ALL_REJECTED if protocol is Protocol.HTTPS else Code.AUTH_ALL_REJECTED
    mine = _rows.c.run_id == run_id, _rows.c.protocol == protocol.value, *_rejected()
    ids = list(conn.execute(sa.select(_rows.c.mailbox_id).where(*mine).order_by(_rows.c.mailbox_id)).scalars())
    services = dict.fromkeys(("mail", "calendar"), code.value) if protocol is Protocol.HTTPS else None
    values = {"verdict": Verdict.INCONCLUSIVE.value, "code": code.value, "evidence": evidence, "services": services}
    conn.execute(_rows.update().where(*mine).values(values))
    rejections.forget_tried(conn, run_id, ids, server)
    return code


def found(conn: Connection, run_id: str) -> Mapping[str, tuple[Code, str]]:
    """Protocol -> the code and the evidence of what a run has found out about its server."""
    query = sa.select(_rows.c.protocol, _rows.c.code, sa.func.min(_rows.c.evidence)).where(
        _rows.c.run_id == run_id, _rows.c.code.in_([code.value for code in ALL_REJECTED])
    )
    return {
        row[0]: (Code(row[1]), row[2] or "") for row in conn.execute(query.group_by(_rows.c.protocol, _rows.c.code))
    }
