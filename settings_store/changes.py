"""Changes: proposed settings, from the save to the moment they take effect.

A change and its run are written in one transaction. Applying compares the settings in force with those that the change
was based on, so nobody's work is overwritten unseen.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid, MailboxState, Verdict
from checks.settings import Settings
from settings_store import domains, runs, schema

ChangeState = Literal["draft", "verifying", "verified", "applied", "discarded", "superseded", "rolled_back"]
_UNAPPLIED: Sequence[ChangeState] = ("draft", "verifying", "verified")

_changes, _domains = schema.changes, schema.domains


class Refused(Invalid):
    """A change that must not be applied, with the reason and what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """`base_settings_id` is what was in force when the change was saved, None where nothing was."""

    id: str
    domain_id: int
    domain: str
    settings_id: int
    base_settings_id: int | None
    state: ChangeState


@dataclass(frozen=True, slots=True)
class Saved:
    """The ids of a change and of its run."""

    change_id: str
    run_id: str


def save(conn: Connection, domain_id: int, settings: Settings, now: float) -> Saved:
    """A change and its queued run. An older unapplied change of the domain is superseded and its run cancelled."""
    base = _lock_domain(conn, domain_id)
    _supersede(conn, domain_id, now)
    saved = Saved(uuid.uuid4().hex, uuid.uuid4().hex)
    settings_id = domains.save_settings(conn, domain_id, settings, now)
    conn.execute(
        _changes.insert().values(
            id=saved.change_id,
            domain_id=domain_id,
            settings_id=settings_id,
            base_settings_id=base,
            state="verifying",
            created_at=now,
        )
    )
    runs.create(
        conn,
        saved.run_id,
        domain_id=domain_id,
        change_id=saved.change_id,
        settings_id=settings_id,
        baseline_settings_id=base,
        kind="preflight",
        now=now,
    )
    return saved


def _lock_domain(conn: Connection, domain_id: int) -> int | None:
    """The settings in force; the domain's row stays locked, so that changes of one domain follow each other."""
    query = sa.select(_domains.c.settings_id).where(_domains.c.id == domain_id).with_for_update()
    settings_id: int | None = conn.execute(query).scalar_one()
    return settings_id


def _supersede(conn: Connection, domain_id: int, now: float) -> None:
    open_ones = (_changes.c.domain_id == domain_id, _changes.c.state.in_(_UNAPPLIED))
    old = sa.select(_changes.c.id).where(*open_ones)
    conn.execute(
        schema.runs.update()
        .where(schema.runs.c.change_id.in_(old), schema.runs.c.stage.not_in(runs.ENDED))
        .values(stage="cancelled", finished_at=now)
    )
    conn.execute(_changes.update().where(*open_ones).values(state="superseded"))


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
    return Change(row.id, row.domain_id, row.domain, row.settings_id, row.base_settings_id, row.state)


def mark_verified(conn: Connection, change_id: str) -> None:
    """The change's run has finished."""
    conn.execute(
        _changes.update().where(_changes.c.id == change_id, _changes.c.state == "verifying").values(state="verified")
    )


def apply(conn: Connection, change: Change, accept_disconnects: int | None, now: float, max_age: float) -> int:
    """Puts a change's settings in force and returns how many mailboxes its report said would disconnect.

    The whole of it happens in the caller's transaction or not at all. Raises `Refused` when the change is not verified,
    its report is older than `max_age` seconds, the settings in force or the mailboxes changed meanwhile, or mailboxes
    would disconnect and `accept_disconnects` is not that very number.
    """
    in_force = _lock_domain(conn, change.domain_id)
    change = get(conn, change.id)
    run = runs.of_change(conn, change.id)
    if change.state != "verified" or run is None or run.counts is None or run.finished_at is None:
        raise Refused(f"change {change.id} is {change.state}; only a verified change can be applied")
    _refuse_stale(conn, change, run, in_force, now - run.finished_at, max_age)
    count = run.counts["will_disconnect"]
    if count != (accept_disconnects or 0):
        raise Refused(_disconnects(count, accept_disconnects))
    conn.execute(_domains.update().where(_domains.c.id == change.domain_id).values(settings_id=change.settings_id))
    conn.execute(_changes.update().where(_changes.c.id == change.id).values(state="applied", applied_at=now))
    _take_over_states(conn, run.id, now)
    return count


def _refuse_stale(
    conn: Connection, change: Change, run: runs.Run, in_force: int | None, age: float, max_age: float
) -> None:
    again = "verify it again"
    if in_force != change.base_settings_id:
        raise Refused(f"the settings of {change.domain} were changed since this change was saved; {again}")
    if age > max_age:
        raise Refused(f"the report is {age / 60:.0f} minutes old and may be out of date; {again}")
    box, row = schema.mailboxes, schema.run_mailboxes
    untested = (
        sa.select(sa.func.count())
        .select_from(box.outerjoin(row, sa.and_(row.c.mailbox_id == box.c.id, row.c.run_id == run.id)))
        .where(box.c.domain_id == change.domain_id, row.c.run_id.is_(None))
    )
    if count := conn.execute(untested).scalar_one():
        raise Refused(f"{count} mailboxes of {change.domain} were added since the report; {again}")


def _disconnects(count: int, accepted: int | None) -> str:
    said = f", not {accepted}" if accepted is not None else ""
    return f"{count} mailboxes would disconnect{said}; to accept that, give --accept-disconnects {count}"


def _take_over_states(conn: Connection, run_id: str, now: float) -> None:
    """What the run found out is now the mailboxes' last known state."""
    box, row = schema.mailboxes, schema.run_mailboxes
    state = sa.case(
        (row.c.verdict == Verdict.OK.value, MailboxState.CONNECTED.value),
        (row.c.verdict == Verdict.FAIL.value, MailboxState.DISCONNECTED.value),
        else_=MailboxState.UNKNOWN.value,
    )
    conn.execute(
        box.update()
        .where(row.c.mailbox_id == box.c.id, row.c.run_id == run_id)
        .values(state=state, state_code=row.c.code, state_since=now)
    )
