"""Slices: a few mailboxes of a domain at a time, each a run of the settings in force, so that all come up in turn.

Mailboxes that began to fail come up again with the next slice, then those that were not taken up for longest.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from checks.model import MailboxState
from settings_store import schema
from settings_store.domains import lock_mailboxes
from settings_store.health.schedule import jittered
from settings_store.incidents.overview import service_in_trouble
from settings_store.mailboxes import state_events
from settings_store.mailboxes.state_events import Moved, Why
from settings_store.maintenance import at_rest
from settings_store.runs import endpoints, runs
from settings_store.runs.outcomes import ALL_REJECTED, REJECTED
from settings_store.runs.runs import Run, Subject

_FEW = 5  # of small domains so many at a time come up, but never more than a quarter
_UNKNOWN_SECONDS = 3600.0  # a mailbox of which nothing is known comes up again after this, where there is room
_EARLY = 0.9  # of the time after which a mailbox comes up again: slices come somewhat irregularly
_FORGOTTEN_SECONDS = 1800.0  # a run that takes longer keeps no other domain's waiting

_schedule, _domains, _known = schema.health_schedule, schema.domains, schema.health_endpoints
_box, _runs, _rows = schema.mailboxes, schema.runs, schema.run_mailboxes


@dataclass(frozen=True, slots=True)
class Pace:
    """In how many seconds every mailbox comes up once, how far slices are apart at least, and when a failure counts.

    `at_once` is how many slices of all domains together may be under way, `fails` how many failures in a row make a
    mailbox disconnected.
    """

    round_seconds: float
    slice_seconds: float
    at_once: int
    fails: int

    def size(self, mailboxes: int) -> int:
        """How many of a domain's mailboxes come up at a time."""
        slices = max(1, round(self.round_seconds / self.slice_seconds))
        return max(-(-mailboxes // slices), min(_FEW, -(-mailboxes // 4)))

    def apart(self, mailboxes: int) -> float:
        """How many seconds a domain's slices are apart, so that the round is used evenly."""
        slices = -(-mailboxes // self.size(mailboxes)) if mailboxes else 1
        return max(self.slice_seconds, self.round_seconds / slices)


def begin_slices(conn: Connection, now: float, pace: Pace) -> list[Run]:
    """Begins the slices that are due and have room. Returns their runs, queued.

    None begins where nobody watches the domain, where an endpoint does not work, or while a run of the domain goes on:
    there the slice stays due.
    """
    room = pace.at_once - _under_way(conn, now)
    horizon = now + 2 * max(pace.round_seconds, pace.slice_seconds)  # later than that: the clock was put back
    ready = conn.execute(_READY, {"now": now, "horizon": horizon, "most": max(0, room)}).all()
    begun = [_begin(conn, row.domain_id, row.settings_id, now, pace) for row in ready]
    return [run for run in begun if run is not None]


def _under_way(conn: Connection, now: float) -> int:
    return int(conn.execute(_UNDER_WAY, {"since": now - _FORGOTTEN_SECONDS}).scalar_one())


def _going() -> sa.Select[Any]:
    # Nearly all runs are of no change, so that is not asked first: SQLite would look through all of them by its index.
    slices = sa.func.coalesce(_runs.c.change_id, "") == "", _runs.c.kind == "health", _runs.c.stage.in_(runs.GOING)
    recent = _runs.c.created_at > sa.bindparam("since", type_=sa.Float)
    return sa.select(sa.func.count()).select_from(_runs).where(*slices, recent)


def _due() -> sa.Select[tuple[int, int | None]]:
    now, horizon = sa.bindparam("now", type_=sa.Float), sa.bindparam("horizon", type_=sa.Float)
    mine = _known.c.domain_id == _domains.c.id, _known.c.settings_id == _domains.c.settings_id
    works = sa.and_(_known.c.state == "ok", _known.c.verdict == Verdict.OK.value)
    busy = sa.select(_runs.c.id).where(_runs.c.domain_id == _domains.c.id, _runs.c.stage.in_(runs.GOING)).exists()
    return (
        sa.select(_schedule.c.domain_id, _domains.c.settings_id)
        .join(_domains, _domains.c.id == _schedule.c.domain_id)
        .where(sa.or_(_schedule.c.mailboxes_due <= now, _schedule.c.mailboxes_due > horizon))
        .where(~at_rest(_domains.c.id, now))
        .where(sa.select(_known.c.protocol).where(*mine).exists())
        .where(~sa.select(_known.c.protocol).where(*mine, ~works).exists(), ~busy)
        .order_by(_schedule.c.mailboxes_due)
    )


# Made once: to make a statement takes longer than to execute it.
_UNDER_WAY = _going()
_READY = _due().limit(sa.bindparam("most", type_=sa.Integer)).with_for_update(of=_schedule, skip_locked=True)


def _begin(conn: Connection, domain_id: int, settings_id: int, now: float, pace: Pace) -> Run | None:
    """One slice of a domain, and when the next is due; None where no mailbox is."""
    own = _box.c.domain_id == domain_id, _box.c.credential.is_not(None)
    total = int(conn.execute(sa.select(sa.func.count()).select_from(_box).where(*own)).scalar_one())
    chosen = _chosen(conn, domain_id, pace.size(total), now, pace)
    due = now + jittered(pace.apart(total))
    conn.execute(_schedule.update().where(_schedule.c.domain_id == domain_id).values(mailboxes_due=due))
    if not chosen:
        return None
    run_id = runs.create(conn, "health", Subject(domain_id, settings_id), now)
    conn.execute(_box.update().where(_box.c.id.in_(chosen)).values(health_at=now))
    return runs.load(conn, run_id)


def _chosen(conn: Connection, domain_id: int, size: int, now: float, pace: Pace) -> Collection[int]:
    beginning = _beginning(pace)
    unknown = sa.and_(
        _box.c.state == MailboxState.UNKNOWN.value,
        _box.c.health_at <= now - min(_UNKNOWN_SECONDS, _EARLY * pace.round_seconds),
    )
    long_ago = sa.or_(_box.c.health_at.is_(None), _box.c.health_at <= now - _EARLY * pace.round_seconds)
    comes_up = sa.or_(beginning, unknown, long_ago, _box.c.health_at > now)  # the last: the clock was put back
    query = sa.select(_box.c.id).where(_box.c.domain_id == domain_id, _box.c.credential.is_not(None), comes_up)
    order = sa.case((beginning, 0), else_=1), _box.c.health_at.is_not(None), _box.c.health_at, _box.c.id
    return conn.execute(query.order_by(*order).limit(size)).scalars().all()


def _beginning(pace: Pace) -> sa.ColumnElement[bool]:
    """Whether a mailbox has begun to fail and it is not yet certain."""
    undecided = _box.c.state != MailboxState.DISCONNECTED.value
    return sa.and_(_box.c.health_fails.between(1, pace.fails - 1), undecided)


def take_over_states(conn: Connection, run: Run, now: float, pace: Pace) -> None:
    """What a slice's run has found out is now its mailboxes' state: a success at once, a failure when it is certain.

    A rejected credential is not sent again, so one rejection is enough. Nothing follows where an endpoint of the run
    failed (then no mailbox is to blame), where other settings are in force by now, and while the service itself is in
    trouble. A mailbox whose credential changed meanwhile is left alone.
    """
    if endpoints.any_failed(conn, run.id) or not _still_in_force(conn, run) or service_in_trouble(conn):
        return
    lock_mailboxes(conn, run.domain_id)
    since = _since(MailboxState.CONNECTED, now)
    connected = {"state": MailboxState.CONNECTED.value, "state_code": None, "state_since": since, "health_fails": 0}
    works = _box.c.id.in_(_with(run, Verdict.OK))
    moved = _moving(conn, MailboxState.CONNECTED, sa.literal(None, sa.Text), works)
    conn.execute(_box.update().where(works).values(connected))
    moved += _disconnect(conn, run, now, pace)
    state_events.record(conn, run.domain_id, moved, Why("checked", run.id, now))
    begins = sa.select(_box.c.id).where(_box.c.domain_id == run.domain_id, _beginning(pace))
    if conn.execute(begins.limit(1)).first():
        soon = now + jittered(pace.slice_seconds)
        later = _schedule.c.domain_id == run.domain_id, _schedule.c.mailboxes_due > soon
        conn.execute(_schedule.update().where(*later).values(mailboxes_due=soon))


def _moving(
    conn: Connection, state: MailboxState, code: sa.ColumnElement[str], *which: sa.ColumnElement[bool]
) -> list[Moved]:
    return state_events.moving(conn, _box, sa.literal(state.value), code, *which)


def _disconnect(conn: Connection, run: Run, now: float, pace: Pace) -> list[Moved]:
    # A server that rejects all alike blames nobody, but nobody gets in either: that is certain after as many times.
    failed = _box.c.id.in_(_with(run, Verdict.FAIL, ALL_REJECTED))
    conn.execute(_box.update().where(failed).values(health_fails=_box.c.health_fails + 1))
    code = sa.select(_rows.c.code).where(_rows.c.run_id == run.id, _rows.c.mailbox_id == _box.c.id).scalar_subquery()
    certain: sa.ColumnElement[bool] = _box.c.health_fails >= pace.fails
    certain = sa.or_(certain, code.in_([item.value for item in REJECTED]))
    since = _since(MailboxState.DISCONNECTED, now)
    disconnected = {"state": MailboxState.DISCONNECTED.value, "state_code": code, "state_since": since}
    moved = _moving(conn, MailboxState.DISCONNECTED, code, failed, certain)
    conn.execute(_box.update().where(failed, certain).values(disconnected))
    return moved


def _since(state: MailboxState, now: float) -> sa.ColumnElement[float]:
    """Since when the mailbox is in a state: from before, where it was in it already."""
    already = sa.and_(_box.c.state == state.value, _box.c.state_since.is_not(None))
    return sa.case((already, _box.c.state_since), else_=now)


def _with(run: Run, verdict: Verdict, codes: Collection[Code] = ()) -> sa.Select[tuple[int]]:
    """The run's mailboxes with a verdict, or one of the codes, that log in as they did when it began."""
    box = schema.mailboxes.alias()
    unchanged = ~runs.changed_since(run.id, box)
    query = sa.select(_rows.c.mailbox_id).join(box, box.c.id == _rows.c.mailbox_id)
    fits = sa.or_(_rows.c.verdict == verdict.value, _rows.c.code.in_([code.value for code in codes]))
    return query.where(_rows.c.run_id == run.id, fits, unchanged)


def _still_in_force(conn: Connection, run: Run) -> bool:
    query = sa.select(_domains.c.settings_id).where(_domains.c.id == run.domain_id)
    return bool(conn.execute(query).scalar_one_or_none() == run.settings_id)
