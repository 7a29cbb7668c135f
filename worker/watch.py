"""The watch after a change is applied: what was to work is checked again, and a bad change goes back."""

import logging
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from settings_store import audit, changes, runs
from settings_store.audit import SERVICE
from settings_store.lifecycle import ChangeState

if TYPE_CHECKING:
    from worker.flow import Flow

log = logging.getLogger(__name__)

AGAIN_SECONDS = 60.0
WATCH_FAILED = "watch_failed"
_LIMIT = 20  # watches begun in one round: they come again, and the health queue is not to be flooded


def begin_watches(flow: "Flow") -> int:
    """Starts the runs of the watches that are due. Returns how many."""
    now = flow.now()
    begun = []
    with flow.database.begin() as conn:
        for change in changes.due_watches(conn, now, _LIMIT):
            following = now + flow.config.watch_every_minutes * 60
            last = change.watch_until is None or following > change.watch_until
            run_id = changes.begin_watch_run(conn, change, now, None if last else following)
            begun += [run for run in [runs.get(conn, run_id)] if run] if run_id else []
    for run in begun:
        flow.send("start_run", run)
    return len(begun)


def judge_watch(conn: Connection, run_id: str, change_id: str, threshold: float, now: float) -> None:
    """Rolls a change back when more mailboxes fail than its report said, beyond the threshold, or notes that.

    Only what fails for good counts: a server that is restarted is no reason to undo anything, so an endpoint must fail
    in two runs.
    """
    tally, run = runs.tally(conn, run_id), runs.get(conn, run_id)
    change = changes.get(conn, change_id)
    # The run was stopped after like failures: then it is not those few, it is all of them.
    broken_off = run is not None and run.stop_code is not None and tally.fail > 0
    few = tally.fail <= max(1.0, threshold * (tally.ok + tally.fail))
    if change.state is not ChangeState.APPLIED or not changes.is_in_force(conn, change) or (few and not broken_off):
        return
    if runs.endpoint_failed(conn, run_id) and changes.look_again(conn, change_id, run_id, now + AGAIN_SECONDS):
        return
    why = f"{tally.fail} of {tally.total} mailboxes that were to work fail after the change"
    log.warning("change %s: %s", change_id, why)
    if change.roll_back_by_itself:
        changes.roll_back(conn, change_id, now, SERVICE, why)
    else:
        audit.record(
            conn, change_id, SERVICE, WATCH_FAILED, at=now, before=change.state, after=change.state, detail=why
        )
