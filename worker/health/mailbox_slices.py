"""Slices of mailboxes: when one is due its run is queued, and flows on as every run does."""

from sqlalchemy import Connection

from settings_store.health import slices
from settings_store.health.slices import Pace
from settings_store.runs import outcomes, runs
from settings_store.runs.runs import Run
from worker.config import Config
from worker.metrics import counters
from worker.resources import Resources

AT_ONCE = 4
"""Slices that one health worker has room for. Each keeps a slot of it busy; the rest is for all else on its queue."""


def pace_of(config: Config) -> Pace:
    """How mailboxes come up."""
    hours, minutes = config.health_mailbox_hours, config.health_slice_minutes
    return Pace(hours * 3600, minutes * 60, config.health_slices, config.health_fails)


def begin_slices(resources: Resources) -> int:
    """Begins the slices that are due, as far as there is room. Returns how many."""
    with resources.database.begin() as conn:
        begun = slices.begin_slices(conn, resources.now(), pace_of(resources.config))
    for run in begun:
        resources.send("start_run", run)
    return len(begun)


def end_slice(resources: Resources, conn: Connection, run: Run) -> None:
    """Mailbox states follow what a finished run has found out."""
    # As it is now: lanes may have noted since why mailboxes were left untried.
    newest = runs.load(conn, run.id) or run
    slices.take_over_states(conn, newest, resources.now(), pace_of(resources.config))
    for row in outcomes.rows(conn, run.id):
        if row.verdict and row.protocol and row.code:
            counters.mailbox_tried(row.protocol, row.verdict, row.code)
