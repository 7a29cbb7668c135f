"""A verified change's settings take effect, and go back to those before it.

The settings in force are compared with those that the change was based on, so nobody's work is overwritten unseen.
"""

from collections.abc import Mapping
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import domains, schema
from settings_store.actors import SERVICE, Actor
from settings_store.changes import changes, credentials, staleness, watches
from settings_store.changes.changes import SHORT, Change
from settings_store.changes.lifecycle import ChangeState, Event, Reason, Refused, next_state, way_on
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
    next_state(change.state, Event.APPLY, change.id)
    if run is None or run.counts is None or run.finished_at is None:
        raise Refused(
            f"change {change.id} has no report; `mail-preflight again {change.id}` verifies it",
            Reason.NO_REPORT,
            state="verified",
        )
    _refuse_stale(conn, change, run, in_force, now - run.finished_at, max_age)
    _refuse_other(change, run, checksum)
    count = run.counts["will_disconnect"]
    _refuse_incomplete(conn, change, run, count, accept_disconnects)
    if count != (accept_disconnects or 0):
        raise Refused(
            _disconnects(change, count, accept_disconnects), Reason.WOULD_DISCONNECT, accept_disconnects=count
        )
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
    next_state(change.state, Event.ROLL_BACK, change.id)
    if in_force != change.settings_id:
        raise Refused(
            f"change {change.id} is not in force any more; {_later(conn, change, in_force)}", Reason.NOT_IN_FORCE
        )
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


def _later(conn: Connection, change: Change, in_force: int | None) -> str:
    """What to do before a change can be rolled back that another one has followed."""
    following = _changes.c.domain_id == change.domain_id, _changes.c.settings_id == in_force
    later = conn.execute(sa.select(_changes.c.id).where(*following, _changes.c.state == ChangeState.APPLIED)).scalar()
    if later is None:
        return way_on(change.state, change.id)
    return f"`mail-preflight rollback {later}` takes the later one back first"


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


def ways(conn: Connection, change: Change, now: float, max_age: float) -> list[str]:
    """The commands that would be accepted for a change now, the one that leads on first: `apply {id}`."""
    step = next_step(conn, change, now, max_age)
    if change.state is ChangeState.VERIFYING:
        return ["resume {id}", "cancel {id}", "discard {id}"]
    first = [] if step == "none" else [f"{step} {{id}}{_accepted(conn, change) if step == 'apply' else ''}"]
    if change.state is ChangeState.DRAFT:
        return [*first, "discard {id}"]
    if change.state is ChangeState.VERIFIED:
        return [*first, "report {id}", *(["again {id}"] if step != "again" else []), "discard {id}"]
    return [*first, "history {id}"]


def _accepted(conn: Connection, change: Change) -> str:
    run = runs.of_change(conn, change.id)
    count = run.counts["will_disconnect"] if run and run.counts else 0
    needed = run is not None and (count or endpoints.any_failed(conn, run.id))
    return f" --accept-disconnects {count}" if needed else ""


def is_in_force(conn: Connection, change: Change) -> bool:
    """Whether the change's settings are those in force."""
    return changes.lock_domain(conn, change.domain_id) == change.settings_id


def _put_in_force(conn: Connection, domain_id: int, settings_id: int | None) -> None:
    conn.execute(_domains.update().where(_domains.c.id == domain_id).values(settings_id=settings_id))


def _refuse_stale(conn: Connection, change: Change, run: Run, in_force: int | None, age: float, max_age: float) -> None:
    for refused in staleness.reasons(conn, change, run, in_force, age, max_age):
        raise refused


def _refuse_other(change: Change, run: Run, checksum: str | None) -> None:
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


def _refuse_incomplete(conn: Connection, change: Change, run: Run, count: int, accepted: int | None) -> None:
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


def _disconnects(change: Change, count: int, accepted: int | None) -> str:
    said = f", not {accepted}" if accepted is not None else ""
    return f"{count} mailboxes would disconnect{said}; to accept that: `{_accepting(change, count)}`"


def _accepting(change: Change, count: int) -> str:
    return f"mail-preflight apply {change.id} --accept-disconnects {count}"
