"""Changes: proposed settings, from the save to the moment they take effect, and back.

A change and its run are written in one transaction. Applying compares the settings in force with those that the change
was based on, so nobody's work is overwritten unseen. Every step is a transition of `lifecycle` and a line of `audit`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid, MailboxState, Verdict
from checks.settings import Settings
from settings_store import audit, domains, runs, schema
from settings_store.audit import SERVICE, Actor
from settings_store.lifecycle import UNAPPLIED, ChangeState, Event, Refused, next_state

_changes, _domains = schema.changes, schema.domains


@dataclass(frozen=True, slots=True)
class Change:
    """`base_settings_id` is what was in force when the change was saved, None where nothing was.

    `watch_until` is set while the mailboxes are watched after applying (UTC seconds since 1970).
    """

    id: str
    domain_id: int
    domain: str
    settings_id: int
    base_settings_id: int | None
    state: ChangeState
    watch_until: float | None
    roll_back_by_itself: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """The ids of a change and of its run, and of the unapplied change that it replaces, with who had saved that."""

    change_id: str
    run_id: str
    superseded: str | None = None
    superseded_by: Actor | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What is to happen after applying: how long the mailboxes are watched (seconds; 0: not at all)."""

    seconds: float = 0.0
    roll_back_by_itself: bool = False


def save(conn: Connection, domain_id: int, settings: Settings, now: float, actor: Actor = SERVICE) -> Saved:
    """A change and its queued run. An older unapplied change of the domain is superseded and its run cancelled."""
    base = _lock_domain(conn, domain_id)
    older = _supersede(conn, domain_id, now, actor)
    change_id = uuid.uuid4().hex
    settings_id = domains.save_settings(conn, domain_id, settings, now)
    values = {"domain_id": domain_id, "settings_id": settings_id, "base_settings_id": base, "created_at": now}
    conn.execute(_changes.insert().values(id=change_id, state=ChangeState.DRAFT.value, **values))
    state = next_state(None, Event.SAVE)
    audit.record(conn, change_id, actor, Event.SAVE, at=now, after=state)
    run_id = verify(conn, get(conn, change_id), now, actor)
    return Saved(change_id, run_id, *older)


def verify(conn: Connection, change: Change, now: float, actor: Actor = SERVICE) -> str:
    """A new queued run of a change. Raises `Refused`."""
    base = _lock_domain(conn, change.domain_id)
    change = _move(conn, change.id, Event.VERIFY, now, actor)
    conn.execute(_changes.update().where(_changes.c.id == change.id).values(base_settings_id=base))
    run_id = uuid.uuid4().hex
    runs.create(
        conn,
        run_id,
        domain_id=change.domain_id,
        change_id=change.id,
        settings_id=change.settings_id,
        baseline_settings_id=base,
        kind="preflight",
        now=now,
    )
    return run_id


def discard(conn: Connection, change_id: str, now: float, actor: Actor = SERVICE) -> Change:
    """Gives an unapplied change up; its run ends. Raises `Refused`."""
    _cancel_runs(conn, [change_id], now)
    return _move(conn, change_id, Event.DISCARD, now, actor)


def cancel(conn: Connection, change_id: str, now: float, actor: Actor = SERVICE) -> Change:
    """Ends a verification under way; the change is a draft again. Raises `Refused`."""
    _cancel_runs(conn, [change_id], now)  # before the change, as whoever reports it does
    return _move(conn, change_id, Event.CANCEL, now, actor)


def reopen(conn: Connection, change_id: str, now: float, actor: Actor = SERVICE) -> Change:
    """Takes a superseded or discarded change up again as a draft; the unapplied one of its domain is superseded."""
    change = get(conn, change_id)
    _lock_domain(conn, change.domain_id)
    next_state(change.state, Event.REOPEN)
    _supersede(conn, change.domain_id, now, actor)
    return _move(conn, change_id, Event.REOPEN, now, actor)


def _move(conn: Connection, change_id: str, event: Event, now: float, actor: Actor, detail: str = "") -> Change:
    """One transition, by compare-and-swap, and its line in the log. Raises `Refused`."""
    change = get(conn, change_id)
    state = next_state(change.state, event)
    moved = conn.execute(
        _changes.update()
        .where(_changes.c.id == change_id, _changes.c.state == change.state.value)
        .values(state=state.value)
    )
    if moved.rowcount != 1:
        raise Refused(f"change {change_id} was changed by somebody else just now; look at it again")
    audit.record(conn, change_id, actor, event, at=now, before=change.state, after=state, detail=detail)
    return get(conn, change_id)


