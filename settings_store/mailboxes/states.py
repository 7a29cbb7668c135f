"""The mailboxes' last known states follow the settings in force, as a change is applied or rolled back."""

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Verdict
from checks.model import MailboxState
from settings_store import schema
from settings_store.actors import SERVICE, Actor
from settings_store.mailboxes import state_events
from settings_store.mailboxes.state_events import Why
from settings_store.runs import runs
from settings_store.runs.runs import Run


def take_over(conn: Connection, run: Run, now: float, actor: Actor = SERVICE) -> None:
    """What the run found out is now the mailboxes' last known state."""
    row = schema.run_mailboxes
    state = sa.case(
        (row.c.verdict == Verdict.OK.value, MailboxState.CONNECTED.value),
        (row.c.verdict == Verdict.FAIL.value, MailboxState.DISCONNECTED.value),
        else_=MailboxState.UNKNOWN.value,
    )
    _set(conn, run, state, row.c.code, Why("applied", run.change_id or "", now, actor))


def restore(conn: Connection, run: Run, now: float, actor: Actor = SERVICE) -> None:
    """What was known under the earlier settings counts again; without any, nobody can be said to be connected."""
    row = schema.run_mailboxes
    unknown = MailboxState.UNKNOWN.value
    before_none = sa.case((row.c.before == MailboxState.CONNECTED.value, unknown), else_=row.c.before)
    state: sa.ColumnElement[str] = sa.case(
        (row.c.baseline_verdict == Verdict.OK.value, MailboxState.CONNECTED.value),
        (row.c.baseline_verdict == Verdict.FAIL.value, MailboxState.DISCONNECTED.value),
        else_=row.c.before if run.baseline_settings_id else before_none,
    )
    _set(conn, run, state, row.c.baseline_code, Why("rolled_back", run.change_id or "", now, actor))


def _set(conn: Connection, run: Run, state: sa.ColumnElement[str], code: sa.ColumnElement[str], why: Why) -> None:
    box, row = schema.mailboxes, schema.run_mailboxes
    unchanged = ~runs.changed_since(run.id, box)  # nothing is known of another credential
    mine = row.c.mailbox_id == box.c.id, row.c.run_id == run.id, box.c.domain_id == run.domain_id, unchanged
    both = sa.join(box, row, mine[0])
    state_events.record(conn, run.domain_id, state_events.moving(conn, both, state, code, *mine), why)
    conn.execute(box.update().where(*mine).values(state=state, state_code=code, state_since=why.at))
