"""A second person's approval: a domain may ask for one before any of its changes is applied.

What is approved is a report: with another one the approval counts no more. Whoever saved the change does not approve
it; where a program did, nobody knows for whom, so whoever approves does not apply it.
"""

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.actors import Actor
from settings_store.changes import changes, reviewed
from settings_store.changes.changes import Change
from settings_store.changes.lifecycle import ChangeState, Event, Reason, Refused, next_state
from settings_store.events import events
from settings_store.events.kinds import DomainApprovalSet
from settings_store.runs.runs import Run

_changes, _domains = schema.changes, schema.domains


def is_needed(conn: Connection, domain_id: int) -> bool:
    """Whether changes of the domain need a second person's approval."""
    return bool(conn.execute(sa.select(_domains.c.needs_approval).where(_domains.c.id == domain_id)).scalar_one())


def set_needed(conn: Connection, domain_id: int, *, needed: bool, now: float, actor: Actor) -> None:
    """From now on they need one, or need none; also those that were saved before."""
    other = _domains.c.id == domain_id, _domains.c.needs_approval.is_not(needed)
    if conn.execute(_domains.update().where(*other).values(needs_approval=needed)).rowcount:
        told = DomainApprovalSet(subject=f"domain:{domain_id}", at=now, domain_id=domain_id, actor=actor, needed=needed)
        events.record(conn, told)


def approve(conn: Connection, change: Change, checksum: str | None, now: float, max_age: float, actor: Actor) -> Change:
    """A second person approves the change's report, which is the one with `checksum`. Raises `Refused`.

    As for applying, the report must not be older than `max_age` seconds, and whole.
    """
    in_force = changes.lock_domain(conn, change.domain_id)
    change = changes.load(conn, change.id)
    next_state(change.state, Event.APPROVE, change.id)
    run = reviewed.finished_run(conn, change)
    reviewed.refuse_stale(conn, change, run, in_force, now - (run.finished_at or 0.0), max_age)
    reviewed.refuse_other(change, run, checksum)
    reviewed.refuse_incomplete(conn, change, run, 0, 0)
    if not is_needed(conn, change.domain_id):
        raise Refused(
            f"changes of {change.domain} need no approval; "
            f"`mail-preflight report {change.id}` says what can be done with it",
            Reason.NO_APPROVAL_NEEDED,
        )
    _refuse_approver(change, actor)
    found = {"checksum": run.checksum or ""}
    changes.move(conn, change.id, Event.APPROVE, now, actor, f"report {run.checksum}", found=found)
    values = {"approved_by": actor.person, "approved_name": actor.name, "approved_at": now}
    conn.execute(_changes.update().where(_changes.c.id == change.id).values(**values, approved_checksum=run.checksum))
    return changes.load(conn, change.id)


def may_approve(change: Change, actor: Actor) -> bool:
    """Whether somebody may, as far as it hangs on who they are."""
    return bool(actor.person) and actor.person != change.saved_by


def _refuse_approver(change: Change, actor: Actor) -> None:
    if not actor.person:
        raise Refused("a change is approved by a person, not by a program: use the key of a user", Reason.NOT_A_PERSON)
    if not may_approve(change, actor):
        raise Refused("whoever saved a change does not approve it: it takes a second person", Reason.SAME_PERSON)


def awaited(conn: Connection, change: Change, run: Run) -> bool:
    """Whether the change cannot be applied before a second person has approved the report of that run."""
    return change.state is ChangeState.VERIFIED and would_await(conn, change, run.checksum)


def would_await(conn: Connection, change: Change, checksum: str | None) -> bool:
    """Whether a report with that checksum is still to be approved before the change can be applied."""
    known = change.approved_checksum
    return is_needed(conn, change.domain_id) and (known is None or known != checksum)


def may_apply(conn: Connection, change: Change, actor: Actor) -> bool:
    """Whether somebody may apply an approved change, as far as it hangs on who they are."""
    approved_it = bool(actor.person) and actor.person == change.approved_by
    return not (change.saved_by is None and approved_it and is_needed(conn, change.domain_id))


def require(conn: Connection, change: Change, run: Run, actor: Actor) -> None:
    """Raises `Refused` where the approval that it takes to apply the change is not there."""
    if awaited(conn, change, run):
        raise Refused(
            f"change {change.id} awaits the approval of a second person; `mail-preflight approve {change.id}` gives it",
            Reason.AWAITS_APPROVAL,
        )
    if not may_apply(conn, change, actor):
        raise Refused(
            "a program saved the change, so whoever approved it does not apply it: it takes a second person",
            Reason.SAME_PERSON,
        )
