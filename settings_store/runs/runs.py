"""The life of a run: what is tested for which settings, from its creation to its end.

A run moves through its stages by compare-and-swap. Its tasks and pages are leased: a lease that is not renewed
expires, and whoever comes next goes on where the results end. Every write of a run, here and in `planning`, `pages`,
`outcomes`, `baseline` and `run_endpoints`, is idempotent, for a message may come twice.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code
from checks.model import Unknown
from settings_store import schema
from settings_store.events import events
from settings_store.events.kinds import RunFinished

Kind = Literal["preflight", "health"]
Phase = Literal["candidate", "baseline"]
Stage = Literal["queued", "endpoints", "canaries", "mailboxes", "baseline", "finished", "cancelled"]
CANDIDATE: Phase = "candidate"
BASELINE: Phase = "baseline"
ENDED: tuple[Stage, ...] = ("finished", "cancelled")
GOING: tuple[Stage, ...] = ("queued", "endpoints", "canaries", "mailboxes", "baseline")
LONGEST_LEASE_SECONDS = 120.0
"""No lease is given for longer: one that ends later was given before the clock was put back."""

_runs, _pages = schema.runs, schema.pages

# What is asked often is made once: to make a statement takes longer than to execute it.
RUN = sa.bindparam("run", type_=sa.String)
NOW = sa.bindparam("now", type_=sa.Float)
_STAGE = sa.select(_runs.c.stage).where(_runs.c.id == RUN)
_TOUCH = _runs.update().where(_runs.c.id == RUN).values(touched_at=NOW)
# Not FOR UPDATE: rows that refer to the run may be added meanwhile.
_LOCK = sa.select(_runs.c.id).where(_runs.c.id == RUN).with_for_update(key_share=True)
_GET = sa.select(_runs).where(
    _runs.c.id == RUN,
    _runs.c.domain_id.in_(sa.select(schema.domains.c.id).where(schema.domains.c.account_id == sa.bindparam("account"))),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a run tests. `change_id` is None where settings in force are, `baseline_settings_id` where none are."""

    domain_id: int
    settings_id: int
    change_id: str | None = None
    baseline_settings_id: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One verification. `baseline_settings_id` is None in a domain that has no settings in force."""

    id: str
    domain_id: int
    change_id: str | None
    settings_id: int
    baseline_settings_id: int | None
    kind: str
    stage: Stage
    stop_code: Code | None
    stop_detail: str
    counts: Mapping[str, int] | None
    checksum: str | None
    finished_at: float | None

    @property
    def is_slice(self) -> bool:
        """Whether it looks after mailboxes' health, and not after a change."""
        return self.kind == "health" and self.change_id is None


def begun_at(conn: Connection, run_id: str) -> float:
    """When a run was asked for (UTC seconds since 1970); it must exist."""
    return float(conn.execute(sa.select(_runs.c.created_at).where(_runs.c.id == run_id)).scalar_one())


def create(conn: Connection, kind: Kind, subject: Subject, now: float) -> str:
    """A queued run; returns its id. It is later than the others of its change, even where the clock was put back."""
    run_id, created = uuid.uuid4().hex, now
    if subject.change_id is not None:
        latest = sa.select(sa.func.max(_runs.c.created_at)).where(_runs.c.change_id == subject.change_id)
        created = max(now, (conn.execute(latest).scalar() or 0.0) + 0.001)
    values = {"id": run_id, "kind": kind, "stage": "queued", "created_at": created, "touched_at": now}
    domains = schema.domains
    revision = sa.select(domains.c.revision).where(domains.c.id == subject.domain_id).scalar_subquery()
    conn.execute(_runs.insert().values(**asdict(subject), **values, revision=revision))
    return run_id


def changed_since(run_id: str, mailboxes: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a row of `mailboxes` got another login after the run was created, so that it says nothing of it.

    By the domain's count of imports. An import that was under way then had the higher number to itself and counts.
    """
    began = sa.select(_runs.c.revision).where(_runs.c.id == run_id).scalar_subquery()
    return mailboxes.c.revision > began


def get(conn: Connection, account_id: int, run_id: str) -> Run:
    """The account's run with an id from outside. Raises `Invalid` when the account has none."""
    row = conn.execute(_GET, {"run": run_id, "account": account_id}).one_or_none()
    if row is None:
        raise Unknown(f"there is no run {run_id!r}; `mail-preflight report` shows what a change came to", "run_id")
    return _run(row)


def load(conn: Connection, run_id: str) -> Run | None:
    """A run of any account, by an id of our own; None where there is none."""
    row = conn.execute(sa.select(_runs).where(_runs.c.id == run_id)).one_or_none()
    return _run(row) if row else None


def of_change(conn: Connection, change_id: str) -> Run | None:
    """The newest preflight run of a change, or None."""
    mine = sa.select(_runs).where(_runs.c.change_id == change_id, _runs.c.kind == "preflight")
    row = conn.execute(mine.order_by(_runs.c.created_at.desc()).limit(1)).one_or_none()
    return _run(row) if row else None


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        domain_id=row.domain_id,
        change_id=row.change_id,
        settings_id=row.settings_id,
        baseline_settings_id=row.baseline_settings_id,
        kind=row.kind,
        stage=row.stage,
        stop_code=Code(row.stop_code) if row.stop_code else None,
        stop_detail=row.stop_detail or "",
        counts=row.counts,
        checksum=row.checksum,
        finished_at=row.finished_at,
    )


