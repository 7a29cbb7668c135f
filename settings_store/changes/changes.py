"""Changes: proposed settings, from the save until they are verified or given up.

A change and its run are written in one transaction. Every step is a transition of `lifecycle` and an event.
An id that comes from outside becomes a `Change` by `get`, which asks for the account; `load` is for ids of our own.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid, Unknown
from checks.settings import Settings
from settings_store import audit, domains, schema
from settings_store.actors import SERVICE, Actor
from settings_store.changes import credentials
from settings_store.changes.lifecycle import UNAPPLIED, ChangeState, Event, Reason, Refused, next_state, refusal
from settings_store.events import events
from settings_store.events.kinds import STEPS, ChangeEvent, ChangeResumed, RunCancelled
from settings_store.mailboxes.mailboxes import ImportCounts
from settings_store.runs import planning, runs

SHORT = 8
"""So many characters of an id or a checksum are shown in commands."""
_PREFIX = re.compile(r"[0-9a-f]{4,31}\Z")  # of an id; a whole one has 32

_NOTHING: Mapping[str, Any] = MappingProxyType({})

_changes, _domains = schema.changes, schema.domains


@dataclass(frozen=True, slots=True)
class Change:
    """`base_settings_id` is what was in force when the change was saved, None where nothing was.

    `watch_until` is set while the mailboxes are watched after applying. Times are UTC seconds since 1970. `saved_by`
    and `approved_by` are persons (`Actor.person`), None for a program and where nobody has approved it.
    """

    id: str
    domain_id: int
    domain: str
    settings_id: int
    base_settings_id: int | None
    state: ChangeState
    watch_until: float | None
    roll_back_by_itself: bool
    created_at: float = 0.0
    applied_at: float | None = None
    saved_by: str | None = None
    approved_by: str | None = None
    approved_name: str | None = None
    approved_at: float | None = None
    approved_checksum: str | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """The ids of a change and of its run, and of the unapplied change that it replaces, with who had saved that.

    `proposed` counts the credentials that it came with, None where it came without. `concerned`: the mailboxes that the
    domain has at the save, which get the settings once they are applied; None where nothing was saved anew.
    """

    change_id: str
    run_id: str
    superseded: str | None = None
    superseded_by: Actor | None = None
    proposed: ImportCounts | None = None
    concerned: int | None = None


def save(conn: Connection, domain_id: int, settings: Settings, now: float, actor: Actor = SERVICE) -> Saved:
    """A change and its queued run. An older unapplied change of the domain is superseded and its run cancelled."""
    base = lock_domain(conn, domain_id)
    older = _supersede(conn, domain_id, now, actor)
    change_id = uuid.uuid4().hex
    settings_id = domains.save_settings(conn, domain_id, settings, now)
    values = {"domain_id": domain_id, "settings_id": settings_id, "base_settings_id": base, "created_at": now}
    new = _changes.insert().values(id=change_id, state=ChangeState.DRAFT.value, saved_by=actor.person or None)
    conn.execute(new.values(values))
    state = next_state(None, Event.SAVE)
    saved = STEPS[Event.SAVE](subject=change_id, at=now, domain_id=domain_id, actor=actor, after=state.value)
    events.record(conn, saved)
    run_id = verify(conn, load(conn, change_id), now, actor)
    return Saved(change_id, run_id, *older, concerned=domains.count_mailboxes(conn, domain_id))


def verify(conn: Connection, change: Change, now: float, actor: Actor = SERVICE) -> str:
    """A new queued run of a change. Raises `Refused`."""
    base = lock_domain(conn, change.domain_id)
    change = move(conn, change.id, Event.VERIFY, now, actor)
    conn.execute(_changes.update().where(_changes.c.id == change.id).values(base_settings_id=base))
    credentials.settle_known(conn, change.id, change.domain_id)
    return runs.create(conn, "preflight", runs.Subject(change.domain_id, change.settings_id, change.id, base), now)


def discard(conn: Connection, change: Change, now: float, actor: Actor = SERVICE) -> Change:
    """Gives an unapplied change up: its run ends, and its credentials are thrown away. Raises `Refused`."""
    _cancel_runs(conn, [change.id], now)
    discarded = move(conn, change.id, Event.DISCARD, now, actor)
    credentials.throw_away(conn, change.id)
    return discarded


def cancel(conn: Connection, change: Change, now: float, actor: Actor = SERVICE) -> Change:
    """Ends a verification under way; the change is a draft again. Raises `Refused`."""
    _cancel_runs(conn, [change.id], now)  # before the change, as whoever reports it does
    return move(conn, change.id, Event.CANCEL, now, actor)


def reopen(conn: Connection, change: Change, now: float, actor: Actor = SERVICE) -> Change:
    """Takes a superseded or discarded change up again as a draft; the unapplied one of its domain is superseded."""
    lock_domain(conn, change.domain_id)
    next_state(change.state, Event.REOPEN, change.id)
    _supersede(conn, change.domain_id, now, actor)
    return move(conn, change.id, Event.REOPEN, now, actor)


def move(
    conn: Connection,
    change_id: str,
    event: Event,
    now: float,
    actor: Actor,
    detail: str = "",
    kind: type[ChangeEvent] | None = None,
    found: Mapping[str, Any] = _NOTHING,
) -> Change:
    """One transition, by compare-and-swap, and its event, of that `kind` or of the transition's. Raises `Refused`.

    `found` is what that kind has beyond others.
    """
    change = load(conn, change_id)
    state = next_state(change.state, event, change_id)
    moved = conn.execute(
        _changes.update()
        .where(_changes.c.id == change_id, _changes.c.state == change.state.value)
        .values(state=state.value)
    )
    if moved.rowcount != 1:
        raise Refused(
            f"change {change_id} was changed by somebody else just now; `mail-preflight history {change_id}` says how",
            Reason.RACED,
        )
    note(conn, change, kind or STEPS[event], now, actor, state, detail, found)
    return load(conn, change_id)


def note(
    conn: Connection,
    change: Change,
    kind: type[ChangeEvent],
    now: float,
    actor: Actor = SERVICE,
    after: ChangeState | None = None,
    detail: str = "",
    found: Mapping[str, Any] = _NOTHING,
) -> None:
    """Writes what happened to a change down; it stays in its state unless it has another one `after` it."""
    told = kind(
        subject=change.id,
        at=now,
        domain_id=change.domain_id,
        actor=actor,
        before=change.state.value,
        after=(after or change.state).value,
        detail=detail,
        **found,
    )
    events.record(conn, told)


def lock_domain(conn: Connection, domain_id: int) -> int | None:
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
        move(conn, change_id, Event.SUPERSEDE, now, actor)
    if not older:
        return None, None
    first = next(audit.of_change(conn, older[-1]), None)
    return older[-1], first.actor if first else None


def _cancel_runs(conn: Connection, change_ids: Sequence[str], now: float) -> None:
    table = schema.runs
    cancelled = conn.execute(
        table.update()
        .where(table.c.change_id.in_(change_ids), table.c.stage.not_in(runs.ENDED))
        .values(stage="cancelled", finished_at=now)
        .returning(table.c.id, table.c.domain_id, table.c.change_id)
    )
    told = (RunCancelled(subject=key, at=now, domain_id=owner, change_id=of) for key, owner, of in cancelled.all())
    events.record(conn, *told)


def get(conn: Connection, account_id: int, change_id: str) -> Change:
    """The account's change with an id from outside, or the one whose id begins so. Raises `Invalid` without such a one.

    Four characters are enough where no other change of the account begins with them.
    """
    mine = _domains.c.account_id == account_id
    if _PREFIX.match(change_id):
        found = _beginning_with(conn, account_id, change_id)
        if len(found) > 1:
            raise Invalid(f"more than one change begins with {change_id!r}; give more of its id", "change_id")
        change_id = found[0] if found else change_id
    return _find(conn, change_id, mine)


def short_id(conn: Connection, account_id: int, change: Change) -> str:
    """As much of a change's id as tells it from the account's others, at least `SHORT` characters."""
    for length in range(SHORT, len(change.id)):
        if len(_beginning_with(conn, account_id, change.id[:length])) == 1:
            return change.id[:length]
    return change.id


def _beginning_with(conn: Connection, account_id: int, prefix: str) -> Sequence[str]:
    """At most two ids, in hexadecimal, so none is beyond `prefix` and a `g`."""
    begins = _changes.c.id >= prefix, _changes.c.id < f"{prefix}g", _domains.c.account_id == account_id
    query = sa.select(_changes.c.id).join(_domains, _domains.c.id == _changes.c.domain_id).where(*begins)
    return conn.execute(query.limit(2)).scalars().all()


def of_domain(conn: Connection, domain_id: int) -> list[str]:
    """The ids of a domain's changes, the newest first."""
    mine = sa.select(_changes.c.id).where(_changes.c.domain_id == domain_id)
    return list(conn.execute(mine.order_by(_changes.c.created_at.desc(), _changes.c.id)).scalars())


