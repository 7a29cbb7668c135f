"""What follows from a run whose last mailbox is done: its report, and what it means for the change or the states."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from settings_store.changes import approval, changes
from settings_store.runs import outcomes, runs
from settings_store.runs.runs import CANDIDATE, Run
from worker.changes.impact import safety_of
from worker.changes.report import summarise
from worker.resources import Resources
from worker.runs.endpoints import endpoint_results


def finish(resources: Resources, run: Run) -> None:
    """Writes the run's counts and checksum and acts on them, in one transaction. Nothing where that was done before."""
    endpoints = endpoint_results(resources, run.id, CANDIDATE)
    with resources.database.begin() as conn:
        runs.lock(conn, run.id)  # nothing comes in between counting and closing
        outcomes.recount_untried(conn, run.id)
        counts, checksum = summarise(outcomes.rows(conn, run.id), endpoints)
        if not runs.finish(conn, run.id, counts, checksum, resources.now()):
            return
        verdict = safety_of(counts, [result.verdict for result in endpoints])
        _conclude(resources, conn, run, {"verdict": verdict, "counts": counts, "checksum": checksum})
    if run.is_slice:
        from worker.health.mailbox_slices import begin_slices

        begin_slices(resources)  # this one made room


def _conclude(resources: Resources, conn: Connection, run: Run, found: Mapping[str, Any]) -> None:
    # What is only of health is imported where it is: a command that verifies needs none of it, and its user waits.
    if run.change_id is None:
        from worker.health.mailbox_slices import end_slice

        end_slice(resources, conn, run)
    elif run.kind == "preflight":
        awaits = approval.would_await(conn, changes.load(conn, run.change_id), found["checksum"])
        changes.mark_verified(conn, run.change_id, resources.now(), {**found, "awaits_approval": awaits})
    else:
        from worker.changes.watch import judge_watch

        judge_watch(resources, conn, run, run.change_id)
