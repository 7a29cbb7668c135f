"""The pages of a run: whoever works on one holds a lease, and a page is done when no mailbox of it is open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import CredentialKind
from settings_store import schema
from settings_store.runs import candidates, runs
from settings_store.runs.candidates import RunId
from settings_store.runs.runs import CANDIDATE, Phase, Stage

CANARY_PAGE = 0

_pages, _rows = schema.pages, schema.run_mailboxes

_PHASE = sa.bindparam("of_phase", type_=sa.String)
_NUMBER = sa.bindparam("page", type_=sa.Integer)
_OWNER = sa.bindparam("owner", type_=sa.String)
_UNTIL = sa.bindparam("until", type_=sa.Float)


@dataclass(frozen=True, slots=True)
class Work:
    """A mailbox still to be tried. `credential` is sealed, None where it was removed since the run was planned.

    `again`: it was tried already, and its server asked for patience; `skip` of its endpoints have let it in.
    """

    mailbox_id: int
    address: str
    username: str
    kind: CredentialKind
    credential: bytes | None = field(repr=False)
    again: bool = False
    skip: int = 0


def add(conn: Connection, run_id: str, phase: Phase, column: sa.ColumnElement[int]) -> None:
    """The pages of a phase: the numbers that the run's mailboxes have in `column`."""
    numbers = sa.select(sa.literal(run_id), sa.literal(phase), column).where(_rows.c.run_id == run_id)
    source = numbers.where(column.is_not(None)).distinct()
    conn.execute(_pages.insert().from_select(["run_id", "phase", "number"], source))


def claim(
    conn: Connection,
    run_id: str,
    phase: Phase,
    owner: str,
    now: float,
    until: float,
    *,
    canaries: bool,
    abandoned: Mapping[int, float] | None = None,
) -> int | None:
    """Leases the next page that nobody works on; None where there is none. Those that nobody ever had come first.

    `abandoned` has the pages, with the end of their lease, that may be taken from another; None means all that lapsed.
    """
    runs.lock(conn, run_id)
    mine = {"run": run_id, "of_phase": phase}
    query = _next_page(canaries=canaries) if abandoned == {} else _page_of_others(abandoned, canaries=canaries)
    number = conn.execute(query, {**mine, "now": now} if abandoned is None else mine).scalar()
    if number is None:
        return None
    conn.execute(_LEASE, {**mine, "page": number, "owner": owner, "until": until})
    runs.touch(conn, run_id, now)
    return int(number)


@cache
def _next_page(*, canaries: bool) -> sa.Select[Any]:
    return _page_of_others({}, canaries=canaries)


def _page_of_others(abandoned: Mapping[int, float] | None, *, canaries: bool) -> sa.Select[Any]:
    free: sa.ColumnElement[bool] = runs.lapsed(_pages.c.lease_until, runs.NOW)
    if abandoned is not None:
        same = [sa.and_(_pages.c.number == key, _pages.c.lease_until == end) for key, end in abandoned.items()]
        free = sa.or_(_pages.c.lease_owner.is_(None), *same)
    query = sa.select(_pages.c.number).where(_OF, _OPEN, free)
    if canaries:
        query = query.where(_pages.c.number == CANARY_PAGE)
    query = query.order_by(_pages.c.lease_owner.is_not(None), _pages.c.number).limit(1)
    return query.with_for_update(skip_locked=True)


def lapsed(conn: Connection, run_id: str, phase: Phase, now: float, *, canaries: bool) -> dict[int, float]:
    """The open pages with a lease that is over, and when it ended."""
    found = conn.execute(_lapsed(canaries=canaries), {"run": run_id, "of_phase": phase, "now": now})
    return {row.number: row.lease_until for row in found}


@cache
def _lapsed(*, canaries: bool) -> sa.Select[Any]:
    over = runs.lapsed(_pages.c.lease_until, runs.NOW), _pages.c.lease_owner.is_not(None), _OPEN
    query = sa.select(_pages.c.number, _pages.c.lease_until).where(_OF, *over)
    return query.where(_pages.c.number == CANARY_PAGE) if canaries else query


def held(conn: Connection, run_id: str, phase: Phase, owner: str) -> int:
    """How many open pages are leased to an owner."""
    return int(conn.execute(_HELD, {"run": run_id, "of_phase": phase, "owner": owner}).scalar_one())


def work(conn: Connection, run_id: str, phase: Phase, number: int) -> list[Work]:
    """The mailboxes of a page that have no result yet, with the credential to be tried: the proposed one, if any."""
    found = conn.execute(_work(phase), {"run": run_id, "page": number})
    return [
        Work(row.id, row.address, row.username, CredentialKind(row.credential_kind), row.credential) for row in found
    ]


