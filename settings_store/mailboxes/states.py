"""The mailboxes' last known states follow the settings in force, as a change is applied or rolled back."""

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Verdict
from checks.model import MailboxState
from settings_store import schema
from settings_store.runs import runs
from settings_store.runs.runs import Run


def take_over(conn: Connection, run_id: str, now: float) -> None:
    """What the run found out is now the mailboxes' last known state."""
    row = schema.run_mailboxes
    state = sa.case(
        (row.c.verdict == Verdict.OK.value, MailboxState.CONNECTED.value),
        (row.c.verdict == Verdict.FAIL.value, MailboxState.DISCONNECTED.value),
        else_=MailboxState.UNKNOWN.value,
    )
    _set(conn, run_id, state, row.c.code, now)


def restore(conn: Connection, run: Run, now: float) -> None:
    """What was known under the earlier settings counts again; without any, nobody can be said to be connected."""
    row = schema.run_mailboxes
    unknown = MailboxState.UNKNOWN.value
    before_none = sa.case((row.c.before == MailboxState.CONNECTED.value, unknown), else_=row.c.before)
    state: sa.ColumnElement[str] = sa.case(
        (row.c.baseline_verdict == Verdict.OK.value, MailboxState.CONNECTED.value),
        (row.c.baseline_verdict == Verdict.FAIL.value, MailboxState.DISCONNECTED.value),
        else_=row.c.before if run.baseline_settings_id else before_none,
    )
    _set(conn, run.id, state, row.c.baseline_code, now)


def _set(conn: Connection, run_id: str, state: sa.ColumnElement[str], code: sa.ColumnElement[str], now: float) -> None:
    box, row = schema.mailboxes, schema.run_mailboxes
    unchanged = ~runs.changed_since(run_id, box)  # nothing is known of another credential
    conn.execute(
        box.update()
        .where(row.c.mailbox_id == box.c.id, row.c.run_id == run_id, unchanged)
        .values(state=state, state_code=code, state_since=now)
    )