def _lock_domain(conn: Connection, domain_id: int) -> int | None:
    """The settings in force; the domain's row stays locked, so that changes of one domain follow each other."""
    query = sa.select(_domains.c.settings_id).where(_domains.c.id == domain_id).with_for_update()
    settings_id: int | None = conn.execute(query).scalar_one()
    return settings_id


def _supersede(conn: Connection, domain_id: int, now: float, actor: Actor) -> tuple[str | None, Actor | None]:
    """Supersedes the domain's unapplied change. Returns its id and who saved it."""
    open_ones = (_changes.c.domain_id == domain_id, _changes.c.state.in_([state.value for state in UNAPPLIED]))
    older = conn.execute(sa.select(_changes.c.id).where(*open_ones).order_by(_changes.c.created_at)).scalars().all()
    _cancel_runs(conn, older, now)
    for change_id in older:
        _move(conn, change_id, Event.SUPERSEDE, now, actor)
    if not older:
        return None, None
    first = next(audit.of_change(conn, older[-1]), None)
    return older[-1], first.actor if first else None


def _cancel_runs(conn: Connection, change_ids: Sequence[str], now: float) -> None:
    conn.execute(
        schema.runs.update()
        .where(schema.runs.c.change_id.in_(change_ids), schema.runs.c.stage.not_in(runs.ENDED))
        .values(stage="cancelled", finished_at=now)
    )


def get(conn: Connection, change_id: str) -> Change:
    """The change. Raises `Invalid` when it is not known."""
    query = (
        sa.select(_changes, _domains.c.name.label("domain"))
        .join(_domains, _domains.c.id == _changes.c.domain_id)
        .where(_changes.c.id == change_id)
    )
    row = conn.execute(query).one_or_none()
    if row is None:
        raise Invalid(f"there is no change {change_id!r}; `mail-preflight verify` prints the id of each", "change_id")
    return Change(
        id=row.id,
        domain_id=row.domain_id,
        domain=row.domain,
        settings_id=row.settings_id,
        base_settings_id=row.base_settings_id,
        state=ChangeState(row.state),
        watch_until=row.watch_until,
        roll_back_by_itself=row.roll_back_by_itself,
    )


def mark_verified(conn: Connection, change_id: str, now: float) -> None:
    """The change's run has finished. Nothing happens to a change that is not being verified any more."""
    if get(conn, change_id).state is ChangeState.VERIFYING:
        _move(conn, change_id, Event.FINISH, now, SERVICE)


def apply(
    conn: Connection,
    change: Change,
    accept_disconnects: int | None,
    now: float,
    max_age: float,
    *,
    checksum: str | None = None,
    actor: Actor = SERVICE,
    watch: Watch = Watch(),
) -> int:
    """Puts a change's settings in force and returns how many mailboxes its report said would disconnect.

    The whole of it happens in the caller's transaction or not at all. Raises `Refused` when the change is not verified,
    its report is older than `max_age` seconds or not the one with `checksum`, the settings in force or the mailboxes
    changed meanwhile, or mailboxes would disconnect and `accept_disconnects` is not that very number.
    """
    in_force = _lock_domain(conn, change.domain_id)
    change = get(conn, change.id)
    run = runs.of_change(conn, change.id)
    if change.state is not ChangeState.VERIFIED or run is None or run.counts is None or run.finished_at is None:
        raise Refused(f"change {change.id} is {change.state}; only a verified change can be applied")
    _refuse_stale(conn, change, run, in_force, now - run.finished_at, max_age)
    if checksum is not None and checksum != run.checksum:
        raise Refused("the report is not the one that was reviewed: its checksum is another; look at it again")
    _refuse_incomplete(conn, run, accept_disconnects)
    count = run.counts["will_disconnect"]
    if count != (accept_disconnects or 0):
        raise Refused(_disconnects(count, accept_disconnects))
    _move(conn, change.id, Event.APPLY, now, actor, f"{count} disconnects accepted, report {run.checksum}")
    _put_in_force(conn, change.domain_id, change.settings_id)
    _end_watches(conn, change.domain_id)
    watched = {"watch_until": now + watch.seconds, "watch_next": now} if watch.seconds > 0 else {}
    values = {"applied_at": now, "roll_back_by_itself": watch.roll_back_by_itself, **watched}
    conn.execute(_changes.update().where(_changes.c.id == change.id).values(values))
    domains.lock_mailboxes(conn, change.domain_id)
    _take_over_states(conn, run.id, now)
    return count


