"""Whether the report of a change is one that can be acted upon: fresh, whole, and the one that was reviewed."""

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.changes.changes import SHORT, Change
from settings_store.changes.lifecycle import Reason, Refused
from settings_store.runs import endpoints, outcomes, runs
from settings_store.runs.runs import Run


def finished_run(conn: Connection, change: Change) -> Run:
    """The run that has the report. Raises `Refused` where there is none."""
    run = runs.of_change(conn, change.id)
    if run is None or run.counts is None or run.finished_at is None:
        raise Refused(
            f"change {change.id} has no report; `mail-preflight again {change.id}` verifies it",
            Reason.NO_REPORT,
            state="verified",
        )
    return run


def refuse_stale(conn: Connection, change: Change, run: Run, in_force: int | None, age: float, max_age: float) -> None:
    """The settings in force and the mailboxes are those of the report, `age` seconds old, `max_age` at most."""
    again = f"verify it again: `mail-preflight again {change.id}`"
    if in_force != change.base_settings_id:
        raise Refused(
            f"the settings of {change.domain} were changed since this change was saved; {again}",
            Reason.SETTINGS_CHANGED,
        )
    minutes = f"{abs(age) / 60:.0f}"
    if age > max_age:
        raise Refused(
            f"the report is {minutes} minutes old and may be out of date; {again}",
            Reason.REPORT_OLD,
            minutes=int(minutes),
        )
    if age < -max_age:  # a clock that was put right by a moment says nothing against the report
        raise Refused(
            f"the report is {minutes} minutes ahead of the clock, so nobody knows its age; {again}",
            Reason.REPORT_AHEAD,
            minutes=int(minutes),
        )
    box, row = schema.mailboxes, schema.run_mailboxes
    untested = (
        sa.select(sa.func.count())
        .select_from(box.outerjoin(row, sa.and_(row.c.mailbox_id == box.c.id, row.c.run_id == run.id)))
        .where(box.c.domain_id == change.domain_id, sa.or_(row.c.run_id.is_(None), runs.changed_since(run.id, box)))
    )
    if count := conn.execute(untested).scalar_one():
        raise Refused(
            f"{count} mailboxes of {change.domain} were added or changed since the report; {again}",
            Reason.MAILBOXES_CHANGED,
            mailboxes=count,
        )


def refuse_other(change: Change, run: Run, checksum: str | None) -> None:
    """The checksum, or its beginning, is that of the report."""
    if checksum is None or checksum == run.checksum:
        return
    if len(checksum) < SHORT:
        raise Refused(f"give at least {SHORT} characters of the checksum", Reason.CHECKSUM_TOO_SHORT, least=SHORT)
    if not (run.checksum or "").startswith(checksum):
        raise Refused(
            "the report is not the one that was reviewed: its checksum is another; "
            f"`mail-preflight report {change.id}` shows it",
            Reason.OTHER_REPORT,
        )


def refuse_incomplete(conn: Connection, change: Change, run: Run, count: int, accepted: int | None) -> None:
    """A report that leaves mailboxes untried, or an endpoint that fails, is no all-clear because nobody is counted."""
    if left := outcomes.left_untried(conn, run.id):
        raise Refused(
            f"the report is incomplete: {left} mailboxes were not tried; "
            f"`mail-preflight resume {change.id}` goes on with them",
            Reason.INCOMPLETE,
            mailboxes=left,
        )
    if accepted is None and endpoints.any_failed(conn, run.id):
        raise Refused(
            "a server of these settings does not work; to put them in force all the same: "
            f"`{_accepting(change, count)}`",
            Reason.SERVER_FAILS,
            accept_disconnects=count,
        )


def disconnects(change: Change, count: int, accepted: int | None) -> str:
    """What somebody is told who has not accepted the very number."""
    said = f", not {accepted}" if accepted is not None else ""
    return f"{count} mailboxes would disconnect{said}; to accept that: `{_accepting(change, count)}`"


def _accepting(change: Change, count: int) -> str:
    return f"mail-preflight apply {change.id} --accept-disconnects {count}"
