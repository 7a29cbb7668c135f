"""The watch after a change is applied: what was to work is checked again, and a bad change goes back.

Either way the admins hear of it, as of any other incident.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from checks.codes import Code, Verdict
from settings_store import domains
from settings_store.actors import SERVICE
from settings_store.alerts import outbox
from settings_store.changes import applying, changes, watches
from settings_store.changes.changes import Change
from settings_store.changes.lifecycle import ChangeState
from settings_store.events.kinds import ChangeWatchFailed
from settings_store.health import slices
from settings_store.incidents import incidents, overview
from settings_store.incidents.incidents import Opening, Scope, Severity
from settings_store.incidents.last_failures import last_failure
from settings_store.runs import endpoints, outcomes, runs
from settings_store.runs.runs import Run
from worker.health.mailbox_slices import pace_of
from worker.incidents import evidence
from worker.incidents.mailbox_causes import FEWEST, subject_of
from worker.resources import Resources

log = logging.getLogger(__name__)

AGAIN_SECONDS = 60.0
_LIMIT = 20  # watches begun in one round: they come again, and the health queue is not to be flooded


def begin_watches(resources: Resources) -> int:
    """Starts the runs of the watches that are due. Returns how many."""
    now = resources.now()
    begun = []
    with resources.database.begin() as conn:
        for change in watches.due(conn, now, _LIMIT):
            following = now + resources.config.watch_every_minutes * 60
            last = change.watch_until is None or following > change.watch_until
            run_id = watches.begin_run(conn, change, now, None if last else following)
            begun += [run for run in [runs.load(conn, run_id)] if run] if run_id else []
    for run in begun:
        resources.send("start_run", run)
    return len(begun)


def judge_watch(resources: Resources, conn: Connection, run: Run, change_id: str) -> None:
    """Rolls a change back when more mailboxes fail than its report said, beyond the threshold, or notes that.

    Only what fails for good counts: a server that is restarted is no reason to undo anything, so an endpoint must fail
    in two runs. Nothing is concluded while everything fails, for then it is us. The mailboxes' states follow.
    """
    now, pace = resources.now(), pace_of(resources.config)
    change, run = changes.load(conn, change_id), runs.load(conn, run.id) or run
    in_force = change.state is ChangeState.APPLIED and applying.is_in_force(conn, change)
    if not in_force or overview.service_in_trouble(conn):
        return
    failure = _failure(conn, run)
    if not failure.excessive(resources.config.watch_threshold):
        slices.take_over_states(conn, run, now, pace)
        return
    again = now + AGAIN_SECONDS
    if failure.of_endpoint and watches.look_again(conn, change_id, run.id, again):
        return
    log.warning("change %s: %s", change_id, failure)
    if change.roll_back_by_itself:
        applying.roll_back(conn, change, now, SERVICE, str(failure))
    else:
        # So many at once need no second look.
        slices.take_over_states(conn, run, now, replace(pace, fails=1))
        changes.note(conn, change, ChangeWatchFailed, now, detail=str(failure))
    _alert(resources, conn, change, failure)


@dataclass(frozen=True, slots=True)
class _Failure:
    """What fails after a change: how many mailboxes with each code."""

    failing: int
    conclusive: int
    total: int
    codes: Mapping[Code, int]
    broken_off: bool
    of_endpoint: bool

    def __str__(self) -> str:
        return f"{self.failing} of {self.total} mailboxes that were to work fail after the change"

    def excessive(self, threshold: float) -> bool:
        """Whether more fail than may. A run that was stopped after like failures: then it is all of them."""
        return self.failing > max(1.0, threshold * self.conclusive) or (self.broken_off and self.failing > 0)

    @property
    def most(self) -> tuple[Code, int]:
        return max(self.codes.items(), key=lambda item: item[1])


def _failure(conn: Connection, run: Run) -> _Failure:
    tally = outcomes.tally(conn, run.id)
    rows = outcomes.rows(conn, run.id) if tally.fail or tally.inconclusive else ()
    # A server that rejects all of them alike says nothing of their passwords, but after the change they do not get in.
    codes = Counter(
        Code(row.code)
        for row in rows
        if row.code and (row.verdict is Verdict.FAIL or row.code in outcomes.ALL_REJECTED)
    )
    conclusive, broken_off = tally.ok + codes.total(), run.stop_code is not None
    of_endpoint = endpoints.any_failed(conn, run.id)
    return _Failure(codes.total(), conclusive, tally.total, codes, broken_off, of_endpoint)


def _alert(resources: Resources, conn: Connection, change: Change, failure: _Failure) -> None:
    """Opens an incident, where no health check would.

    An endpoint that fails in force makes one of its own, and so does each of a few mailboxes.
    """
    code, count = failure.most
    if not change.roll_back_by_itself and (failure.of_endpoint or count < FEWEST):
        return
    last = last_failure(conn, change.domain_id, code)
    opening = Opening(
        Scope.MAILBOXES,
        subject_of(change.domain_id, code),
        domains.account_of(conn, change.domain_id),
        Severity.CRITICAL,
        code,
        resources.now(),
        {**(last.facts if last else {}), **_of_change(change, failure)},
        last.seen if last else "",
        frozenset({change.domain_id}),
        mailboxes=failure.failing,
    )
    every = evidence.pace_of(resources.config).reminder(opening.scope, opening.severity)
    remind_at = None if every is None else resources.now() + every
    incident_id = incidents.open_one(conn, opening, resources.now(), remind_at)
    if incident_id is not None:
        outbox.announce(conn, incident_id, "opened", 0, resources.now())


def _of_change(change: Change, failure: _Failure) -> Mapping[str, str]:
    """The facts that tell of a change, and whether it was rolled back for that, with how many fail of how many."""
    counts = {"failing": str(failure.failing), "total": str(failure.total)}
    return {"change": change.id, "undone": "yes" if change.roll_back_by_itself else "", **counts}
