"""The baseline of a run: what the settings in force say of the mailboxes that fail with the proposed ones."""

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from checks.model import MailboxState
from settings_store import schema
from settings_store.runs import candidates, pages
from settings_store.runs.runs import BASELINE

_rows = schema.run_mailboxes


def plan(conn: Connection, run_id: str, page_size: int) -> int:
    """Lays out the mailboxes whose state under the settings in force must be tested. Returns how many.

    There are no canaries: those are mailboxes that failed one by one, after the canaries of the proposed settings.
    """
    box = schema.mailboxes
    bare = sa.select(box.c.id).where(box.c.id == _rows.c.mailbox_id, box.c.credential.is_(None)).exists()
    nothing_known = {"baseline_verdict": Verdict.INCONCLUSIVE.value, "baseline_code": Code.CREDENTIAL_MISSING.value}
    conn.execute(_rows.update().where(*_unsettled(run_id), bare).values(nothing_known))
    open_ones = sa.select(_rows.c.mailbox_id).where(*_unsettled(run_id), _rows.c.baseline_page.is_(None))
    ids = conn.execute(open_ones.order_by(_rows.c.mailbox_id)).scalars().all()
    if not ids:
        return 0
    conn.execute(
        _rows.update()
        .where(_rows.c.run_id == run_id, _rows.c.mailbox_id == sa.bindparam("key"))
        .values(baseline_page=sa.bindparam("number")),
        [{"key": mailbox_id, "number": 1 + place // page_size} for place, mailbox_id in enumerate(ids)],
    )
    pages.add(conn, run_id, BASELINE, _rows.c.baseline_page)
    return len(ids)


def needed(conn: Connection, run_id: str) -> bool:
    """Whether there are failures whose state under the settings in force is not known."""
    return conn.execute(sa.select(_rows.c.run_id).where(*_unsettled(run_id)).limit(1)).first() is not None


def failures(conn: Connection, run_id: str) -> list[tuple[str, Code, int]]:
    """(protocol, code, count) of all failures; where nothing changed, they overrule what was last known."""
    query = sa.select(_rows.c.protocol, _rows.c.code, sa.func.count()).where(*_failures(run_id))
    return [(row[0], Code(row[1]), row[2]) for row in conn.execute(query.group_by(_rows.c.protocol, _rows.c.code))]


def settle(
    conn: Connection,
    run_id: str,
    verdict: Verdict,
    code: Code,
    *,
    failed: tuple[str, Code] | None = None,
    stored_only: bool = False,
) -> None:
    """One fact for every mailbox whose baseline is open, or only those that failed with (protocol, code).

    `stored_only` leaves those out that were tried with a credential that is not in force.
    """
    which = _unsettled(run_id)
    if failed:
        which = (*_failures(run_id), _rows.c.protocol == failed[0], _rows.c.code == failed[1].value)
    if stored_only:
        which = (*which, ~candidates.is_proposed(run_id))
    conn.execute(_rows.update().where(*which).values(baseline_verdict=verdict.value, baseline_code=code.value))


def _unsettled(run_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return *_failures(run_id), _rows.c.before == MailboxState.UNKNOWN.value


def _failures(run_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _rows.c.run_id == run_id, _rows.c.verdict == Verdict.FAIL.value, _rows.c.baseline_verdict.is_(None)