def page_of_domain(
    conn: Connection, domain_id: int, limit: int, before: tuple[float, str] | None = None
) -> list[Change]:
    """At most `limit` changes of a domain, the newest first, of those saved before (time, id)."""
    order = _changes.c.created_at.desc(), _changes.c.id.desc()
    older = sa.true() if before is None else sa.tuple_(_changes.c.created_at, _changes.c.id) < before
    rows = conn.execute(_select().where(_changes.c.domain_id == domain_id, older).order_by(*order).limit(limit))
    return [_change(row) for row in rows]


def load(conn: Connection, change_id: str) -> Change:
    """A change of any account, by an id of our own. Raises `Invalid` when it is not known."""
    return _find(conn, change_id)


def _find(conn: Connection, change_id: str, *conditions: sa.ColumnElement[bool]) -> Change:
    row = conn.execute(_select().where(_changes.c.id == change_id, *conditions)).one_or_none()
    if row is None:
        raise Unknown(
            f"there is no change {change_id!r}; `mail-preflight changes DOMAIN` lists those of a domain", "change_id"
        )
    return _change(row)


def _select() -> sa.Select[Any]:
    domain = _domains.c.id == _changes.c.domain_id
    return sa.select(_changes, _domains.c.name.label("domain")).join(_domains, domain)