def claim(conn: Connection, run_id: str, owner: str, now: float, until: float) -> bool:
    """Takes the run's own lease, for the work that only one may do. False where somebody has it or the run ended."""
    taken = conn.execute(
        _runs.update()
        .where(_runs.c.id == run_id, lapsed(_runs.c.lease_until, now), _runs.c.stage.not_in(ENDED))
        .values(lease_owner=owner, lease_until=until, touched_at=now)
    )
    return taken.rowcount == 1


def lapsed(until: sa.ColumnElement[float], now: float | sa.BindParameter[float]) -> sa.ColumnElement[bool]:
    """Whether a lease is over at `now` (UTC seconds since 1970)."""
    return sa.or_(until < now, until > now + LONGEST_LEASE_SECONDS)


def lock(conn: Connection, run_id: str) -> None:
    """Whoever writes pages or mailboxes of a run holds its row first: so no two wait for each other.

    PostgreSQL locks rows in the order in which they are met, and each way to write them meets them in another. SQLite
    has one writer.
    """
    conn.execute(_LOCK, {"run": run_id})


def release(conn: Connection, run_id: str, owner: str) -> None:
    """Gives the run's own lease back."""
    conn.execute(_runs.update().where(_runs.c.id == run_id, _runs.c.lease_owner == owner).values(lease_until=0))


def move(conn: Connection, run_id: str, source: Sequence[Stage], target: Stage, now: float) -> bool:
    """Compare-and-swap of the stage."""
    moved = conn.execute(
        _runs.update().where(_runs.c.id == run_id, _runs.c.stage.in_(source)).values(stage=target, touched_at=now)
    )
    return moved.rowcount == 1


def stage_of(conn: Connection, run_id: str) -> Stage | None:
    """The stage of a run; None where it is gone."""
    stage: Stage | None = conn.execute(_STAGE, {"run": run_id}).scalar()
    return stage


def stop(conn: Connection, run_id: str, code: Code, detail: str) -> None:
    """Notes why mailboxes were left untried."""
    conn.execute(_runs.update().where(_runs.c.id == run_id).values(stop_code=code.value, stop_detail=detail))


def finish(conn: Connection, run_id: str, counts: Mapping[str, int], checksum: str, now: float) -> bool:
    """Closes a run with its counts and checksum. False where it had ended already."""
    ended = conn.execute(
        _runs.update()
        .where(_runs.c.id == run_id, _runs.c.stage.not_in(ENDED))
        .values(stage="finished", counts=dict(counts), checksum=checksum, finished_at=now, touched_at=now)
        .returning(_runs.c.domain_id, _runs.c.change_id, _runs.c.stop_code)
    ).one_or_none()
    if ended is None:
        return False
    if ended.change_id is not None:  # slices of health checks come without end
        told = RunFinished(
            subject=run_id,
            at=now,
            domain_id=ended.domain_id,
            change_id=ended.change_id,
            counts=dict(counts),
            checksum=checksum,
            code=ended.stop_code or "",
        )
        events.record(conn, told)
    return True


def stalled(conn: Connection, now: float, idle_seconds: float, limit: int) -> list[Run]:
    """Runs with work left that nobody has touched for a while and nobody holds a lease on.

    Preflights come before what nobody waits for, then the oldest first.
    """
    # Counted for each run by itself: EXISTS becomes a join that PostgreSQL likes to begin by reading every page.
    leased = sa.select(sa.func.count()).where(_pages.c.run_id == _runs.c.id, ~lapsed(_pages.c.lease_until, now))
    quiet = sa.or_(_runs.c.touched_at < now - idle_seconds, _runs.c.touched_at > now + LONGEST_LEASE_SECONDS)
    query = (
        sa.select(_runs)
        # Those that go on, named one by one: an index finds them, however many have ended.
        .where(_runs.c.stage.in_(GOING), quiet, lapsed(_runs.c.lease_until, now), leased.scalar_subquery() == 0)
        .order_by(_runs.c.kind.desc(), _runs.c.touched_at)
        .limit(limit)
    )
    return [_run(row) for row in conn.execute(query)]


def touch(conn: Connection, run_id: str, now: float) -> None:
    """Notes that somebody has taken care of a run."""
    conn.execute(_TOUCH, {"run": run_id, "now": now})
