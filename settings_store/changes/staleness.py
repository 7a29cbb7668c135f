"""Whether a report still says what is true: each reason why it may not, and what has moved meanwhile."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.changes.changes import Change
from settings_store.changes.lifecycle import Reason, Refused
from settings_store.runs import runs
from settings_store.runs.runs import Run


def reasons(
    conn: Connection, change: Change, run: Run, in_force: int | None, age: float, max_age: float
) -> Iterator[Refused]:
    """Why the change may not be applied by its report: settings, age (seconds), mailboxes. Nothing where it may."""
    again = f"verify it again: `mail-preflight again {change.id}`"
    if in_force != change.base_settings_id:
        yield Refused(
            f"the settings of {change.domain} were changed since this change was saved; {again}",
            Reason.SETTINGS_CHANGED,
        )
    minutes = f"{abs(age) / 60:.0f}"
    if age > max_age:
        yield Refused(
            f"the report is {minutes} minutes old and may be out of date; {again}",
            Reason.REPORT_OLD,
            minutes=int(minutes),
        )
    if age < -max_age:  # a clock that was put right by a moment says nothing against the report
        yield Refused(
            f"the report is {minutes} minutes ahead of the clock, so nobody knows its age; {again}",
            Reason.REPORT_AHEAD,
            minutes=int(minutes),
        )
    if count := conn.execute(sa.select(sa.func.count()).select_from(_untested(change, run).subquery())).scalar_one():
        yield Refused(
            f"{count} mailboxes of {change.domain} were added or changed since the report; {again}",
            Reason.MAILBOXES_CHANGED,
            mailboxes=count,
        )


def untested(conn: Connection, change: Change, run: Run, limit: int) -> list[str]:
    """The first addresses of mailboxes that were added or changed since the report."""
    query = _untested(change, run).order_by(schema.mailboxes.c.address).limit(limit)
    return list(conn.execute(query).scalars())


def _untested(change: Change, run: Run) -> sa.Select[Any]:
    box, row = schema.mailboxes, schema.run_mailboxes
    both = box.outerjoin(row, sa.and_(row.c.mailbox_id == box.c.id, row.c.run_id == run.id))
    moved = sa.or_(row.c.run_id.is_(None), runs.changed_since(run.id, box))
    return sa.select(box.c.address).select_from(both).where(box.c.domain_id == change.domain_id, moved)