def _change(row: Any) -> Change:
    return Change(
        id=row.id,
        domain_id=row.domain_id,
        domain=row.domain,
        settings_id=row.settings_id,
        base_settings_id=row.base_settings_id,
        state=ChangeState(row.state),
        watch_until=row.watch_until,
        roll_back_by_itself=row.roll_back_by_itself,
        created_at=row.created_at,
        applied_at=row.applied_at,
        saved_by=row.saved_by,
        approved_by=row.approved_by,
        approved_name=row.approved_name,
        approved_at=row.approved_at,
        approved_checksum=row.approved_checksum,
    )


def mark_verified(conn: Connection, change_id: str, now: float, found: Mapping[str, Any] = _NOTHING) -> None:
    """The change's run has finished, and `found` is what its report says, as `ChangeVerified` has it.

    Nothing happens to a change that is not being verified any more.
    """
    if load(conn, change_id).state is ChangeState.VERIFYING:
        move(conn, change_id, Event.FINISH, now, SERVICE, found=found)


def resume(
    conn: Connection, change: Change, canaries: int, now: float, max_age: float, actor: Actor = SERVICE
) -> runs.Run:
    """Goes on with a change's run: one under way as it is, one that has ended for the mailboxes it has left untried.

    Raises `Refused` where there are none, where the change is not verified, or where its run ended more than `max_age`
    seconds ago: what it found out then is out of date.
    """
    run = runs.of_change(conn, change.id)
    if change.state not in _RESUMABLE or run is None:
        raise refusal(change.state, "gone on with", change.id)
    if change.state is ChangeState.VERIFYING and run.stage not in runs.ENDED:
        return run
    if run.finished_at is not None and now - run.finished_at > max_age:
        raise Refused(
            f"the report is out of date; `mail-preflight again {change.id}` verifies the change anew",
            Reason.REPORT_OLD,
            minutes=round((now - run.finished_at) / 60),
        )
    if not planning.resume(conn, run.id, canaries, now):
        raise Refused(
            f"change {change.id} has no mailbox left untried; `mail-preflight report {change.id}` shows what is known",
            Reason.NOTHING_LEFT,
        )
    move(conn, change.id, Event.VERIFY, now, actor, "resumed", ChangeResumed)
    resumed = runs.load(conn, run.id)
    return resumed or run


_RESUMABLE = (ChangeState.VERIFYING, ChangeState.VERIFIED)


def can_resume(conn: Connection, change: Change, run: runs.Run | None, now: float, max_age: float) -> bool:
    """Whether `resume` would go on with the change's `run`. Takes no lock."""
    if change.state not in _RESUMABLE or run is None:
        return False
    if change.state is ChangeState.VERIFYING and run.stage not in runs.ENDED:
        return True
    fresh = run.finished_at is None or now - run.finished_at <= max_age
    return fresh and planning.anything_left(conn, run)