def roll_back(conn: Connection, change_id: str, now: float, actor: Actor = SERVICE, why: str = "") -> Change:
    """Puts the exact version in force again that was before the change. Raises `Refused`.

    Refused when the change is not the one in force: a later one would be undone with it.
    """
    change = get(conn, change_id)
    in_force = _lock_domain(conn, change.domain_id)
    next_state(change.state, Event.ROLL_BACK)
    if in_force != change.settings_id:
        raise Refused(f"change {change_id} is not in force any more; roll back the later change first")
    _put_in_force(conn, change.domain_id, change.base_settings_id)
    _end_watches(conn, change.domain_id)
    run = runs.of_change(conn, change_id)
    if run is not None:
        domains.lock_mailboxes(conn, change.domain_id)
        _restore_states(conn, run, now)
    return _move(conn, change_id, Event.ROLL_BACK, now, actor, why)


def is_in_force(conn: Connection, change: Change) -> bool:
    """Whether the change's settings are those in force."""
    return _lock_domain(conn, change.domain_id) == change.settings_id


def _end_watches(conn: Connection, domain_id: int) -> None:
    """What was applied before is not in force any more, so there is nothing to watch and nothing to roll back."""
    ended = {"watch_until": None, "watch_next": None}
    watched = _changes.c.domain_id == domain_id, _changes.c.watch_until.is_not(None)
    conn.execute(_changes.update().where(*watched).values(ended))


def _put_in_force(conn: Connection, domain_id: int, settings_id: int | None) -> None:
    conn.execute(_domains.update().where(_domains.c.id == domain_id).values(settings_id=settings_id))


def _refuse_stale(
    conn: Connection, change: Change, run: runs.Run, in_force: int | None, age: float, max_age: float
) -> None:
    again = "verify it again"
    if in_force != change.base_settings_id:
        raise Refused(f"the settings of {change.domain} were changed since this change was saved; {again}")
    if not 0 <= age <= max_age:
        raise Refused(f"the report is {age / 60:.0f} minutes old and may be out of date; {again}")
    box, row = schema.mailboxes, schema.run_mailboxes
    began = sa.select(schema.runs.c.created_at).where(schema.runs.c.id == run.id).scalar_subquery()
    untested = (
        sa.select(sa.func.count())
        .select_from(box.outerjoin(row, sa.and_(row.c.mailbox_id == box.c.id, row.c.run_id == run.id)))
        .where(box.c.domain_id == change.domain_id, sa.or_(row.c.run_id.is_(None), box.c.changed_at > began))
    )
    if count := conn.execute(untested).scalar_one():
        raise Refused(f"{count} mailboxes of {change.domain} were added or changed since the report; {again}")


def _refuse_incomplete(conn: Connection, run: runs.Run, accept_disconnects: int | None) -> None:
    """A report that leaves mailboxes untried, or an endpoint that fails, is no all-clear because nobody is counted."""
    if left := runs.left_untried(conn, run.id):
        raise Refused(
            f"the report is incomplete: {left} mailboxes were not tried; "
            f"`mail-preflight resume {run.change_id}` goes on with them"
        )
    if accept_disconnects is None and runs.endpoint_failed(conn, run.id):
        raise Refused(
            "a server of these settings does not work; to put them in force all the same, give the number of "
            "mailboxes that would disconnect with --accept-disconnects"
        )


def _disconnects(count: int, accepted: int | None) -> str:
    said = f", not {accepted}" if accepted is not None else ""
    return f"{count} mailboxes would disconnect{said}; to accept that, give --accept-disconnects {count}"


def _take_over_states(conn: Connection, run_id: str, now: float) -> None:
    """What the run found out is now the mailboxes' last known state."""
    row = schema.run_mailboxes
    state = sa.case(
        (row.c.verdict == Verdict.OK.value, MailboxState.CONNECTED.value),
        (row.c.verdict == Verdict.FAIL.value, MailboxState.DISCONNECTED.value),
        else_=MailboxState.UNKNOWN.value,
    )
    _set_states(conn, run_id, state, row.c.code, now)