@cache
def _work(phase: Phase) -> sa.Select[Any]:
    box, held = schema.mailboxes, schema.change_credentials
    page, open_ones = _open_mailboxes(runs.RUN, phase)
    names = "username", "credential_kind", "credential"
    tried = {name: sa.func.coalesce(held.c[name], box.c[name]).label(name) for name in names}
    joined = candidates.proposed(runs.RUN, box.c.id) if phase == CANDIDATE else sa.false()
    return (
        sa.select(box.c.id, box.c.address, *tried.values())
        .join(_rows, _rows.c.mailbox_id == box.c.id)
        .outerjoin(held, joined)
        .where(open_ones, page == _NUMBER)
        .order_by(box.c.id)
    )


def renew(conn: Connection, run_id: str, phase: Phase, owner: str, now: float, until: float) -> Stage:
    """Keeps an owner's leases alive; the run's stage, which tells whether to go on: not with a run that is gone."""
    runs.touch(conn, run_id, now)
    conn.execute(_RENEW, {"run": run_id, "of_phase": phase, "owner": owner, "until": until})
    return runs.stage_of(conn, run_id) or "cancelled"


def close_own(conn: Connection, run_id: str, phase: Phase, owner: str) -> None:
    """Ends an owner's leases; pages without open work are done."""
    runs.lock(conn, run_id)
    own = (_of(run_id, phase), _pages.c.lease_owner == owner)
    conn.execute(_pages.update().where(*own, ~_open_work(run_id, phase)).values(done=True))
    conn.execute(_pages.update().where(*own).values(lease_owner=None, lease_until=0))


def close_idle(conn: Connection, run_id: str, phase: Phase) -> None:
    """Pages that were settled before anybody came to them are done."""
    conn.execute(_pages.update().where(_of(run_id, phase), ~_open_work(run_id, phase)).values(done=True))


def _open_work(run_id: str, phase: Phase) -> sa.ColumnElement[bool]:
    """Whether a mailbox of the page can be tried and has no result."""
    box = schema.mailboxes
    page, open_ones = _open_mailboxes(run_id, phase)
    return (
        sa.select(_rows.c.mailbox_id)
        .join(box, box.c.id == _rows.c.mailbox_id)
        .where(open_ones, page == _pages.c.number)
        .correlate(_pages)
        .exists()
    )


def _open_mailboxes(run_id: RunId, phase: Phase) -> tuple[sa.Column[int], sa.ColumnElement[bool]]:
    """The column with a mailbox's page in the phase, and which mailboxes can be tried and have no result."""
    page, verdict = (
        (_rows.c.page, _rows.c.verdict) if phase == CANDIDATE else (_rows.c.baseline_page, _rows.c.baseline_verdict)
    )
    stored = schema.mailboxes.c.credential.is_not(None)
    can_be_tried = candidates.has_credential(run_id) if phase == CANDIDATE else stored
    return page, sa.and_(_rows.c.run_id == run_id, verdict.is_(None), can_be_tried)


def close(conn: Connection, run_id: str, phase: Phase) -> None:
    """No page of the phase is to be tried any more."""
    conn.execute(_pages.update().where(_pages.c.run_id == run_id, _pages.c.phase == phase).values(done=True))


def is_open(conn: Connection, run_id: str, phase: Phase, number: int) -> bool:
    """Whether a page is planned and not done."""
    query = sa.select(_pages.c.number).where(
        _of(run_id, phase), _pages.c.number == number, _pages.c.done.is_(sa.false())
    )
    return conn.execute(query).first() is not None


def is_leased(conn: Connection, run_id: str, phase: Phase, now: float) -> bool:
    """Whether somebody has a page, open or not: logins are under way, also where the run was broken off."""
    query = sa.select(_pages.c.number).where(_of(run_id, phase), _pages.c.lease_until > now)
    return conn.execute(query.limit(1)).first() is not None


def free(conn: Connection, run_id: str, phase: Phase, now: float) -> int:
    """How many open pages nobody has."""
    query = sa.select(sa.func.count()).select_from(_pages)
    query = query.where(_of(run_id, phase), _pages.c.done.is_(sa.false()), runs.lapsed(_pages.c.lease_until, now))
    return int(conn.execute(query).scalar_one())


def count_open(conn: Connection, run_id: str, phase: Phase) -> int:
    """How many pages are not done."""
    query = sa.select(sa.func.count()).select_from(_pages).where(_of(run_id, phase), _pages.c.done.is_(sa.false()))
    return int(conn.execute(query).scalar_one())


def _of(run_id: RunId, phase: Phase | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    return sa.and_(_pages.c.run_id == run_id, _pages.c.phase == phase)


# Asked for each page and each moment, so made once: see `runs`.
_OF, _OPEN = _of(runs.RUN, _PHASE), _pages.c.done.is_(sa.false())
_HELD = sa.select(sa.func.count()).select_from(_pages).where(_OF, _pages.c.lease_owner == _OWNER, _OPEN)
_LEASE = _pages.update().where(_OF, _pages.c.number == _NUMBER).values(lease_owner=_OWNER, lease_until=_UNTIL)
_RENEW = _pages.update().where(_OF, _pages.c.lease_owner == _OWNER, _OPEN).values(lease_until=_UNTIL)
