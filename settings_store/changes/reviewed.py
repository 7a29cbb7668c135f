"""Whether the report of a change is one that can be acted upon: fresh, whole, and the one that was reviewed."""

from sqlalchemy import Connection

from settings_store.changes import staleness
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
    for refused in staleness.reasons(conn, change, run, in_force, age, max_age):
        raise refused


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
