"""A verified change's settings take effect, and go back to those before it.

The settings in force are compared with those that the change was based on, so nobody's work is overwritten unseen.
"""

from collections.abc import Mapping
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import domains, schema
from settings_store.actors import SERVICE, Actor
from settings_store.changes import changes, credentials, watches
from settings_store.changes.changes import SHORT, Change
from settings_store.changes.lifecycle import ChangeState, Event, Refused, next_state
from settings_store.changes.watches import UNWATCHED, Watch
from settings_store.mailboxes import rejections, states
from settings_store.runs import endpoints, outcomes, runs
from settings_store.runs.runs import Run

Step = Literal["apply", "resume", "again", "rollback", "reopen", "none"]
"""The command that leads on from a report."""
_STEPS: Mapping[ChangeState, Step] = {
    ChangeState.DRAFT: "again",
    ChangeState.DISCARDED: "reopen",
    ChangeState.SUPERSEDED: "reopen",
}

_changes, _domains = schema.changes, schema.domains


def apply(
    conn: Connection,
    change: Change,
    accept_disconnects: int | None,
    now: float,
    max_age: float,
    *,
    checksum: str | None = None,
    actor: Actor = SERVICE,
    watch: Watch = UNWATCHED,
) -> int:
    """Puts a change's settings in force and returns how many mailboxes its report said would disconnect.

    The whole of it happens in the caller's transaction or not at all. Raises `Refused` when the change is not verified,
    its report is older than `max_age` seconds or not the one with `checksum`, the settings in force or the mailboxes
    changed meanwhile, or mailboxes would disconnect and `accept_disconnects` is not that very number.
    """
    in_force = changes.lock_domain(conn, change.domain_id)
    change = changes.load(conn, change.id)
    run = runs.of_change(conn, change.id)
    if change.state is not ChangeState.VERIFIED or run is None or run.counts is None or run.finished_at is None:
        raise Refused(f"change {change.id} is {change.state}; only a verified change can be applied")
    _refuse_stale(conn, change, run, in_force, now - run.finished_at, max_age)
    _refuse_other(run, checksum)
    _refuse_incomplete(conn, run, accept_disconnects)
    count = run.counts["will_disconnect"]
    if count != (accept_disconnects or 0):
        raise Refused(_disconnects(count, accept_disconnects))
    changes.move(conn, change.id, Event.APPLY, now, actor, f"{count} disconnects accepted, report {run.checksum}")
    _put_in_force(conn, change.domain_id, change.settings_id)
    watches.end(conn, change.domain_id)
    watched = {"watch_until": now + watch.seconds, "watch_next": now} if watch.seconds > 0 else {}
    values = {"applied_at": now, "roll_back_by_itself": watch.roll_back_by_itself, **watched}
    conn.execute(_changes.update().where(_changes.c.id == change.id).values(values))
    domains.lock_mailboxes(conn, change.domain_id, change_id=change.id)
    credentials.lock(conn, change.id)
    rejections.lock_domain(conn, change.domain_id, change.id)
    _forget_rejections(conn, change)
    credentials.join_domain(conn, change.id, change.domain_id)
    states.take_over(conn, run, now, actor)
    credentials.take_over(conn, change.id, now)
    return count


def _forget_rejections(conn: Connection, change: Change) -> None:
    """Servers that are connected to in another way now: what they rejected before may be accepted."""
    if change.base_settings_id is None:
        return
    before = domains.load_settings(conn, change.base_settings_id)
    after = domains.load_settings(conn, change.settings_id)
    trust = before.allow_insecure_certificate != after.allow_insecure_certificate or before.ca_pem != after.ca_pem
    known = {(each.host, each.port): each for each in before.endpoints}
    changed = {
        f"{each.host}:{each.port}"
        for each in after.endpoints
        if (each.host, each.port) in known and (trust or known[each.host, each.port] != each)
    }
    if changed:
        rejections.forget_server(conn, change.domain_id, sorted(changed))