def _restore_states(conn: Connection, run: runs.Run, now: float) -> None:
    """What was known under the earlier settings counts again; without any, nobody can be said to be connected."""
    row = schema.run_mailboxes
    unknown = MailboxState.UNKNOWN.value
    before_none = sa.case((row.c.before == MailboxState.CONNECTED.value, unknown), else_=row.c.before)
    state: sa.ColumnElement[str] = sa.case(
        (row.c.baseline_verdict == Verdict.OK.value, MailboxState.CONNECTED.value),
        (row.c.baseline_verdict == Verdict.FAIL.value, MailboxState.DISCONNECTED.value),
        else_=row.c.before if run.baseline_settings_id else before_none,
    )
    _set_states(conn, run.id, state, row.c.baseline_code, now)


def _set_states(
    conn: Connection, run_id: str, state: sa.ColumnElement[str], code: sa.ColumnElement[str], now: float
) -> None:
    box, row = schema.mailboxes, schema.run_mailboxes
    began = sa.select(schema.runs.c.created_at).where(schema.runs.c.id == run_id).scalar_subquery()
    unchanged = sa.or_(box.c.changed_at.is_(None), box.c.changed_at <= began)  # nothing is known of another credential
    conn.execute(
        box.update()
        .where(row.c.mailbox_id == box.c.id, row.c.run_id == run_id, unchanged)
        .values(state=state, state_code=code, state_since=now)
    )


def resume(
    conn: Connection, change_id: str, canaries: int, now: float, max_age: float, actor: Actor = SERVICE
) -> runs.Run:
    """Opens the change's run again for the mailboxes it has left untried. Raises `Invalid` where there are none.

    Raises `Refused` when the run ended more than `max_age` seconds ago: what it found out then is out of date.
    """
    run = runs.of_change(conn, change_id)
    if run is not None and run.finished_at is not None and now - run.finished_at > max_age:
        raise Refused("the report is out of date; verify the change again instead of going on with it")
    if run is None or not runs.resume(conn, run.id, canaries, now):
        raise Invalid(f"change {change_id} has no mailbox left untried; `mail-preflight report` shows what is known")
    _move(conn, change_id, Event.VERIFY, now, actor, "resumed")
    resumed = runs.get(conn, run.id)
    return resumed or run


# -- the watch after applying


def due_watches(conn: Connection, now: float, limit: int) -> list[Change]:
    """Applied changes whose mailboxes are to be checked again now."""
    due = sa.select(_changes.c.id).where(_changes.c.state == ChangeState.APPLIED.value, _changes.c.watch_next <= now)
    return [get(conn, change_id) for change_id in conn.execute(due.limit(limit)).scalars().all()]


def begin_watch_run(conn: Connection, change: Change, now: float, next_at: float | None) -> str | None:
    """A queued run over the mailboxes that were to work, and when the next one is due (None: this was the last).

    Returns None, and nothing is done, where the last such run goes on still.
    """
    table = schema.runs
    going = table.c.change_id == change.id, table.c.kind == "health", table.c.stage.not_in(runs.ENDED)
    if conn.execute(sa.select(table.c.id).where(*going)).first():
        return None
    conn.execute(_changes.update().where(_changes.c.id == change.id).values(watch_next=next_at))
    run_id = uuid.uuid4().hex
    runs.create(
        conn,
        run_id,
        domain_id=change.domain_id,
        change_id=change.id,
        settings_id=change.settings_id,
        baseline_settings_id=None,
        kind="health",
        now=now,
    )
    return run_id


def look_again(conn: Connection, change_id: str, run_id: str, at: float) -> bool:
    """Puts the next watch run forward, unless the one before `run_id` had a failing endpoint too. Whether it did so."""
    table = schema.runs
    mine = table.c.change_id == change_id, table.c.kind == "health", table.c.stage == "finished", table.c.id != run_id
    before = conn.execute(sa.select(table.c.id).where(*mine).order_by(table.c.created_at.desc()).limit(1)).scalar()
    if before is not None and runs.endpoint_failed(conn, before):
        return False
    conn.execute(_changes.update().where(_changes.c.id == change_id).values(watch_next=at))
    return True