def roll_back(conn: Connection, change: Change, now: float, actor: Actor = SERVICE, why: str = "") -> Change:
    """Puts the exact version in force again that was before the change, with the credentials of then. Raises `Refused`.

    Refused when the change is not the one in force: a later one would be undone with it.
    """
    in_force = changes.lock_domain(conn, change.domain_id)
    next_state(change.state, Event.ROLL_BACK)
    if in_force != change.settings_id:
        raise Refused(f"change {change.id} is not in force any more; roll back the later change first")
    _put_in_force(conn, change.domain_id, change.base_settings_id)
    watches.end(conn, change.domain_id)
    run = runs.of_change(conn, change.id)
    domains.lock_mailboxes(conn, change.domain_id, change_id=change.id)
    credentials.lock(conn, change.id)
    rejections.lock_domain(conn, change.domain_id, change.id)
    credentials.give_back(conn, change.id, change.domain_id)
    if run is not None:
        states.restore(conn, run, now, actor)
    credentials.forget_replaced(conn, change.id, now)
    return changes.move(conn, change.id, Event.ROLL_BACK, now, actor, why)


def next_step(conn: Connection, change: Change, now: float, max_age: float) -> Step:
    """What can be done with a change that has a report, "none" where nothing can. Takes no lock."""
    domain = sa.select(_domains.c.settings_id).where(_domains.c.id == change.domain_id)
    in_force: int | None = conn.execute(domain).scalar_one()
    if change.state is ChangeState.APPLIED:
        return "rollback" if in_force == change.settings_id else "none"
    if change.state is not ChangeState.VERIFIED:
        return _STEPS.get(change.state, "none")
    run = runs.of_change(conn, change.id)
    if run is None or run.finished_at is None:
        return "again"
    try:
        _refuse_stale(conn, change, run, in_force, now - run.finished_at, max_age)
    except Refused:
        return "again"
    return "resume" if outcomes.left_untried(conn, run.id) else "apply"


def is_in_force(conn: Connection, change: Change) -> bool:
    """Whether the change's settings are those in force."""
    return changes.lock_domain(conn, change.domain_id) == change.settings_id


def _put_in_force(conn: Connection, domain_id: int, settings_id: int | None) -> None:
    conn.execute(_domains.update().where(_domains.c.id == domain_id).values(settings_id=settings_id))


def _refuse_stale(conn: Connection, change: Change, run: Run, in_force: int | None, age: float, max_age: float) -> None:
    again = "verify it again"
    if in_force != change.base_settings_id:
        raise Refused(f"the settings of {change.domain} were changed since this change was saved; {again}")
    if age > max_age:
        raise Refused(f"the report is {age / 60:.0f} minutes old and may be out of date; {again}")
    if age < -max_age:  # a clock that was put right by a moment says nothing against the report
        raise Refused(f"the report is {-age / 60:.0f} minutes ahead of the clock, so nobody knows its age; {again}")
    box, row = schema.mailboxes, schema.run_mailboxes
    untested = (
        sa.select(sa.func.count())
        .select_from(box.outerjoin(row, sa.and_(row.c.mailbox_id == box.c.id, row.c.run_id == run.id)))
        .where(box.c.domain_id == change.domain_id, sa.or_(row.c.run_id.is_(None), runs.changed_since(run.id, box)))
    )
    if count := conn.execute(untested).scalar_one():
        raise Refused(f"{count} mailboxes of {change.domain} were added or changed since the report; {again}")


def _refuse_other(run: Run, checksum: str | None) -> None:
    """The checksum, or its beginning, is that of the report."""
    if checksum is None or checksum == run.checksum:
        return
    if len(checksum) < SHORT:
        raise Refused(f"give at least {SHORT} characters of the checksum")
    if not (run.checksum or "").startswith(checksum):
        raise Refused("the report is not the one that was reviewed: its checksum is another; look at it again")


def _refuse_incomplete(conn: Connection, run: Run, accept_disconnects: int | None) -> None:
    """A report that leaves mailboxes untried, or an endpoint that fails, is no all-clear because nobody is counted."""
    if left := outcomes.left_untried(conn, run.id):
        raise Refused(
            f"the report is incomplete: {left} mailboxes were not tried; "
            f"`mail-preflight resume {run.change_id}` goes on with them"
        )
    if accept_disconnects is None and endpoints.any_failed(conn, run.id):
        raise Refused(
            "a server of these settings does not work; to put them in force all the same, give the number of "
            "mailboxes that would disconnect with --accept-disconnects"
        )


def _disconnects(count: int, accepted: int | None) -> str:
    said = f", not {accepted}" if accepted is not None else ""
    return f"{count} mailboxes would disconnect{said}; to accept that, give --accept-disconnects {count}"
